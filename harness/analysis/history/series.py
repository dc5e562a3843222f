"""Entries as series, and what their points say: levels and where they change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.analysis.comparison.metrics import METRICS, parse_key
from harness.analysis.comparison.types import Metric, Verdict
from harness.analysis.history.annotations import annotations_of, around
from harness.analysis.history.changepoints import (
    LEAST_POINTS,
    NORMAL_95,
    Found,
    Split,
    Stretch,
    find_changes,
)
from harness.analysis.history.entries import CAPACITY
from harness.analysis.history.types import (
    Annotation,
    ChangePoint,
    Entry,
    Form,
    History,
    Level,
    Point,
    Role,
    SeriesKey,
    Trend,
)
from harness.errors import CampaignError

ORDER = {metric.key: place for place, metric in enumerate((CAPACITY, *METRICS))}


def history_of(entries: Sequence[Entry]) -> History:
    """Every trend there is: campaigns by name, kinds as they first came, metrics in their order.

    Args:
        entries: ascending in time.
    """
    named: dict[str, list[Entry]] = {}
    for entry in entries:
        named.setdefault(entry.campaign, []).append(entry)
    annotations = {name: annotations_of(own) for name, own in sorted(named.items())}
    trends = tuple(
        _trend(key, points, annotations[key.campaign])
        for key, points in series_of(entries).items()
        if _known(key.key)
    )
    return History(trends=trends, annotations=annotations)


def series_of(entries: Iterable[Entry]) -> dict[SeriesKey, tuple[Point, ...]]:
    """Every series with its points, ascending as the entries are."""
    found: dict[tuple[str, str, str, Role, Form], list[Point]] = {}
    for entry in entries:
        for figure in entry.figures:
            key = (entry.campaign, figure.kind, figure.key, figure.role, figure.form)
            found.setdefault(key, []).append(
                Point(
                    folder=entry.folder, started_s=entry.started_s, subject=entry.subject,
                    baseline=entry.baseline, figure=figure,
                )
            )  # fmt: skip
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(key[1] for key in found))}
    ordered = sorted(
        found, key=lambda key: (key[0], kinds[key[1]], *_place(key[2]), key[4], key[3])
    )
    return {
        SeriesKey(campaign=key[0], kind=key[1], key=key[2], role=key[3], form=key[4]): tuple(
            found[key]
        )
        for key in ordered
    }


def metric_called(key: str) -> Metric:
    """The metric of a figure: those of a comparison, and `capacity`.

    Raises:
        CampaignError: there is no such metric.
    """
    return CAPACITY if key == CAPACITY.key else parse_key(key)[0]


def _place(key: str) -> tuple[int, int]:
    """Metrics in their order, then loads."""
    name, _, load = key.partition("@")
    return ORDER.get(name, len(ORDER)), int(load) if load.isdigit() else 0


def _known(key: str) -> bool:
    """An index may hold what another version of the harness knew."""
    try:
        metric_called(key)
    except CampaignError:
        return False
    return True


def _trend(key: SeriesKey, points: tuple[Point, ...], annotations: Sequence[Annotation]) -> Trend:
    metric = metric_called(key.key)
    if len(points) < LEAST_POINTS:
        note = f"{len(points)} of the {LEAST_POINTS} campaigns that are needed to look for changes"
        return Trend(key=key, metric=metric, points=points, changes=(), note=note)
    found = find_changes([math.log(point.figure.value) for point in points])
    sides = zip(found.splits, found.stretches, found.stretches[1:], strict=False)
    return Trend(
        key=key,
        metric=metric,
        points=points,
        changes=tuple(
            _change(split, (before.level, after.level), metric, points, annotations)
            for split, before, after in sides
        ),
        levels=tuple(_level(stretch, found, points) for stretch in found.stretches),
    )


def _change(
    split: Split,
    logs: tuple[float, float],
    metric: Metric,
    points: Sequence[Point],
    annotations: Sequence[Annotation],
) -> ChangePoint:
    before, after = logs
    verdict: Verdict = "worse" if (after > before) == (metric.better == "lower") else "better"
    return ChangePoint(
        folder=points[split.at].folder,
        at_s=points[split.at].started_s,
        before=math.exp(before),
        after=math.exp(after),
        p=split.p,
        verdict=verdict,
        annotations=around([point.started_s for point in points], split.at, annotations),
    )


def _level(stretch: Stretch, found: Found, points: Sequence[Point]) -> Level:
    first, last = points[stretch.start], points[stretch.end - 1]
    reach = NORMAL_95 * found.sd
    return Level(
        first=first.folder, last=last.folder, start_s=first.started_s, end_s=last.started_s,
        value=math.exp(stretch.level), low=math.exp(stretch.level - reach),
        high=math.exp(stretch.level + reach), n=stretch.end - stretch.start,
        outliers=tuple(points[place].folder for place in stretch.outliers),
    )  # fmt: skip
