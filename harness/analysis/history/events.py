"""Change points that came together: a new release moves many figures in one night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.history.types import Annotation, ChangePoint, History, Trend

CLOSE = 2
"""Nights a range may hold and still be sure enough to widen an event."""
SLACK = 1
"""Nights that noise may move a change by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One series that changed, and how."""

    trend: Trend
    change: ChangePoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What changed in one campaign's name from about `at_s` on.

    `folder`, `at_s`: of the campaign from which most of its figures lie at another level.
    `moved`: worse before better, gating metrics before others, the largest change first.
    """

    campaign: str
    folder: str
    at_s: float
    annotations: tuple[Annotation, ...]
    moved: tuple[Moved, ...]

    @property
    def worse(self) -> int:
        """How many figures became worse."""
        return sum(each.change.verdict == "worse" for each in self.moved)


def events_of(history: History) -> tuple[Event, ...]:
    """Every event there is, the newest first.

    A change lies somewhere after the last point of the old level, up to the first of the new one:
    change points of one campaign's name whose ranges touch belong together. A series with few
    points has wide ranges; it joins an event, and never two events to one.
    """
    found: list[Event] = []
    for campaign in dict.fromkeys(trend.key.campaign for trend in history.trends):
        trends = [trend for trend in history.trends if trend.key.campaign == campaign]
        found.extend(_events(campaign, trends))
    return tuple(sorted(found, key=lambda event: (-event.at_s, event.campaign)))


@dataclass(slots=True)
class _Group:
    """Nights `low` to `high`, and what moved there."""

    low: int
    high: int
    moved: list[Moved]


def _events(campaign: str, trends: Sequence[Trend]) -> list[Event]:
    times = {point.folder: point.started_s for trend in trends for point in trend.points}
    ordered = sorted(times, key=lambda folder: (times[folder], folder))
    places = {folder: place for place, folder in enumerate(ordered)}
    groups: list[_Group] = []
    for low, high, moved in sorted(_ranges(trends, places), key=lambda each: each[1] - each[0]):
        group = next((g for g in groups if low <= g.high + SLACK and g.low - SLACK <= high), None)
        if group is None:
            groups.append(_Group(low, high, [moved]))
        else:
            group.moved.append(moved)
            if high - low <= CLOSE:
                group.low, group.high = min(group.low, low), max(group.high, high)
    return [_event(campaign, group.moved) for group in groups]


def _ranges(trends: Sequence[Trend], places: Mapping[str, int]) -> Iterator[tuple[int, int, Moved]]:
    for trend in trends:
        own = [places[point.folder] for point in trend.points]
        for change in trend.changes:
            high = places[change.folder]
            yield own[own.index(high) - 1], high, Moved(trend=trend, change=change)


def _event(campaign: str, moved: Sequence[Moved]) -> Event:
    counts = Counter((each.change.folder, each.change.at_s) for each in moved)
    (folder, at_s), _ = counts.most_common(1)[0]
    annotations = dict.fromkeys(note for each in moved for note in each.change.annotations)
    return Event(
        campaign=campaign, folder=folder, at_s=at_s, annotations=tuple(annotations),
        moved=tuple(sorted(moved, key=_weight)),
    )  # fmt: skip


def _weight(moved: Moved) -> tuple[bool, bool, float]:
    ratio = moved.change.ratio
    return (
        moved.change.verdict != "worse", not moved.trend.metric.gates, -max(ratio, 1 / ratio),
    )  # fmt: skip
