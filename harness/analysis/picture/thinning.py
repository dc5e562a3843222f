"""Fewer readings that draw the same picture: the lowest and highest of every bucket stay.

A mean would hide the peak that killed the server; picking every tenth reading would lose it nine
times in ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.measures.windows import FloatArray

IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

GAP_PERIODS = 5.0
"""A device that missed so many looks in a row was not looking. Fewer is a look that came late."""

LEAST_GAP_S = 2.0
EDGE_SHARE = 8
"""At most one in so many readings is spent on where the widest gaps begin and end."""

NO_TIMES: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Readings in order of time. `after_gap[i]`: nothing was read for a while before reading `i`.

    The three are of one length; values are finite.
    """

    times: FloatArray
    values: FloatArray
    after_gap: BoolArray

    def __len__(self) -> int:
        return len(self.times)

    def at(self, kept: IntArray) -> Curve:
        """The readings at these ascending indexes; no gap between two of them is forgotten."""
        gaps = np.cumsum(self.after_gap)[kept]
        after_gap = np.diff(gaps, prepend=gaps[:1]) > 0
        return Curve(self.times[kept], self.values[kept], after_gap)


def curve_of(times: FloatArray, values: FloatArray, *, lost_s: FloatArray = NO_TIMES) -> Curve:
    """A curve with its gaps found.

    Args:
        times: ascending.
        values: as long; a reading that is not finite counts as none.
        lost_s: moments at which a look was answered by nothing: a gap, however short.
    """
    finite = np.isfinite(values)
    lost_s = np.sort(np.concatenate((lost_s, times[~finite])))
    times, values = times[finite], values[finite]
    after_gap = np.zeros(len(times), dtype=np.bool_)
    if len(times) > 1:
        spaces = np.diff(times)
        after_gap[1:] = spaces > max(LEAST_GAP_S, GAP_PERIODS * float(np.median(spaces)))
        before = np.searchsorted(lost_s, times)
        after_gap[1:] |= np.diff(before) > 0
    return Curve(times, values, after_gap)


def kept(curve: Curve, most: int, *, stretches_s: FloatArray = NO_TIMES) -> IntArray:
    """Indexes of the readings to keep, ascending.

    Args:
        curve: any.
        most: so many readings at most (not below 8), and beyond it one a stretch.
        stretches_s: ascending starts of stretches of time, as steps are; the highest reading of
            each stays as well, and of what lies before the first.

    Returns:
        With the first and the last reading, and the lowest and highest of every bucket of
        (about) equally many readings. Of several equal readings in a row only the ends count.
    """
    size = len(curve)
    if size <= most:
        return np.arange(size)
    must = [np.array([0, size - 1]), _highest(curve, stretches_s)]
    turning = np.flatnonzero(~_level(curve))
    if len(turning) > most:
        edges = _edges(curve, most // EDGE_SHARE)
        must.append(edges)
        turning = turning[_extremes(curve.values[turning], (most - 2 - len(edges)) // 2)]
    return np.unique(np.concatenate((turning, *must)))


def _level(curve: Curve) -> BoolArray:
    """Readings with equal neighbours on both sides: a line through those passes here."""
    level = np.zeros(len(curve), dtype=np.bool_)
    same = np.diff(curve.values) == 0
    level[1:-1] = same[:-1] & same[1:] & ~curve.after_gap[1:-1] & ~curve.after_gap[2:]
    return level


def _edges(curve: Curve, most: int) -> IntArray:
    """Both sides of the widest gaps, at most so many readings."""
    after = np.flatnonzero(curve.after_gap)
    widths = curve.times[after] - curve.times[after - 1]
    widest = after[np.argsort(-widths, kind="stable")[: most // 2]]
    return np.unique(np.concatenate((widest - 1, widest)))


def _extremes(values: FloatArray, buckets: int) -> IntArray:
    """Where the lowest and the highest of each bucket stand; fewer where they are one."""
    each = -(-len(values) // max(1, buckets))
    missing = -len(values) % each
    # The last value again: it changes neither the lowest nor the highest of the last bucket.
    table = np.concatenate((values, np.repeat(values[-1:], missing))).reshape(-1, each)
    starts = np.arange(len(table)) * each
    found = np.unique(np.concatenate((starts + table.argmin(1), starts + table.argmax(1))))
    ends: IntArray = np.minimum(found, len(values) - 1)
    return ends


def _highest(curve: Curve, stretches_s: FloatArray) -> IntArray:
    """The highest reading of each stretch, of what lies before the first, and of all."""
    bounds = np.unique(np.concatenate(([0], np.searchsorted(curve.times, stretches_s))))
    starts = bounds[bounds < len(curve)]
    tops = np.maximum.reduceat(curve.values, starts)
    lengths = np.diff(starts, append=len(curve))
    is_top = np.flatnonzero(curve.values == np.repeat(tops, lengths))
    return is_top[np.searchsorted(is_top, starts)]
