"""Does a value that was read once a segment grow, and when does it reach its limit?

One value a segment, its median: readings a second apart repeat each other, segments much less, and
`trend_of` widens the interval for what is left of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from harness.analysis.measures.trend import TREND_MIN_BINS, Trend, trend_of
from harness.analysis.soaking.types import Course, Growth, PerHour, Reach

HOUR_S = 3600.0

HORIZON_H = 30 * 24.0
"""A limit that is reached within a month of the last deployment is reached."""

WARM_IN = 0.1
"""Share of the segments, the first ones, in which caches fill; at least one."""

LEVELS_FROM = 12
"""From so many segments on their second half is asked by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One segment: the middle of its window in epoch seconds, the median and highest reading."""

    at_s: float
    value: float
    top: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at: `limit` in its unit, where it has one."""

    what: str
    of: str
    unit: str
    limit: float | None = None


T = TypeVar("T")


def warmed(points: Sequence[T]) -> Sequence[T]:
    """Without the first ones, in which what is kept for good is made."""
    return points[max(1, math.ceil(WARM_IN * len(points))) :]


def growth_of(subject: Subject, points: Sequence[Point]) -> Growth:
    """How it went.

    Args:
        subject: what it is.
        points: of one server life (or of something that lives on), by time, warm.
    """
    if len(points) < TREND_MIN_BINS:
        return Growth(what=subject.what, of=subject.of, unit=subject.unit, course="not known")
    course, trend = _course(points)
    quarter = max(1, len(points) // 4)
    top = max(point.top for point in points[-quarter:])
    return Growth(
        what=subject.what,
        of=subject.of,
        unit=subject.unit,
        course=course,
        first=median(point.value for point in points[:quarter]),
        last=median(point.value for point in points[-quarter:]),
        per_hour=PerHour(
            value=trend.slope_per_s * HOUR_S,
            low=trend.low_per_s * HOUR_S,
            high=trend.high_per_s * HOUR_S,
            n=trend.n,
        ),
        reach=_reach(subject, trend, top=top, course=course),
    )


def _course(points: Sequence[Point]) -> tuple[Course, Trend]:
    """What it does, and the slope that says so."""
    whole = _trend(points)
    if whole.high_per_s < 0:
        return "shrinks", whole
    if whole.low_per_s <= 0:
        return "steady", whole
    if len(points) >= LEVELS_FROM:
        late = _trend(points[len(points) // 2 :])
        if late.low_per_s <= 0:
            # Half as many segments see less: no growth seen there does not mean that there is none.
            flatter = late.high_per_s < whole.slope_per_s
            return ("levels off", late) if flatter else ("unclear", whole)
    return "grows", whole


def _trend(points: Sequence[Point]) -> Trend:
    times = np.array([point.at_s - points[0].at_s for point in points], dtype=np.float64)
    return trend_of(np.array([point.value for point in points], dtype=np.float64), times)


def _reach(subject: Subject, trend: Trend, *, top: float, course: Course) -> Reach | None:
    """By its highest readings: a limit is met by a peak, not by a median."""
    if subject.limit is None:
        return None
    left = max(0.0, subject.limit - top)

    def hours(slope_per_s: float) -> float | None:
        return left / slope_per_s / HOUR_S if slope_per_s > 0 else None

    return Reach(
        limit=subject.limit,
        hours=hours(trend.slope_per_s) if course == "grows" else None,
        earliest=hours(trend.high_per_s),
        latest=hours(trend.low_per_s),
    )
