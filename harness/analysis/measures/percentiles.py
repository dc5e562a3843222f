"""Percentiles by nearest rank: always a value that was really seen, never one in between.

A high percentile of a few values says little. `Quantile.enough` tells whether the sample is
large enough for the percentile to differ from the maximum; where it is not, the value *is* the
maximum, an estimate from above, and reports mark it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A percentile, how many values it rests on, and whether they are enough.

    `value` may be +inf: the percentile falls on something that never happened (a run that
    never started).
    """

    value: float
    n: int
    enough: bool

    @property
    def finite(self) -> float | None:
        """The value, or `None` where it is infinite."""
        return self.value if math.isfinite(self.value) else None


def values_needed(percent: int) -> int:
    """The smallest sample whose percentile is more than its maximum: 20 for p95, 100 for p99.

    The median is useful from one value on.
    """
    return 1 if percent <= 50 else math.ceil(100 / (100 - percent))


def percentile(values: Iterable[float], percent: int) -> Quantile | None:
    """The nearest-rank percentile: the value at rank ⌈percent · n / 100⌉, counted from one.

    Args:
        values: any order; +inf is allowed, NaN is not.
        percent: 1 to 99, whole, so that the rank is exact.

    Returns:
        `None` for an empty sample.

    Raises:
        ValueError: a NaN among the values, or a percent out of range.
    """
    if not 1 <= percent <= 99:
        raise ValueError(f"percent must be 1 to 99, not {percent}")
    ordered = sorted(values)
    if any(math.isnan(value) for value in ordered):
        raise ValueError("a percentile of NaN means nothing")
    n = len(ordered)
    if n == 0:
        return None
    rank = -(-percent * n // 100)
    return Quantile(value=ordered[rank - 1], n=n, enough=n >= values_needed(percent))


def median(values: Iterable[float]) -> float | None:
    """The finite nearest-rank median, or `None` (empty, or it falls on +inf)."""
    found = percentile(values, 50)
    return found.finite if found else None
