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
    folders: Sequence[str], at: int, annotations: Sequence[Annotation]
) -> tuple[Annotation, ...]:
    """What changed at a point of a series or beside it; at the point itself first.

    Args:
        folders: of the series' points, ascending.
        at: the point's place. Noise may move a change by one.
        annotations: of its campaigns.
    """
    order = {folders[at]: 0}
    order |= {folders[near]: 1 for near in (at - 1, at + 1) if 0 <= near < len(folders)}
    found = [each for each in annotations if each.folder in order]
    return tuple(sorted(found, key=lambda each: order[each.folder]))


def _said(entry: Entry, attribute: str) -> str:
    return str(getattr(entry, attribute)) or "none"
