"""The knee: from how many runs on the response must bend, by asymptotic bounds.

In a closed system X(N) ≤ N ÷ R₀ and X(N) ≤ Xmax; the two lines cross at N* = R₀ · Xmax
(Denning & Buzen 1978). Below it runs need not wait for one another, above it some always do.
Unlike the point of greatest curvature among the measured points, N* does not move with the grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Literal

from scipy.special import stdtrit

from harness.analysis.measures.steps import StepSummary

SATURATED_CPU = 0.95
SATURATED_STRETCH = 1.5
"""A mean response this many times R₀ means 1.5 · N* runs or more: X is then near Xmax."""

MIN_FOR_INTERVAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One step of a closed system: runs in flight, throughput in 1/s, CPU ÷ limit if known."""

    runs: int
    throughput_per_s: float
    cpu_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """N* in runs, all replicas together.

    `low`, `high`: 95 % interval from the saturated steps' throughputs, from three of them on; it
    leaves out that R₀ is uncertain too. `n`: saturated steps. Without any the status is
    `not_bracketed`; without R₀ or steps `unknown`. `reason` says so in words.
    """

    runs: float | None
    low: float | None
    high: float | None
    max_throughput_per_s: float | None
    status: Literal["bracketed", "not_bracketed", "unknown"]
    n: int
    reason: str


def knee_of(summaries: Sequence[StepSummary]) -> Knee:
    """The knee of a cell.

    R₀ is the median response of the unloaded steps. Only steps of the closed model count, and
    of those only such as no run failed or was lost in: their throughput is what the load made it.
    """
    alone = [
        each.times.response_s.p50.finite
        for each in summaries
        if each.step.kind == "unloaded" and each.times.response_s.p50 is not None
    ]
    known = [value for value in alone if value is not None]
    loads = [
        Load(
            runs=each.concurrency,
            throughput_per_s=each.throughput_runs_per_s,
            cpu_ratio=each.server.cpu_ratio,
        )
        for each in summaries
        if each.throughput_runs_per_s and each.step.load_model == "closed" and _clean(each)
    ]
    return knee(loads, unloaded_s=median(known) if known else None)


def knee(loads: Sequence[Load], *, unloaded_s: float | None) -> Knee:
    """The knee of these steps.

    A step is saturated when its CPU is at 95 % of the limit or more, or its mean response, by
    Little's law N ÷ X, is 1.5 times R₀ or more. Xmax is the mean of their throughputs.

    Args:
        unloaded_s: R₀.
    """
    if unloaded_s is None or not loads:
        lacking = "unloaded response" if unloaded_s is None else "step of a closed model"
        return _none("unknown", f"no {lacking} is known")
    rates = [load.throughput_per_s for load in loads if _saturated(load, unloaded_s)]
    if not rates:
        most = max(load.runs for load in loads)
        return _none("not_bracketed", f"nothing was saturated up to {most} run{'s' * (most != 1)}")
    top = fmean(rates)
    low = high = None
    if len(rates) >= MIN_FOR_INTERVAL:
        half = float(stdtrit(len(rates) - 1, 0.975)) * stdev(rates) / math.sqrt(len(rates))
        low, high = max(0.0, unloaded_s * (top - half)), unloaded_s * (top + half)
    return Knee(
        runs=unloaded_s * top,
        low=low,
        high=high,
        max_throughput_per_s=top,
        status="bracketed",
        n=len(rates),
        reason=f"{unloaded_s:.1f} s alone × {top:.2f} runs/s at most (saturated: {len(rates)})",
    )


def _clean(summary: StepSummary) -> bool:
    return not (summary.counts.failed or summary.counts.lost)


def _saturated(load: Load, unloaded_s: float) -> bool:
    full = load.cpu_ratio is not None and load.cpu_ratio >= SATURATED_CPU
    return full or load.runs / load.throughput_per_s >= SATURATED_STRETCH * unloaded_s


def _none(status: Literal["not_bracketed", "unknown"], reason: str) -> Knee:
    return Knee(
        runs=None, low=None, high=None, max_throughput_per_s=None, status=status, n=0, reason=reason
    )
