"""Both sides' figures of one kind of cell, metric by metric, and how equal cells scatter."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.comparison.effect import Contrast, contrast_of
from harness.analysis.comparison.groups import Pair, Row
from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.noise import (
    Reading,
    Scatter,
    comparable,
    scatter_of,
    together,
    with_others,
)
from harness.analysis.comparison.types import CellValue, Metric, SideFigures
from harness.analysis.comparison.values import Known, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Which cells are compared: a kind on both sides. `in_rounds`: measured in one campaign."""

    pair: Pair
    baseline: str
    contender: str
    in_rounds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One metric of one kind. `scatter`: what the kind's own cells say of the noise, if they do."""

    metric: Metric
    at: int | None
    baseline: SideFigures
    contender: SideFigures
    contrast: Contrast | None
    scatter: Scatter | None

    @property
    def key(self) -> str:
        """As `MetricComparison.key`."""
        return self.metric.key if self.at is None else f"{self.metric.key}@{self.at}"


def figures_of(sides: Sides) -> tuple[Figures, ...]:
    """Every metric that one side has at least, in the order of `METRICS`, loads ascending.

    A metric of a step is compared at the loads that half of the cells of either side went to, or
    more, and where differences are taken within rounds at least two rounds (of several) on both
    sides: what single cells tried beside that is where their search led them.
    """
    before = sides.pair.baseline.of(sides.baseline)
    now = sides.pair.contender.of(sides.contender)
    loads = sorted(_loads(before) & _loads(now))
    if sides.in_rounds:
        loads = [load for load in loads if _in_common(before, now, load)]
    places: list[tuple[Metric, int | None]] = []
    for metric in METRICS:
        at: Sequence[int | None] = loads if metric.at_load else [None]
        places += [(metric, load) for load in at]
    found = (_figures(sides, metric, at, before=before, now=now) for metric, at in places)
    return tuple(each for each in found if each.baseline.n or each.contender.n)


def noises(everything: Sequence[Figures]) -> Iterator[Scatter | None]:
    """How equal cells scatter, for each of all figures of a comparison in their order.

    Args:
        everything: of all kinds: the same metric elsewhere has a say.
    """
    for each in everything:
        if each.scatter is None:
            yield None
            continue
        others = (
            other.scatter
            for other in everything
            if other.metric is each.metric and other is not each and other.scatter
            and (other.at == each.at or comparable(each.scatter, other.scatter))
        )  # fmt: skip
        yield with_others(each.scatter, together(others))


def _in_common(before: Sequence[Row], now: Sequence[Row], load: int) -> bool:
    """Whether enough rounds went to this load on both sides."""
    tried = [{row.round for row in rows if load in _tried(row)} for rows in (before, now)]
    fewest = min(len({row.round for row in rows}) for rows in (before, now))
    return len(tried[0] & tried[1]) >= max(min(2, fewest), fewest / 2)


def _tried(row: Row) -> set[int]:
    return {at for _, at in row.values if at is not None}


def _loads(rows: Sequence[Row]) -> set[int]:
    tried = [load for row in rows for load in _tried(row)]
    return {load for load in tried if 2 * tried.count(load) >= len(rows)}


def _figures(
    sides: Sides, metric: Metric, at: int | None, *, before: Sequence[Row], now: Sequence[Row]
) -> Figures:
    place = (metric.key, at)
    baseline, contender = _side(before, place), _side(now, place)
    known = bool(baseline.middle and contender.middle)
    readings = [_readings(rows, place) for rows in (before, now)] if known else [[], []]
    contrast = contrast_of(*readings, in_rounds=sides.in_rounds)
    if contrast is not None and contrast.paired:
        scatter = scatter_of(_readings(sides.pair.baseline.rows, place))
        common = {each.round for each in readings[0]} & {each.round for each in readings[1]}
        baseline, contender = _side(before, place, common), _side(now, place, common)
    else:
        names = ("baseline", "contender")
        apart = [
            replace(each, version=name)
            for name, side in zip(names, readings, strict=True)
            for each in side
        ]
        scatter = scatter_of(apart, in_rounds=False)
    return Figures(
        metric=metric,
        at=at,
        baseline=baseline,
        contender=contender,
        contrast=contrast,
        scatter=scatter,
    )


def _side(rows: Sequence[Row], place: Place, rounds: Collection[int] | None = None) -> SideFigures:
    """All values; the middle of those in `rounds`, `None` takes all."""
    values = tuple(_value(row, place) for row in rows)
    compared = [each for each in values if rounds is None or each.round in rounds]
    figures = [each.value for each in compared if each.value is not None]
    return SideFigures(values=values, middle=_middle(figures), n=len(figures))


def _value(row: Row, place: Place) -> CellValue:
    known = _known(row, place)
    return CellValue(
        cell=row.cell.id, round=row.round, order=row.order, value=known.value, why=known.why,
        beyond=known.beyond,
    )  # fmt: skip


def _known(row: Row, place: Place) -> Known:
    at = place[1]
    untried = Known(None, f"{at} {'run' if at == 1 else 'runs'} at once were not tried")
    return row.values.get(place, untried)


def _middle(figures: Sequence[float]) -> float | None:
    """The geometric mean: 0 where all are 0, and none where only some are, or one is below."""
    if not figures or min(figures) < 0 or (min(figures) == 0 and max(figures) > 0):
        return None
    return 0.0 if max(figures) == 0 else math.exp(float(np.mean(np.log(figures))))


def _readings(rows: Sequence[Row], place: Place) -> list[Reading]:
    found = ((row, _known(row, place)) for row in rows)
    return [
        Reading(version=row.version, round=row.round, log=math.log(known.value), grain=known.grain)
        for row, known in found
        if known.value is not None and known.value > 0
    ]
