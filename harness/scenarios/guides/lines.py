"""A straight line through a few points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Least squares through `n` points. `r2`: 1 is a straight line; `None` for fewer than three,
    or where nothing varies.
    """

    slope: float
    at_zero: float
    r2: float | None
    n: int


def line(points: Sequence[tuple[float, float]]) -> Line | None:
    """The line of `y` on `x`; `None` where there are not two different `x`."""
    if len({x for x, _ in points}) < 2:
        return None
    xs, ys = np.array(points, dtype=float).T
    slope, at_zero = (float(each) for each in np.polyfit(xs, ys, 1))
    varies = len(points) > 2 and float(np.ptp(ys)) > 0
    return Line(
        slope=slope,
        at_zero=at_zero,
        r2=float(np.corrcoef(xs, ys)[0, 1] ** 2) if varies else None,
        n=len(points),
    )
