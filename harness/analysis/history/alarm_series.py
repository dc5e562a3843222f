"""Which series say something of tonight: those that gate, and each of them over all kinds of cells.

What makes launches slower does so in every kind of cell, so their mean shows it sooner than any one
of them: kinds are measured in cells of their own, and their noise is independent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.types import Metric
from harness.analysis.history.alarm_look import Night
from harness.analysis.history.series import metric_called
from harness.analysis.history.types import Entry, Figure, Form, Role, SeriesKey
from harness.errors import CampaignError

ALL_KINDS = "all kinds"
REMEMBERED = 3
"""A series that one of so many nights before had, and tonight has not, is said to be missing."""

FURTHER_VERSION = re.compile(r", version \d+$")
"""How the kind ends of the second version beside the baseline, and of those after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """A series that may turn the night red. `nights`: those with a figure, ascending."""

    key: SeriesKey
    metric: Metric
    nights: tuple[Night, ...]

    @property
    def over_all(self) -> bool:
        """Whether it is the mean over all kinds."""
        return self.key.kind.startswith(ALL_KINDS)


def gated_series(
    before: Sequence[Entry], tonight: Entry, gates: Collection[str]
) -> tuple[Gated, ...]:
    """Tonight's in the order of its figures, then those that only the last nights had, then those
    over all kinds, where there are several.

    Args:
        before: nights with figures, ascending.
        tonight: may have none.
        gates: metrics that gate besides those that do by default, with a load or without.
    """
    form: Form = "ratio" if tonight.baseline else "value"
    entries = [*(e for e in before if bool(e.baseline) == bool(tonight.baseline)), tonight]
    tables = [_table(entry, form) for entry in entries]
    wanted = dict.fromkeys(
        place
        for table in (tables[-1], *reversed(tables[-1 - REMEMBERED : -1]))
        for place in table
        if _gates(place[1], gates)
    )
    names = [*wanted, *_over_all(tables, wanted)]
    return tuple(
        Gated(
            key=SeriesKey(campaign=tonight.campaign, kind=kind, key=key, role="subject", form=form),
            metric=metric_called(key),
            nights=tuple(
                Night(entry=entry, figure=table[kind, key])
                for entry, table in zip(entries, tables, strict=True)
                if (kind, key) in table
            ),
        )
        for kind, key in names
    )


def figure_in(entry: Entry, key: SeriesKey) -> Figure | None:
    """The figure of one night in a series, also in one over all kinds; `None` where it has none."""
    table = _table(entry, key.form, key.role)
    _over_all([table], [place for place in table if place[1] == key.key])
    return table.get((key.kind, key.key))


_Place = tuple[str, str]
"""Kind and key."""


def _table(entry: Entry, form: Form, role: Role = "subject") -> dict[_Place, Figure]:
    return {
        (figure.kind, figure.key): figure
        for figure in entry.figures
        if figure.form == form and figure.role == role
        and math.isfinite(figure.value) and figure.value > 0
    }  # fmt: skip


def gating(gates: Collection[str]) -> tuple[str, ...]:
    """Keys of the metrics that gate by default, then those named besides."""
    return tuple(dict.fromkeys([*(metric.key for metric in METRICS if metric.gates), *gates]))


def _gates(key: str, gates: Collection[str]) -> bool:
    try:
        metric = metric_called(key)
    except CampaignError:
        return False  # another version of the harness knew it
    return metric.gates or key in gates or metric.key in gates


def _over_all(tables: Sequence[dict[_Place, Figure]], wanted: Iterable[_Place]) -> list[_Place]:
    """Adds the means to the tables; where they are found. A night without one of the kinds has
    none: a mean over other kinds would be another figure.
    """
    kinds: dict[_Place, list[str]] = {}
    for kind, key in wanted:
        further = FURTHER_VERSION.search(kind)
        kinds.setdefault((ALL_KINDS + (further[0] if further else ""), key), []).append(kind)
    several = {place: each for place, each in kinds.items() if len(each) > 1}
    for table in tables:
        for (name, key), members in several.items():
            if all((kind, key) in table for kind in members):
                table[name, key] = _mean(name, [table[kind, key] for kind in members])
    return [place for place in several if place in tables[-1]]


def _mean(kind: str, figures: Sequence[Figure]) -> Figure:
    """Several kinds as one. Its `sd` is such that sd² ÷ rounds is the mean's variance; degrees of
    freedom are Satterthwaite's (1946, Biometrics Bulletin 2).
    """
    rounds = min(figure.rounds for figure in figures)
    log = sum(math.log(figure.value) for figure in figures) / len(figures)
    parts = [
        (figure.sd**2 / figure.rounds, figure.free)
        for figure in figures
        if figure.sd is not None and figure.free > 0
    ]
    total = sum(variance for variance, _ in parts)
    sd, free = None, 0
    if len(parts) == len(figures) and total > 0:
        sd = math.sqrt(total * rounds) / len(figures)
        free = max(1, round(total**2 / sum(each**2 / own for each, own in parts)))
    return Figure(
        kind=kind, key=figures[0].key, role=figures[0].role, form=figures[0].form,
        value=math.exp(log), rounds=rounds, sd=sd, free=free,
    )  # fmt: skip
