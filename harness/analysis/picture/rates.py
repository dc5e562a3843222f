"""From counters that only grow to what they grow by."""

from __future__ import annotations

import numpy as np

from harness.analysis.measures.windows import FloatArray
from harness.analysis.picture.thinning import Curve, curve_of

OVER_S = 1.0
"""Over how much time a rate is a mean: with looks at 5 Hz and quota periods of 0.1 s a shorter
one shows the beat of the two."""


def growth_of(values: FloatArray) -> FloatArray:
    """How far a counter has gone since its first reading, one value a reading.

    A fall is a restart of what is counted: it began again at zero.
    """
    steps = np.diff(values)
    grown = np.where(steps < 0, values[1:], steps)
    return np.concatenate((np.zeros(min(1, len(values))), np.cumsum(grown)))


def rate_of(times: FloatArray, counter: FloatArray, over: FloatArray | None = None) -> Curve:
    """What a counter grew by ÷ what something else grew by, a second or so at a time.

    Args:
        times: of the looks, ascending.
        counter: cumulative, as read.
        over: what to divide by, cumulative; left out, time. Where it did not grow the rate is 0.

    Returns:
        A rate stands in the middle of the time it is of. Across a gap there is none.
    """
    known = np.isfinite(counter) & (np.isfinite(over) if over is not None else True)
    times, counter, over = times[known], counter[known], None if over is None else over[known]
    looks = curve_of(times, counter)
    picks = np.flatnonzero(np.diff(np.floor(times / OVER_S), append=np.inf) > 0)
    above = np.diff(growth_of(counter)[picks])
    below = np.diff((times if over is None else growth_of(over))[picks])
    rates = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    across_gap = np.diff(np.cumsum(looks.after_gap)[picks]) > 0
    rates[across_gap] = np.nan
    return curve_of((times[picks][1:] + times[picks][:-1]) / 2, rates)
