"""What one run costs the server: memory while it lives, CPU to start it, CPU of its own work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import linregress, t

from harness.analysis.steps import StepSummary
from harness.analysis.windows import Samples, counters, gauges, runs_of_step
from harness.facts.model import Cell, Phase, Run, Step

MemoryMethod = Literal["anon_vs_resident", "peak_vs_concurrency"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRun:
    """Slope of memory on runs in bytes a run. `ci_bytes`: 95 %, from four points on."""

    bytes_per_run: float
    ci_bytes: tuple[float, float] | None
    points: int
    method: MemoryMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the server takes idle and what a run adds, over all steps of one cell.

    `launch_cpu_s`: CPU seconds per completed run beyond idling and beyond the runs' own work.
    `run_cpu_s`: mean of what the runs' own work reported.
    """

    base_bytes: float | None
    per_run: PerRun | None
    idle_cpu_cores: float | None
    launch_cpu_s: float | None
    run_cpu_s: float | None
    completed: int


def resources_of(
    cell: Cell, summaries: Sequence[StepSummary], *, runs: Sequence[Run], samples: Samples
) -> Resources:
    """The costs of one run in this cell.

    Args:
        summaries: of the measured steps; those without a hold window are left out.
        runs: of the cell.
        samples: of the cell.
    """
    idle = _idle_window(cell)
    idle_cores = _idle_cores(samples, idle)
    run_cpu_s = _run_cpu_s(summaries, runs)
    cpu_s, completed = _cpu_per_run(summaries, runs, samples, idle_cores=idle_cores or 0.0)
    launch_s = cpu_s - run_cpu_s if cpu_s is not None and run_cpu_s is not None else None
    return Resources(
        base_bytes=_base_bytes(samples, idle),
        per_run=_per_run(cell, summaries, samples=samples, idle=idle),
        idle_cpu_cores=idle_cores,
        launch_cpu_s=launch_s if launch_s is not None and launch_s > 0 else None,
        run_cpu_s=run_cpu_s,
        completed=completed,
    )


def slope(points: Sequence[Point], method: MemoryMethod) -> PerRun | None:
    """Least-squares slope of (runs, bytes); `None` with fewer than two different x.

    The interval is slope ± t(0.975, n − 2) · standard error.
    """
    if len({x for x, _ in points}) < 2:
        return None
    fit = linregress([x for x, _ in points], [y for _, y in points])
    ci = None
    if len(points) >= 4:  # with one degree of freedom t is 12.7: an interval that says nothing
        half = float(t.ppf(0.975, len(points) - 2)) * float(fit.stderr)
        ci = (float(fit.slope) - half, float(fit.slope) + half)
    return PerRun(bytes_per_run=float(fit.slope), ci_bytes=ci, points=len(points), method=method)


def _idle_window(cell: Cell) -> Phase | None:
    start_s, end_s = cell.idle_start_s, cell.idle_end_s
    if start_s is None or end_s is None or end_s <= start_s:
        return None
    return Phase(name="idle", start_s=start_s, end_s=end_s)


def _base_bytes(samples: Samples, idle: Phase | None) -> float | None:
    """Median anonymous memory of one idle replica: what reclaim cannot take away."""
    seen = gauges(samples, "cgroup", "anon_bytes", window=idle) if idle else {}
    return float(np.mean([np.median(values) for values in seen.values()])) if seen else None


def _idle_cores(samples: Samples, idle: Phase | None) -> float | None:
    seen = counters(samples, "cgroup", "cpu_s", window=idle) if idle else {}
    return sum(growth.rate for growth in seen.values()) if seen else None


def _per_run(
    cell: Cell, summaries: Sequence[StepSummary], *, samples: Samples, idle: Phase | None
) -> PerRun | None:
    """One point a step and replica: readings within a step repeat each other."""
    found = slope(_resident_points(summaries, samples, idle), "anon_vs_resident")
    return found or slope(_peak_points(cell, summaries), "peak_vs_concurrency")


def _resident_points(
    summaries: Sequence[StepSummary], samples: Samples, idle: Phase | None
) -> list[Point]:
    """The most runs and the most memory of each step, and of the idle server.

    Maxima, not means: a run that still imports is resident and small, and an OOM kill does not
    ask for the mean.
    """
    windows = [_whole(summary.step) for summary in summaries if summary.hold is not None]
    points: list[Point] = []
    for window in [*([idle] if idle else []), *windows]:
        resident = gauges(samples, "processes", "resident_runs", window=window)
        memory = gauges(samples, "cgroup", "anon_bytes", window=window)
        points.extend(
            (float(np.max(count)), float(np.max(memory[source])))
            for source, count in resident.items()
            if source in memory
        )
    return points


def _whole(step: Step) -> Phase:
    """From the first send to the end of the drain."""
    return Phase(name="whole", start_s=step.phases[0].start_s, end_s=step.phases[-1].end_s)


def _peak_points(cell: Cell, summaries: Sequence[StepSummary]) -> list[Point]:
    """The peak is one replica's, so its share of the concurrency goes with it."""
    return [
        (summary.concurrency / cell.replicas, summary.server.memory_peak_bytes)
        for summary in summaries
        if summary.hold is not None and summary.server.memory_peak_bytes is not None
    ]


def _run_cpu_s(summaries: Sequence[StepSummary], runs: Sequence[Run]) -> float | None:
    work = [
        run.work_cpu_s
        for summary in summaries
        for run in runs_of_step(runs, summary.step)
        if run.status == "SUCCESS" and run.work_cpu_s is not None
    ]
    return float(np.mean(work)) if work else None


def _cpu_per_run(
    summaries: Sequence[StepSummary], runs: Sequence[Run], samples: Samples, *, idle_cores: float
) -> tuple[float | None, int]:
    """CPU seconds above idle per successful run, and over how many runs.

    Over whole steps, drain included: every run a step launched also ends in it, so what was
    spent and what was done belong together exactly. A hold window would count the launches of
    runs that end after it. Steps with any other ending than success are left out.
    """
    spent_s, completed = 0.0, 0
    for summary in summaries:
        step = summary.step
        own = [run for run in runs if run.step == step.index]
        if not own or not step.phases or any(run.status != "SUCCESS" for run in own):
            continue
        window = _whole(step)
        used = counters(samples, "cgroup", "cpu_s", window=window)
        if not used:
            continue
        duration_s = window.end_s - window.start_s
        spent_s += (sum(each.rate for each in used.values()) - idle_cores) * duration_s
        completed += len(own)
    return (spent_s / completed if completed else None), completed
