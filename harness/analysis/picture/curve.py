"""The line through the steps of a response curve, and the limit it is held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from harness.analysis.findings.types import CellFinding, StepFinding
from harness.analysis.picture.types import ResponseCurve

SLOWDOWN = "slowdown_p95"


def curve_of(finding: CellFinding | None) -> ResponseCurve:
    """The curve of a judged cell; empty without findings."""
    if finding is None:
        return ResponseCurve()
    groups: defaultdict[int, list[StepFinding]] = defaultdict(list)
    for step in finding.steps:
        if step.verdict != "invalid":
            groups[step.concurrency].append(step)
    ordered = [groups[concurrency] for concurrency in sorted(groups)]
    return ResponseCurve(
        concurrency=tuple(sorted(groups)),
        response_p95_s=_medians(ordered, lambda step: step.response_s.p95),
        launch_p95_s=_medians(ordered, lambda step: step.launch_s.p95),
        throughput_runs_per_s=_medians(ordered, lambda step: step.throughput_runs_per_s),
        response_limit_s=_response_limit_s(finding),
    )


def _medians(
    groups: Iterable[Sequence[StepFinding]], pick: Callable[[StepFinding], float | None]
) -> tuple[float | None, ...]:
    picked = ([value for step in group if (value := pick(step)) is not None] for group in groups)
    return tuple(median(known) if known else None for known in picked)


def _response_limit_s(finding: CellFinding) -> float | None:
    alone_s = list(finding.unloaded_response_s.values())
    limits = [step.slo[SLOWDOWN].limit for step in finding.steps if SLOWDOWN in step.slo]
    return limits[0] * alone_s[0] if limits and len(alone_s) == 1 else None
