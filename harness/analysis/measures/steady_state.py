"""Where the steady state of a step begins, and whether it ever came.

Two questions, asked in this order. *Where does the warm-up end?* MSER-5 (White 1997; Franklin &
White 2008) names the point from which the mean is known best; it is followed only where what it
would cut really differs from what remains, because on noise alone it cuts too. *Does what remains
stand still?* A rise that its interval does not explain, and that matters, says no.

The planned hold is the outer limit: the window never begins before it, and keeps half of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.analysis.measures.trend import Trend, inflation_of, trend_of
from harness.analysis.measures.watched import BATCH, MIN_VALUES, Series, series_of
from harness.analysis.measures.windows import FloatArray, Samples, hold_of
from harness.facts.model import Phase, Run, Step

Warmup = Literal["auto"] | float | None
"""What to cut from the start of a hold: what is found, so many seconds, or nothing."""

Method = Literal["mser5_response", "mser5_in_flight", "planned", "fixed", "transient"]
"""How a window came to be: found in response times, found in runs in flight, taken as planned
(too little to look at, or nothing to be cut), cut as asked, or a burst."""

CUT_Z = 3.5
CUT_RATIO = 0.10
"""MSER looks at every point, so one may differ by chance: what is cut must differ from the rest by
three and a half standard errors, and by a tenth, less than which changes no verdict."""

CONFIDENCE = 0.99
RISE_RATIO = 0.25
"""A window rises when its 99 % interval lies above 0 and it grew by a quarter of its mean. At 95 %
one steady step in forty would be doubted."""

MIN_TREND_VALUES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """The judged window of a step, and why it is this one.

    `start_s` and `end_s` are epoch seconds; `planned_s` is the length of the planned hold, `cut_s`
    what was taken from its start. `settled` is false when the window still rose at its end. `n`
    values (runs, or bins of one second) were looked at. `reason` is a sentence for people.
    """

    start_s: float
    end_s: float
    planned_s: float
    cut_s: float
    settled: bool
    method: Method
    n: int
    reason: str

    @property
    def window(self) -> Phase:
        """The judged part of the hold."""
        return Phase(name="hold", start_s=self.start_s, end_s=self.end_s)


def steady_of(
    step: Step, *, runs: Sequence[Run], samples: Samples, warmup: Warmup = "auto"
) -> Steady | None:
    """The judged window of a step; `None` when it never held its load.

    Args:
        step: any kind.
        runs: of the cell; others' runs are ignored.
        samples: of the cell.
        warmup: "auto" looks for the end of the warm-up; a number of seconds is cut as it is,
            `None` cuts nothing, and neither is doubted.
    """
    hold = hold_of(step)
    if hold is None:
        return None
    if step.load_model == "burst":
        reason = "a burst is a transient by design: the whole hold is judged"
        return _window(hold, method="transient", reason=reason)
    if warmup != "auto":
        return _fixed(hold, warmup)
    series = series_of(step, hold, runs=runs, samples=samples)
    if len(series.values) < MIN_VALUES:
        reason = f"too few {series.unit} ({len(series.values)}): the planned hold is taken"
        return _window(hold, n=len(series.values), reason=reason)
    return _settled(_cut(series, hold), series)


def mser5(values: FloatArray) -> int:
    """How many values to cut from the start, by MSER-5: a multiple of five.

    Of the means of batches of five, the point d is taken from which the marginal standard error
    Σ (x − mean of the rest)² ÷ (n − d)² is smallest. Only the first half is searched: a point in
    the second is to be rejected (Franklin & White 2008), for there a few values lie close together
    by chance. What is smallest at the very end of the half may go on: it is the least to cut.
    """
    batches = len(values) // BATCH
    means = values[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    left = np.arange(batches, 0, -1)
    around = means - means.mean()
    sums, squares = (np.cumsum(part[::-1])[::-1] for part in (around, around**2))
    errors = (np.maximum(0.0, squares - sums**2 / left) / left**2)[: batches // 2 + 1]
    # The first of equals: a series that stands still is not to be cut for a rounding error.
    return int(np.argmax(errors <= errors.min() + 1e-12 * errors.max())) * BATCH


def _window(
    hold: Phase,
    *,
    cut_s: float = 0.0,
    settled: bool = True,
    method: Method = "planned",
    n: int = 0,
    reason: str,
) -> Steady:
    return Steady(
        start_s=hold.start_s + cut_s,
        end_s=hold.end_s,
        planned_s=hold.end_s - hold.start_s,
        cut_s=cut_s,
        settled=settled,
        method=method,
        n=n,
        reason=reason,
    )


def _fixed(hold: Phase, cut_s: float | None) -> Steady:
    length_s = hold.end_s - hold.start_s
    if not cut_s:
        return _window(hold, method="fixed", reason="nothing is cut, as asked")
    if cut_s >= length_s:
        reason = f"the hold of {length_s:.1f} s has nothing left after the {cut_s:g} s to cut"
        return _window(hold, settled=False, method="fixed", reason=reason)
    return _window(hold, cut_s=cut_s, method="fixed", reason=f"cut {cut_s:g} s, as asked")


def _cut(series: Series, hold: Phase) -> Steady:
    """The window after the warm-up."""
    n, seen = len(series.values), f"MSER-5 over {series.size} of {series.what}"
    most_s = (hold.end_s - hold.start_s) / 2
    first = mser5(series.values)
    cut_s = min(max(0.0, float(series.times[first]) - hold.start_s), most_s)
    held = series.since(hold.start_s)
    warm = held.times < hold.start_s + cut_s
    before, after = held.values[warm], held.values[~warm]
    if cut_s == 0:
        cut_s, reason = 0.0, f"no warm-up found: {seen} keeps all"
    elif not _differ(before, after):
        cut_s, reason = 0.0, f"no warm-up found: {seen} would cut {cut_s:.1f} s of what is noise"
    else:
        last = first == n // BATCH // 2 * BATCH or cut_s == most_s
        limit = ", the most there may be" if last else ""
        reason = f"cut {cut_s:.1f} s{limit}: {seen}, {_change(before, after)} the rest there"
    return _window(hold, cut_s=cut_s, method=series.method, n=n, reason=reason)


def _change(before: FloatArray, after: FloatArray) -> str:
    change = before.mean() / after.mean() - 1 if after.mean() > 0 else math.inf
    return f"{abs(change):.0%} {'above' if change > 0 else 'below'}"


def _differ(before: FloatArray, after: FloatArray) -> bool:
    """Means apart by more than noise explains, and by enough to matter."""
    if not len(before) or len(after) < 2:
        return False
    apart = abs(float(before.mean() - after.mean()))
    variance = float(after.var(ddof=1)) * inflation_of(after)
    error = math.sqrt(variance * (1 / len(before) + 1 / len(after)))
    return apart > CUT_Z * error and apart > CUT_RATIO * abs(float(after.mean()))


def _settled(steady: Steady, series: Series) -> Steady:
    """The same window, and whether it stands still."""
    kept = series.since(steady.start_s).condensed()
    if len(kept.values) < MIN_TREND_VALUES or kept.times[0] == kept.times[-1]:
        return steady
    length_s, mean = steady.end_s - steady.start_s, float(kept.values.mean())
    trend = trend_of(kept.values, kept.times - steady.start_s, confidence=CONFIDENCE)
    if trend.low_per_s <= 0 or trend.slope_per_s * length_s <= RISE_RATIO * mean:
        return steady
    told = f"never settled: {series.what} rose by {_told(trend, length_s / mean)}"
    return replace(steady, settled=False, reason=f"{told}; {steady.reason}")


def _told(trend: Trend, scale_s: float) -> str:
    low, high = trend.low_per_s * scale_s, trend.high_per_s * scale_s
    return (
        f"{trend.slope_per_s * scale_s:.0%} of their mean "
        f"({CONFIDENCE:.0%} interval {low:.0%} to {high:.0%})"
    )
