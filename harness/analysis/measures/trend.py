"""Does a series rise? Theil–Sen's slope with an interval that believes repeated readings less.

NumPy alone: importing SciPy's statistics takes longer than judging a campaign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from harness.analysis.measures.windows import FloatArray, Samples, bin_means, in_flight_at
from harness.facts.model import Phase, Run

TREND_BINS = 120
"""At most this many means of a series enter a trend: it compares all pairs of them."""

TREND_MIN_BINS = 5
MOST_CORRELATED = 0.9
"""A higher autocorrelation cannot be told from a trend in as few values as we have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Slope of a series in its unit per second, with its interval; `n` values stand behind it."""

    slope_per_s: float
    low_per_s: float
    high_per_s: float
    n: int


def theil_sen(values: FloatArray, times: FloatArray, *, confidence: float = 0.95) -> Trend:
    """Median of the slopes of all pairs, with Sen's interval (Sen 1968, JASA 63).

    It is what `scipy.stats.theilslopes` says, and holds for values independent of each other.

    Args:
        values: two or more.
        times: ascending seconds, not all equal; pairs of one time have no slope.
        confidence: of the interval.
    """
    n = len(values)
    first, second = np.triu_indices(n, k=1)
    rise, run = values[second] - values[first], times[second] - times[first]
    slopes = np.sort(rise[run > 0] / run[run > 0])
    variance = (n * (n - 1) * (2 * n + 5) - _tied(values) - _tied(times)) / 18
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(max(0.0, variance))
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    return Trend(
        slope_per_s=float(np.median(slopes)),
        low_per_s=float(slopes[low]),
        high_per_s=float(slopes[high]),
        n=n,
    )


def _tied(values: FloatArray) -> float:
    _, ties = np.unique(values, return_counts=True)
    return float(np.sum(ties * (ties - 1) * (2 * ties + 5)))


def inflation_of(residuals: FloatArray) -> float:
    """How much larger the variance of a mean, or a slope, is than for independent values: ≥ 1.

    (1 + r) ÷ (1 − r) of the lag-1 autocorrelation r (Bayley & Hammersley 1946; Yue & Wang 2004
    for trends), where r is corrected for its bias in short series (Kendall 1954).
    """
    n = len(residuals)
    around = residuals - residuals.mean()
    power = float(around @ around)
    if n <= 3 or power <= 0:
        return 1.0
    raw = float(around[:-1] @ around[1:]) / power
    corrected = min(max((raw + 1 / n) / (1 - 3 / n), 0.0), MOST_CORRELATED)
    return (1 + corrected) / (1 - corrected)


def trend_of(values: FloatArray, times: FloatArray, *, confidence: float = 0.95) -> Trend:
    """`theil_sen`, its interval widened for the autocorrelation of what the slope leaves over.

    Runs in flight repeat themselves for as long as a run lasts. Taken as independent they would be
    said to rise in one of eight steady steps of an open model, and not in one of forty.
    """
    plain = theil_sen(values, times, confidence=confidence)
    slope = plain.slope_per_s
    wider = math.sqrt(inflation_of(values - slope * times))
    return replace(
        plain,
        low_per_s=slope - (slope - plain.low_per_s) * wider,
        high_per_s=slope + (plain.high_per_s - slope) * wider,
    )


def backlog_trend(runs: Sequence[Run], samples: Samples, *, hold: Phase) -> Trend | None:
    """Trend over the hold of in-flight runs plus requests waiting for a worker, per second.

    Both are averaged in bins of at least one second: closer readings repeat each other. `None`
    with fewer than five bins.
    """
    bins = min(TREND_BINS, math.floor(hold.end_s - hold.start_s))
    if bins < TREND_MIN_BINS:
        return None
    edges = np.linspace(hold.start_s, hold.end_s, bins + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    waiting = bin_means(samples, "pool", "pool_queue", edges=edges)
    backlog = in_flight_at(runs, middles) + (0.0 if waiting is None else waiting)
    return trend_of(backlog, middles - hold.start_s)
