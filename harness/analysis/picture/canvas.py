"""What every line of a cell shares: where time begins, how fine it may be, how it is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.analysis.measures.windows import FloatArray, Samples
from harness.analysis.picture.thinning import NO_TIMES, Curve, IntArray, kept
from harness.analysis.picture.types import Line

TIME_DIGITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a line shows. `metric`: its key in docs/metrics.md; `digits`: after the point."""

    name: str
    metric: str
    unit: str
    digits: int = 0
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """`origin_s`: epoch seconds at which the time of the picture begins.

    `points`: readings a line may have. `steps_s`: epoch seconds at which steps begin, ascending;
    the highest reading of each is kept.
    """

    samples: Samples
    origin_s: float
    points: int
    steps_s: FloatArray = field(default_factory=lambda: NO_TIMES)

    def line(self, quantity: Quantity, source: str, curve: Curve) -> Line:
        """One series, thinned and rounded."""
        shown = self._shown(curve, quantity)
        return self._drawn(
            quantity, source, shown, kept(shown, self.points, stretches_s=self.steps_s)
        )

    def stack(
        self, quantities: Sequence[Quantity], source: str, curves: Sequence[Curve]
    ) -> list[Line]:
        """Several series of the same times, thinned alike, so that they can be stacked."""
        shown = [self._shown(curve, each) for each, curve in zip(quantities, curves, strict=True)]
        most = self.points // max(1, len(shown))
        both = [kept(curve, most, stretches_s=self.steps_s) for curve in shown]
        together = np.unique(np.concatenate(both)) if both else np.empty(0, dtype=np.intp)
        return [
            self._drawn(quantity, source, curve, together)
            for quantity, curve in zip(quantities, shown, strict=True)
        ]

    def seconds(self, times: FloatArray) -> list[float]:
        """Epoch seconds as the picture counts them; not a number stays so."""
        rounded: list[float] = np.round(times - self.origin_s, TIME_DIGITS).tolist()
        return rounded

    def _shown(self, curve: Curve, quantity: Quantity) -> Curve:
        # Rounded first: what looks equal is equal, and need not be kept twice.
        values = np.round(curve.values * quantity.scale, quantity.digits) + 0.0
        return Curve(curve.times, values, curve.after_gap)

    def _drawn(self, quantity: Quantity, source: str, curve: Curve, indexes: IntArray) -> Line:
        thinned = curve.at(indexes)
        gaps = np.flatnonzero(thinned.after_gap)
        middles = (thinned.times[gaps] + thinned.times[gaps - 1]) / 2
        times = np.insert(thinned.times, gaps, middles)
        values: list[float | None] = [*np.insert(thinned.values, gaps, np.nan).tolist()]
        places = gaps + np.arange(len(gaps))
        for place in places.tolist():
            values[place] = None
        return Line(
            name=quantity.name,
            source=source,
            unit=quantity.unit,
            metric=quantity.metric,
            times_s=tuple(self.seconds(times)),
            values=tuple(values),
            peak=float(curve.values.max()) if len(curve) else None,
        )
