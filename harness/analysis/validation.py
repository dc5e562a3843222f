"""Does a configuration hold what it promises? Its own bursts, judged: findings in, answer out.

What counts is what a burst may not do: kill, lose or fail runs, come near the memory limit, or keep
the server from answering its health checks. How long a run waits in the queue does not. And a
promise only holds where it was put to the test: with fewer runs inside than the limit allows,
nobody has seen what the full limit does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.analysis.bursts import burst_passed
from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.analysis.inside import Inside

Answer = Literal["holds", "does not hold", "limit never filled", "cannot be tested here"]

MEND_AT = 0.85
"""The share of the memory limit at which a mend aims, below the 0.9 of the objective
`memory_headroom`: a peak that is predicted to meet it exactly passes by luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was promised, as far as a judgement needs it; sizes of one replica."""

    limit: int
    memory_mib: int
    max_workers: int
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One burst: `runs` launched at once. `passed` is `None` where that cannot be said.

    `inside`: the most runs in the server at once; `full_s`: seconds with the limit full; `None`
    where nobody counted. `counted_by`: `samples` (run processes) or `runs` (starts and ends).
    """

    runs: int
    passed: bool | None
    sentence: str
    inside: int | None = None
    full_s: float | None = None
    counted_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The answer: what gave first, what binds, and what would mend it, the surest first.

    `mend` is empty where it holds; figures in it that were computed say `predicted`. `meaning`:
    what to make of a limit that was never filled, or of a machine that is too small.
    """

    answer: Answer
    why: str
    bursts: tuple[Burst, ...] = ()
    first: tuple[str, ...] = ()
    binding: str = ""
    mend: tuple[str, ...] = ()
    meaning: tuple[str, ...] = ()


def judge_validation(findings: Findings, asked: Asked, inside: Mapping[int, Inside]) -> Validation:
    """Judge the bursts of a campaign made by `scenarios.validating`.

    Args:
        findings: of that campaign, whose only cell was sent a burst of the limit and one of three
            times the limit.
        asked: what was promised.
        inside: the bursts from within, by the index of their step.
    """
    cell = findings.cells[0] if findings.cells else None
    steps = [step for step in cell.steps if step.kind == "load"] if cell else []
    if cell is None or not steps:
        doubts = "; ".join(issue.evidence for issue in findings.validity[:2])
        return Validation(answer="cannot be tested here", why=doubts or "Nothing was measured.")
    bursts = tuple(
        _burst(step, inside.get(step.index), asked, doubts_of(step, findings)) for step in steps
    )
    binding = cell.binding.limit if cell.binding and cell.binding.limit else ""
    failed = next((s for s, b in zip(steps, bursts, strict=True) if b.passed is False), None)
    if failed is not None:
        return Validation(
            answer="does not hold",
            why=f"A burst of {failed.concurrency} runs broke {_joined(failed)}.",
            bursts=bursts,
            first=(*_first(failed), *_errors(inside.get(failed.index))),
            binding="" if _own(failed, inside) else binding,
            mend=_mend(cell, failed, asked, own=_own(failed, inside)),
        )
    unsure = next((burst for burst in bursts if burst.passed is None), None)
    if unsure is not None or len(bursts) < 2:
        why = unsure.sentence if unsure else "Only one of two bursts was measured."
        return Validation(answer="cannot be tested here", why=why, bursts=bursts, binding=binding)
    seen = [inside[step.index] for step in steps if step.index in inside]
    if not any(each.filled for each in seen):
        return _never_filled(cell, bursts, asked, seen)
    full_s = max(each.full_s for each in seen)
    return Validation(
        answer="holds",
        why=f"Bursts of {bursts[0].runs} and {bursts[1].runs} runs passed, and the limit of "
        f"{asked.limit} was full for {full_s:.0f} s.",
        bursts=bursts,
        binding=binding,
    )


def _never_filled(
    cell: CellFinding, bursts: tuple[Burst, ...], asked: Asked, seen: list[Inside]
) -> Validation:
    """What passed was not the promise: fewer were inside than it allows."""
    fullest = max(seen, key=lambda each: each.most, default=None)
    if fullest is None:
        why = "Both bursts passed, and nobody counted how many runs were in the server at once."
        return Validation(answer="limit never filled", why=why, bursts=bursts)
    meaning = [_pace(fullest)] if fullest.pace_s and fullest.run_s else []
    known = _memory_a_run(cell)
    if known is not None:
        base, a_run = known
        needed = base + a_run * math.ceil(asked.limit / asked.replicas)
        meaning.append(
            f"With {asked.limit} inside, memory would be {needed:,.0f} of {asked.memory_mib:,} MiB "
            f"({needed / asked.memory_mib:.0%}; predicted)."
        )
    meaning.append(
        "To fill it: longer runs, or more launches at a time (dequeue_use_threads). To test what "
        f"was reached: --limit {max(1, fullest.most)}."
    )
    return Validation(
        answer="limit never filled",
        why=f"Both bursts passed, but at most {fullest.most} of {asked.limit} runs were in the "
        "server at once: what the full limit does was not seen.",
        bursts=bursts,
        meaning=tuple(meaning),
    )


def _pace(inside: Inside) -> str:
    return (
        f"A run was launched every {inside.pace_s:.1f} s and lasted {inside.run_s:.1f} s, so most "
        "were gone before the limit was reached."
    )


def doubts_of(step: StepFinding, findings: Findings) -> tuple[str, ...]:
    """What voids a burst, in words."""
    return tuple(
        issue.evidence
        for issue in findings.validity
        if issue.severity == "fatal" and issue.step in (None, step.index)
    )


def _burst(
    step: StepFinding, inside: Inside | None, asked: Asked, doubts: tuple[str, ...]
) -> Burst:
    ended = f"{step.completed} of {step.concurrency} runs ended"
    counted = (
        ("failed", step.failed), ("lost", step.lost), ("unfinished", step.unfinished),
        ("OOM kills", step.oom_kills), ("server deaths", step.restarts),
    )  # fmt: skip
    harm = ", ".join(f"{name} {count}" for name, count in counted if count)
    peak = f"memory peak {step.memory_peak_ratio:.0%}" if step.memory_peak_ratio else ""
    wait = f"launch p95 {step.launch_s.p95:.1f} s" if step.launch_s.p95 is not None else ""
    lost = f"{step.probe_s.lost} of {step.probe_s.n + step.probe_s.lost} health probes lost"
    passed = burst_passed(step)
    parts = [
        *(doubts if passed is None else ()), ended, harm, _within(inside, asked), peak, wait,
        lost if step.probe_s.lost else "",
    ]  # fmt: skip
    return Burst(
        runs=step.concurrency,
        passed=passed,
        sentence=", ".join(filter(None, parts)),
        inside=inside.most if inside else None,
        full_s=inside.full_s if inside else None,
        counted_by=inside.by if inside else "",
    )


def _within(inside: Inside | None, asked: Asked) -> str:
    if inside is None:
        return ""
    full = f", full for {inside.full_s:.0f} s" if inside.filled else ""
    return f"up to {inside.most} inside at once, {asked.limit} allowed{full}"


def _joined(step: StepFinding) -> str:
    return ", ".join(step.broken) or "an objective"


def _first(step: StepFinding) -> tuple[str, ...]:
    return tuple(
        f"{name}: {_shown(step.slo[name].observed)}, limit {step.slo[name].limit:g}"
        for name in step.broken
        if name in step.slo
    )


def _errors(inside: Inside | None) -> tuple[str, ...]:
    return tuple(f"failed with {error}" for error in inside.errors) if inside else ()


def _own(step: StepFinding, inside: Mapping[int, Inside]) -> bool:
    """Whether nothing broke but runs whose own code failed: then the server did not give out."""
    seen = inside.get(step.index)
    return seen is not None and seen.own and set(step.broken) == {"failed_runs"}


def _mend(cell: CellFinding, step: StepFinding, asked: Asked, *, own: bool) -> tuple[str, ...]:
    """What would have held, by what broke. Runs are shared evenly among the replicas."""
    if own:
        return (
            "the runs' own code: it failed, and the server did not. Runs at once may be in each "
            "other's way, of one partition say (--partition KEY, repeated)",
        )
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


def _memory_a_run(cell: CellFinding) -> tuple[float, float] | None:
    """MiB of the idle server and of one run; `None` where not known."""
    base = cell.memory.peak_base_mib or cell.memory.base_mib
    a_run = cell.memory.peak_per_run_mib or cell.memory.per_run_mib
    return (base, a_run) if base and a_run and a_run > 0 else None


def _more_memory(cell: CellFinding, asked: Asked) -> list[str]:
    known = _memory_a_run(cell)
    share = math.ceil(asked.limit / asked.replicas)
    if known is None:
        return [f"more memory, or a limit below {asked.limit}; how much a run takes is not known"]
    base, a_run = known
    needed = math.ceil((base + a_run * share) / MEND_AT)
    fits = math.floor((MEND_AT * asked.memory_mib - base) / a_run) * asked.replicas
    lines = [
        f"memory of at least {needed:,} MiB a replica "
        f"(predicted: {base:.0f} + {share} × {a_run:.0f} MiB)"
    ]
    if fits >= 1:
        lines.append(f"or max_concurrent_runs {min(fits, asked.limit - 1)} (predicted)")
    return lines


def _shown(observed: float | None) -> str:
    return "not known" if observed is None else f"{observed:.3g}"
