"""Doubt the measurement before the server: what could make these facts say something else.

A `fatal` issue voids the verdict of its step, or of the whole cell when it names no step. A
`warning` stays beside the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.analysis.percentiles import percentile
from harness.analysis.steps import StepSummary
from harness.analysis.windows import Samples, end_of, gauges, runs_of_step
from harness.facts.model import Cell, Limits, Phase, Run
from harness.units import show_bytes

Severity = Literal["fatal", "warning"]

GENERATOR_BUSY_CORES = 0.8
GENERATOR_LATE_S = 1.0
SUPPORT_BUSY_CORES = 0.9
STEAL_RATIO = 0.05
SAMPLES_WANTED = 0.8
SAMPLES_LATE_S = 0.5
LITTLE_GAP = 0.25
LITTLE_MIN_RUNS = 10
LIMIT_TOLERANCE = 0.01

LOCAL_DEVICES = ("cgroup", "processes")
"""Read from this machine alone: when they are late, the observer is, not the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One doubt. `step` is the index of the step it concerns, `None` for the whole cell."""

    code: str
    severity: Severity
    evidence: str
    remedy: str
    step: int | None = None


def cell_issues(
    cell: Cell, summaries: Sequence[StepSummary], *, samples: Samples, unloaded_s: float | None
) -> list[Issue]:
    """Doubts about the cell as a whole.

    Args:
        cell: as it was meant and as it was.
        summaries: of its measured steps.
        samples: of the cell.
        unloaded_s: its unloaded median response, `None` where unknown.
    """
    issues = [*_limits(cell), *_late_samples(samples)]
    if cell.overcommitted:
        issues.append(
            Issue(
                code="overcommitted",
                severity="warning",
                evidence=f"{cell.replicas} × {cell.vcpu:g} vCPU and "
                f"{show_bytes(cell.memory_bytes)} are more than this machine can spare",
                remedy="Measure a smaller profile, or use a larger machine.",
            )
        )
    if summaries and unloaded_s is None:
        issues.append(
            Issue(
                code="no_unloaded_step",
                severity="warning",
                evidence="no run succeeded in an unloaded step: the slowdown is not known",
                remedy="Let the ladder start at 1, and see why its runs failed.",
            )
        )
    return issues


def step_issues(
    cell: Cell, summary: StepSummary, *, runs: Sequence[Run], samples: Samples
) -> list[Issue]:
    """Doubts about one step."""
    found = [
        _aborted(summary),
        _generator_busy(summary),
        _generator_late(summary),
        *_support_busy(summary),
    ]
    if summary.hold is not None:
        found += [
            _steal(summary.step.index, summary.hold, samples),
            _missing_samples(cell, summary, hold=summary.hold, samples=samples),
            _littles_law(summary, hold=summary.hold, runs=runs),
        ]
    return [issue for issue in found if issue is not None]


def _limits(cell: Cell) -> list[Issue]:
    if not cell.limits_enforced:
        return [
            Issue(
                code="limits_unenforced",
                severity="warning",
                evidence="nothing enforced the profile's CPU and memory limits",
                remedy="Use a Docker engine, or run where a cgroup can be made "
                "(`harness doctor` says what is missing).",
            )
        ]
    difference = _difference(cell.requested_limits, cell.effective_limits)
    if not difference:
        return []
    return [
        Issue(
            code="effective_limits_differ",
            severity="fatal",
            evidence=difference,
            remedy="See why the engine did not apply the limits; `harness doctor` shows its "
            "cgroup support.",
        )
    ]


def _difference(wanted: Limits, real: Limits | None) -> str:
    if real is None:
        return "the limits in force could not be read back"
    pairs = (
        ("CPU", wanted.cpu_cores, real.cpu_cores),
        ("memory", wanted.memory_bytes, real.memory_bytes),
    )
    return "; ".join(
        f"{name}: {asked:g} asked for, {got if got is None else format(got, 'g')} in force"
        for name, asked, got in pairs
        if asked is not None and (got is None or abs(got - asked) > LIMIT_TOLERANCE * asked)
    )


def _late_samples(samples: Samples) -> list[Issue]:
    issues = []
    for device in LOCAL_DEVICES:
        late = percentile(samples.lateness_s(device).tolist(), 95)
        if late is not None and late.value > SAMPLES_LATE_S:
            issues.append(
                Issue(
                    code="samples_late",
                    severity="warning",
                    evidence=f"samples of device {device} came {late.value:.1f} s late (p95)",
                    remedy="Leave the observer more CPU: a smaller profile or a larger machine.",
                )
            )
    return issues


def _aborted(summary: StepSummary) -> Issue | None:
    """A step broken off by the server's death is a measurement; any other is none."""
    step = summary.step
    if step.outcome != "aborted":
        return None
    died = bool(summary.server.oom_kills or step.restarts or summary.counts.lost)
    return Issue(
        code="step_aborted",
        severity="warning" if died else "fatal",
        evidence=step.outcome_detail or "the step broke off, no reason recorded",
        remedy="The server died under this load: see its log." if died else "Measure it again.",
        step=step.index,
    )


def _generator_busy(summary: StepSummary) -> Issue | None:
    cores = summary.step.generator_cpu_cores
    if cores is None or cores < GENERATOR_BUSY_CORES:
        return None
    return Issue(
        code="generator_busy",
        severity="fatal",
        evidence=f"the load generator used {cores:.2f} of the one core it can use",
        remedy="Use a machine with more CPUs, or fewer concurrent runs.",
        step=summary.step.index,
    )


def _generator_late(summary: StepSummary) -> Issue | None:
    lag_s = summary.times.send_lag_p95_s
    if lag_s is None or lag_s <= GENERATOR_LATE_S:
        return None
    return Issue(
        code="generator_late",
        severity="fatal",
        evidence=f"launches were sent {lag_s:.1f} s after their time (p95)",
        remedy="Leave the generator more CPU: the load offered was not the load planned.",
        step=summary.step.index,
    )


def _support_busy(summary: StepSummary) -> list[Issue]:
    return [
        Issue(
            code="support_busy",
            severity="warning",
            evidence=f"{name} used {cores:.2f} cores",
            remedy="What feeds the server may limit it: compare with the queued feed, or use "
            "faster CPUs.",
            step=summary.step.index,
        )
        for name, cores in sorted(summary.support_cpu_cores.items())
        if cores >= SUPPORT_BUSY_CORES
    ]


def _steal(step: int, hold: Phase, samples: Samples) -> Issue | None:
    seen = gauges(samples, "host", "cpu_steal_ratio", window=hold)
    if not seen:
        return None
    ratio = float(np.mean(np.concatenate(list(seen.values()))))
    if ratio <= STEAL_RATIO:
        return None
    return Issue(
        code="host_steal",
        severity="warning",
        evidence=f"the hypervisor took {ratio:.0%} of the CPU away",
        remedy="Measure on a dedicated or quieter machine.",
        step=step,
    )


def _missing_samples(
    cell: Cell, summary: StepSummary, *, hold: Phase, samples: Samples
) -> Issue | None:
    if "cgroup" not in cell.devices:
        return None
    seen = gauges(samples, "cgroup", "usage_bytes", window=hold)
    wanted = (hold.end_s - hold.start_s) * _rate_hz(samples) * cell.replicas
    count = sum(len(values) for values in seen.values())
    if count >= SAMPLES_WANTED * wanted:
        return None
    return Issue(
        code="samples_missing",
        severity="warning",
        evidence=f"{count} of {wanted:.0f} memory and CPU samples were taken",
        remedy="Leave the observer more CPU, or switch off devices (`doctor --devices`).",
        step=summary.step.index,
    )


def _rate_hz(samples: Samples) -> float:
    """5 Hz from cgroup files; 1 Hz where the engine's statistics stand in for them."""
    for source in samples.sources("cgroup", "usage_bytes"):
        times, _ = samples.series("cgroup", "usage_bytes", source=source)
        if len(times) >= 2:
            return 1.0 if float(np.median(np.diff(times))) > 0.6 else 5.0
    return 5.0


def _littles_law(summary: StepSummary, *, hold: Phase, runs: Sequence[Run]) -> Issue | None:
    """In a steady window L = λW (Little); a gap means that it was none, or that runs are missing.

    Too few ends make the edges of the window weigh too much: then nothing is said.
    """
    ended = [
        run for run in runs_of_step(runs, summary.step) if hold.start_s <= end_of(run) < hold.end_s
    ]
    mean_l = summary.mean_in_flight
    if len(ended) < LITTLE_MIN_RUNS or not mean_l:
        return None
    rate = len(ended) / (hold.end_s - hold.start_s)
    stay_s = sum(end_of(run) - run.sent_s for run in ended) / len(ended)
    if abs(mean_l - rate * stay_s) <= LITTLE_GAP * mean_l:
        return None
    return Issue(
        code="littles_law",
        severity="warning",
        evidence=f"{mean_l:.1f} runs in flight, but {rate:.2f} ends/s × {stay_s:.1f} s "
        f"= {rate * stay_s:.1f}: not a steady window",
        remedy="Make the hold longer, or settle longer before it.",
        step=summary.step.index,
    )
