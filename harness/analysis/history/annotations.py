"""What changed from one campaign to the next besides what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.analysis.history.types import Annotation, Entry

WHAT = {"dagster": "subject", "baseline": "baseline", "harness": "harness", "method": "method",
        "host": "host"}  # fmt: skip
"""Annotations and the attribute of an entry each is about, likeliest cause first."""


def annotations_of(entries: Sequence[Entry]) -> tuple[Annotation, ...]:
    """What changed between consecutive campaigns of one name, ascending.

    Args:
        entries: of one campaign's name, ascending. Those that could not be read tell nothing.
    """
    told = [entry for entry in entries if entry.valid]
    return tuple(
        Annotation(folder=now.folder, at_s=now.started_s, what=what, before=before, now=after)
        for earlier, now in pairwise(told)
        for what, attribute in WHAT.items()
        for before, after in [(_said(earlier, attribute), _said(now, attribute))]
        if before != after
    )


def around(
    times_s: Sequence[float], at: int, annotations: Sequence[Annotation]
) -> tuple[Annotation, ...]:
    """What changed with a point of a series or a point beside it; with the point itself first.

    Args:
        times_s: of the series' points, ascending. Campaigns may lie between them; what changed
            in one of those came with the next point.
        at: the point's place. Noise may move a change by one.
        annotations: of its campaigns.
    """
    order: dict[Annotation, int] = {}
    for near, place in ((0, at), (1, at - 1), (1, at + 1)):
        if 0 <= place < len(times_s):
            since_s = times_s[place - 1] if place else float("-inf")
            order |= {each: near for each in annotations if since_s < each.at_s <= times_s[place]}
    return tuple(sorted(order, key=lambda each: (order[each], each.at_s)))


def _said(entry: Entry, attribute: str) -> str:
    return str(getattr(entry, attribute)) or "none"
