"""What a soak and its faults cannot be together with; see `harness.campaign.rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.campaign.draft import Path
from harness.campaign.plan import Search
from harness.campaign.shorthand import LISTS, items

ONE = "must be a list of one number for a soak: how many runs it holds"

ONE_CELL = "must be one for a soak, which judges one cell: another one is another campaign"


def soak_contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """(place, sentence) of each; parts of a wrong kind are left to the models."""
    search = data.get("search")
    options = search if isinstance(search, dict) else {}
    soaks = options.get("strategy") == "soak"
    if soaks:
        yield from _cells(data)
        yield from _load(data, options)
    faults = items(data.get("faults"))
    if faults and not soaks:
        yield ("faults",), "belong to strategy soak: leave them out"
        return
    if faults and data.get("target") in ("process", "external"):
        yield ("faults",), "need the compose target, whose parts can be broken"
    yield from _segments(faults, options.get("max_steps", Search().max_steps))


def _cells(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """One server at a time: what grows is told of one."""
    for key in LISTS:
        if len(items(data.get(key))) > 1:
            yield (key,), ONE_CELL
    repetitions = data.get("repetitions")
    if isinstance(repetitions, int) and repetitions > 1:
        yield ("repetitions",), ONE_CELL


def _load(data: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """One load, and known before anything is measured."""
    held = options.get("concurrencies")
    if held is None or (isinstance(held, list) and len(held) != 1):
        yield ("search", "concurrencies"), ONE
    for index, workload in enumerate(items(data.get("workloads"))):
        own = workload.get("concurrencies") if isinstance(workload, dict) else None
        if isinstance(own, list) and len(own) != 1:
            yield ("workloads", index, "concurrencies"), ONE
    load = data.get("load")
    if (
        isinstance(load, dict)
        and load.get("model") in ("uniform", "poisson")
        and load.get("run_s") is None
    ):
        said = "is needed by a soak of open arrivals, for it measures no run alone"
        yield ("load", "run_s"), said


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
