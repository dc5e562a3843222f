"""Ratios with their intervals on one logarithmic line, as positions in percent of its width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.types import MetricComparison
from harness.report.comparison.words import change, minus

REACHES = (1.06, 1.12, 1.25, 1.6, 2.4, 4.0, 8.0, 20.0, 100.0)
"""Ratios a line may end at; the ticks of each are in `TICKS`."""

TICKS: dict[float, tuple[float, ...]] = {
    1.06: (0.95, 1, 1.05), 1.12: (0.9, 1, 1.1), 1.25: (0.8, 1, 1.2), 1.6: (2 / 3, 1, 1.5),
    2.4: (0.5, 1, 2), 4.0: (1 / 3, 1, 3), 8.0: (0.2, 1, 5), 20.0: (0.1, 1, 10),
    100.0: (0.02, 1, 50),
}  # fmt: skip
MOST_CUT = 0.1
"""So many of the intervals' ends may lie beyond the line: one wide one must not press all flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A ratio that has a name on the line."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """One ratio. `at` is `None` where it is undefined; `band`: the interval, `noise`: the noise
    floor, each start and end, `None` where not known. `cut_low`, `cut_high`: the interval goes on
    beyond the line.
    """

    at: float | None
    band: tuple[float, float] | None
    noise: tuple[float, float] | None
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The axis all ratios of a table share: from `1/reach` to `reach`."""

    reach: float

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Names on the line, ascending; 1 is `same`."""
        return tuple(
            Tick(at=self._place(ratio), label="same" if ratio == 1 else minus(change(ratio)))
            for ratio in TICKS[self.reach]
        )

    def forest(self, entry: MetricComparison) -> Forest:
        """Where one ratio lies."""
        effect, floor = entry.effect, entry.noise.ratio
        band = None
        if effect.low is not None and effect.high is not None:
            band = (self._place(effect.low), self._place(effect.high))
        return Forest(
            at=None if effect.ratio is None else self._place(effect.ratio),
            band=band,
            noise=None if floor is None else (self._place(1 / (1 + floor)), self._place(1 + floor)),
            cut_low=effect.low is not None and effect.low < 1 / self.reach,
            cut_high=effect.high is not None and effect.high > self.reach,
        )

    def _place(self, ratio: float) -> float:
        if ratio <= 0:
            return 0.0
        share = math.log(ratio) / math.log(self.reach)
        return min(100.0, max(0.0, 50 + 50 * share))


def line_of(entries: Iterable[MetricComparison]) -> Line:
    """The shortest line that shows every ratio, and most intervals whole."""
    known = [entry for entry in entries if entry.effect.ratio]
    points = [_apart(entry.effect.ratio) for entry in known]
    ends = [_apart(end) for entry in known for end in (entry.effect.low, entry.effect.high)]
    wanted = max([*points, _all_but_few(ends), 1.0])
    return Line(reach=next((each for each in REACHES if each >= wanted), REACHES[-1]))


def _apart(ratio: float | None) -> float:
    """How far from 1, in either direction, as a ratio from 1 on."""
    if ratio is None:
        return 1.0
    return REACHES[-1] if ratio <= 0 else max(ratio, 1 / ratio)


def _all_but_few(ends: Sequence[float]) -> float:
    ordered = sorted(ends)
    return ordered[math.ceil(len(ordered) * (1 - MOST_CUT)) - 1] if ordered else 1.0
