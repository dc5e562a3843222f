"""What a soak and its faults cannot be together with; see `harness.campaign.rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.campaign.draft import Path
from harness.campaign.plan import Search
from harness.campaign.shorthand import items


def soak_contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """(place, sentence) of each; parts of a wrong kind are left to the models."""
    search = data.get("search")
    options = search if isinstance(search, dict) else {}
    soaks = options.get("strategy") == "soak"
    if soaks and len(items(options.get("concurrencies"))) != 1:
        yield ("search", "concurrencies"), "must be one number for a soak: how many runs it holds"
    faults = items(data.get("faults"))
    if faults and not soaks:
        yield ("faults",), "belong to strategy soak: leave them out"
        return
    if faults and data.get("target") in ("process", "external"):
        yield ("faults",), "need the compose target, whose parts can be broken"
    yield from _segments(faults, options.get("max_steps", Search().max_steps))


def _segments(faults: list[Any], last: object) -> Iterator[tuple[Path, str]]:
    """Each fault has a segment of its own, so that what came of it can be told."""
    taken: set[int] = set()
    for index, fault in enumerate(faults):
        segment = fault.get("segment") if isinstance(fault, dict) else None
        if not isinstance(segment, int):
            continue
        if isinstance(last, int) and segment > last:
            yield ("faults", index, "segment"), f"the soak has {last} segments only"
        if segment in taken:
            yield ("faults", index, "segment"), f"segment {segment} has a fault already"
        taken.add(segment)
