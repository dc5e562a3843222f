"""Was a run the same amount of work under load as on its own?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.analysis.measures.percentiles import median
from harness.analysis.validity.case import CellCase, CellCheck
from harness.analysis.validity.issue import Issue
from harness.facts.model import Run

WORK_INFLATED = 1.25
"""Caches and clock shared with others cost up to a fifth more CPU on the baselines' machine."""

WORK_FLOOR_CPU_S = 0.05
"""Less than this is noise beside the second of CPU that launching a run costs."""

WORK_RUNS = 3
"""So many runs on either side: a median of fewer is one run's luck."""


def _no_unloaded(case: CellCase) -> Iterator[Issue]:
    if case.summaries and not case.unloaded_known:
        yield Issue(
            code="no_unloaded_step",
            severity="warning",
            evidence="no run succeeded in an unloaded step: the slowdown is not known",
            remedy="Let the ladder start at 1, and see why its runs failed.",
        )


def _inflated(case: CellCase) -> Iterator[Issue]:
    """CPU of the work itself, by job: waiting for CPU is not in it, slower CPU is."""
    unloaded = {s.step.index for s in case.summaries if s.step.kind == "unloaded"}
    alone = _work_cpu_s(run for run in case.runs if run.step in unloaded)
    found = []
    for summary in case.summaries:
        if summary.step.index in unloaded:
            continue
        loaded = _work_cpu_s(run for run in case.runs if run.step == summary.step.index)
        for job in sorted(alone.keys() & loaded.keys()):
            grown_s = loaded[job] - alone[job]
            if loaded[job] > WORK_INFLATED * alone[job] and grown_s >= WORK_FLOOR_CPU_S:
                found.append((loaded[job] / alone[job], summary.concurrency, job, loaded[job]))
    if found:
        ratio, concurrency, job, cpu_s = max(found)
        yield Issue(
            code="work_inflated",
            severity="warning",
            evidence=f"a run of job {job} took {cpu_s:.2f} CPU-s of work at concurrency "
            f"{concurrency}, {alone[job]:.2f} unloaded ({ratio - 1:+.0%})",
            remedy="Caches or clock are shared with what else runs here: on a larger machine "
            "the capacity would be higher.",
        )


def _work_cpu_s(runs: Iterable[Run]) -> Mapping[str, float]:
    """Median CPU seconds of the work by job, of jobs with enough runs that reported it."""
    told: dict[str, list[float]] = {}
    for run in runs:
        if run.work_cpu_s is not None and run.status == "SUCCESS":
            told.setdefault(run.job, []).append(run.work_cpu_s)
    return {
        job: middle
        for job, values in told.items()
        if len(values) >= WORK_RUNS and (middle := median(values))
    }


CELL_CHECKS: tuple[CellCheck, ...] = (_no_unloaded, _inflated)
