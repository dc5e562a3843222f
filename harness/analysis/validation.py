"""Does a configuration hold what it promises? Its own bursts, judged: findings in, answer out.

What counts is what a burst may not do: kill, lose or fail runs, come near the memory limit, or keep
the server from answering its health checks. How long a run waits in the queue does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.analysis.bursts import burst_passed
from harness.analysis.findings.types import CellFinding, Findings, StepFinding

Answer = Literal["holds", "does not hold", "cannot be tested here"]

HEADROOM = 0.9
"""The share of the memory limit a peak may reach (the objective `memory_headroom`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was promised, as far as a judgement needs it; sizes of one replica."""

    limit: int
    memory_mib: int
    max_workers: int
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One burst: `runs` launched at once. `passed` is `None` where that cannot be said."""

    runs: int
    passed: bool | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The answer: what gave first, what binds, and what would mend it, the surest first.

    `mend` is empty where it holds; figures in it that were computed say `predicted`.
    """

    answer: Answer
    why: str
    bursts: tuple[Burst, ...] = ()
    first: tuple[str, ...] = ()
    binding: str = ""
    mend: tuple[str, ...] = ()


def judge_validation(findings: Findings, asked: Asked) -> Validation:
    """Judge the bursts of a campaign made by `scenarios.validating`.

    Args:
        findings: of that campaign, whose only cell was sent a burst of the limit and one of three
            times the limit.
        asked: what was promised.
    """
    cell = findings.cells[0] if findings.cells else None
    steps = [step for step in cell.steps if step.kind == "load"] if cell else []
    if cell is None or not steps:
        doubts = "; ".join(issue.evidence for issue in findings.validity[:2])
        return Validation(answer="cannot be tested here", why=doubts or "Nothing was measured.")
    bursts = tuple(_burst(step) for step in steps)
    binding = cell.binding.limit if cell.binding and cell.binding.limit else ""
    failed = next((s for s, b in zip(steps, bursts, strict=True) if b.passed is False), None)
    if failed is not None:
        return Validation(
            answer="does not hold",
            why=f"A burst of {failed.concurrency} runs broke {_joined(failed)}.",
            bursts=bursts,
            first=_first(failed),
            binding=binding,
            mend=_mend(cell, failed, asked),
        )
    unsure = next((burst for burst in bursts if burst.passed is None), None)
    if unsure is not None or len(bursts) < 2:
        why = unsure.sentence if unsure else "Only one of two bursts was measured."
        return Validation(answer="cannot be tested here", why=why, bursts=bursts, binding=binding)
    return Validation(
        answer="holds",
        why=f"Bursts of {bursts[0].runs} and {bursts[1].runs} runs passed.",
        bursts=bursts,
        binding=binding,
    )


def _burst(step: StepFinding) -> Burst:
    ended = f"{step.completed} of {step.concurrency} runs ended"
    counted = (
        ("failed", step.failed), ("lost", step.lost), ("unfinished", step.unfinished),
        ("OOM kills", step.oom_kills), ("server deaths", step.restarts),
    )  # fmt: skip
    harm = ", ".join(f"{name} {count}" for name, count in counted if count)
    peak = f"memory peak {step.memory_peak_ratio:.0%}" if step.memory_peak_ratio else ""
    wait = f"launch p95 {step.launch_s.p95:.1f} s" if step.launch_s.p95 is not None else ""
    lost = f"{step.probe_s.lost} of {step.probe_s.n + step.probe_s.lost} health probes lost"
    parts = [ended, harm, peak, wait, lost if step.probe_s.lost else ""]
    return Burst(
        runs=step.concurrency, passed=burst_passed(step), sentence=", ".join(filter(None, parts))
    )


def _joined(step: StepFinding) -> str:
    return ", ".join(step.broken) or "an objective"


def _first(step: StepFinding) -> tuple[str, ...]:
    return tuple(
        f"{name}: {_shown(step.slo[name].observed)}, limit {step.slo[name].limit:g}"
        for name in step.broken
        if name in step.slo
    )


def _mend(cell: CellFinding, step: StepFinding, asked: Asked) -> tuple[str, ...]:
    """What would have held, by what broke. Runs are shared evenly among the replicas."""
    broken = set(step.broken)
    found: list[str] = []
    if broken & {"no_oom", "memory_headroom"} or step.oom_kills:
        found += _more_memory(cell, asked)
    if "probe_s_p99" in broken:
        found.append(
            f"max_workers {step.concurrency + 4}: one thread for every launch of the burst and "
            "some for health checks"
            if asked.max_workers <= step.concurrency
            else "more vCPU, or fewer launches at a time: the server had threads, but no CPU to "
            "answer with"
        )
    if "failed_runs" in broken and not found:
        found.append("more vCPU, or fewer launches at a time: see the error classes of the runs")
    return tuple(found)


def _more_memory(cell: CellFinding, asked: Asked) -> list[str]:
    base = cell.memory.peak_base_mib or cell.memory.base_mib
    a_run = cell.memory.peak_per_run_mib or cell.memory.per_run_mib
    share = math.ceil(asked.limit / asked.replicas)
    if not base or not a_run or a_run <= 0:
        return [f"more memory, or a limit below {asked.limit}; how much a run takes is not known"]
    needed = math.ceil((base + a_run * share) / HEADROOM)
    fits = math.floor((HEADROOM * asked.memory_mib - base) / a_run) * asked.replicas
    lines = [
        f"memory of at least {needed:,} MiB a replica "
        f"(predicted: {base:.0f} + {share} × {a_run:.0f} MiB)"
    ]
    if fits >= 1:
        lines.append(f"or max_concurrent_runs {min(fits, asked.limit - 1)} (predicted)")
    return lines


def _shown(observed: float | None) -> str:
    return "not known" if observed is None else f"{observed:.3g}"
