"""Memory a run costs: slopes of what a replica holds on the runs it carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import FEWEST, Samples, gauges, is_sparse, whole_of
from harness.facts.model import Cell, Phase

MemoryMethod = Literal["anon_vs_resident", "peak_vs_concurrency"]
Point = tuple[float, float]

INTERVAL_POINTS = 4
"""Fewer points have no interval of their slope: with one degree of freedom t is 12.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRun:
    """Slope of memory on runs in bytes a run, over `points` points.

    `ci_bytes`: 95 %, from four points on. `at_zero_bytes`: where the line meets no runs.
    """

    bytes_per_run: float
    ci_bytes: tuple[float, float] | None
    points: int
    method: MemoryMethod
    at_zero_bytes: float | None = None


def slope(points: Sequence[Point], method: MemoryMethod) -> PerRun | None:
    """Least-squares slope of (runs, bytes); `None` with fewer than two different x.

    The interval is slope ± t(0.975, n − 2) · standard error.
    """
    x = np.array([runs for runs, _ in points])
    y = np.array([size_bytes for _, size_bytes in points])
    if len(np.unique(x)) < 2:
        return None
    spread = float(((x - x.mean()) ** 2).sum())
    rise = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    at_zero = float(y.mean() - rise * x.mean())
    ci, free = None, len(points) - 2
    if len(points) >= INTERVAL_POINTS:
        rest = float(((y - at_zero - rise * x) ** 2).sum())
        half = float(stdtrit(free, 0.975)) * math.sqrt(rest / free / spread)
        ci = (rise - half, rise + half)
    return PerRun(
        bytes_per_run=rise, ci_bytes=ci, points=len(points), method=method, at_zero_bytes=at_zero
    )


def base_bytes(samples: Samples, idle: Phase | None) -> float | None:
    """Median anonymous memory of one idle replica: what reclaim cannot take away."""
    seen = gauges(samples, "cgroup", "anon_bytes", window=idle) if idle else {}
    return float(np.mean([np.median(values) for values in seen.values()])) if seen else None


def per_run(
    cell: Cell, summaries: Sequence[StepSummary], *, samples: Samples, idle: Phase | None
) -> PerRun | None:
    """Of one resident run. One point a step and replica: readings within a step repeat each other.

    Without process samples, kernel peak on concurrency; `method` says which.
    """
    found = slope(_resident_points(summaries, samples, idle), "anon_vs_resident")
    return found or slope(_peak_points(cell, summaries), "peak_vs_concurrency")


def _resident_points(
    summaries: Sequence[StepSummary], samples: Samples, idle: Phase | None
) -> list[Point]:
    """The most runs and the most memory of each step, and of the idle server.

    Maxima, not means: a run that still imports is resident and small, and an OOM kill does not
    ask for the mean.
    """
    whole = [whole_of(summary.step) for summary in summaries if summary.hold is not None]
    points: list[Point] = []
    for window in (each for each in (idle, *whole) if each is not None):
        resident = gauges(samples, "processes", "resident_runs", window=window)
        memory = gauges(samples, "cgroup", "anon_bytes", window=window)
        points.extend(
            (float(np.max(count)), float(np.max(memory[source])))
            for source, count in resident.items()
            if source in memory
        )
    return points


def _peak_points(cell: Cell, summaries: Sequence[StepSummary]) -> list[Point]:
    """The peak is one replica's, so its share of the concurrency goes with it.

    Not where the limit was hit (the peak is then the limit's, not the runs'), nor where arrivals
    did not follow completions (the concurrency is then only what was planned).
    """
    return [
        (summary.concurrency / cell.replicas, summary.server.memory_peak_bytes)
        for summary in summaries
        if summary.hold is not None
        and summary.server.memory_peak_bytes is not None
        and not summary.server.oom_kills
        and not summary.server.restarts
        and summary.step.load_model in ("closed", "burst")
    ]


def _idle_points(samples: Samples, idle: Phase | None) -> list[Point]:
    """Memory charged to each idle replica, as the kernel's peak would count it: at no runs."""
    seen = gauges(samples, "cgroup", "usage_bytes", window=idle) if idle else {}
    return [
        (0.0, float(np.median(values)))
        for source, values in seen.items()
        if len(values) >= FEWEST or not _is_told(samples, source)
    ]


def _is_told(samples: Samples, source: str) -> bool:
    times, _ = samples.series("cgroup", "usage_bytes", source=source)
    return is_sparse(times)


def peak_per_run(
    cell: Cell, summaries: Sequence[StepSummary], *, samples: Samples, idle: Phase | None
) -> PerRun | None:
    """Of one run in flight: kernel peak of one replica on its share of the concurrency."""
    points = [*_idle_points(samples, idle), *_peak_points(cell, summaries)]
    return slope(points, "peak_vs_concurrency")
