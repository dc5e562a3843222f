"""What people may write short, written out: afterwards the data has the shape of the models.

Parts of a wrong kind are left as they are: the models refuse them in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from harness.campaign.draft import Draft, Path
from harness.campaign.profiles import parse_profile
from harness.errors import CampaignError

LISTS = ("profiles", "workloads", "dagster", "max_workers", "replicas", "max_concurrent_runs")
"""Where one value may stand for a list of one."""

MAIN_KEYS: Mapping[str, str] = MappingProxyType({"load": "model", "search": "strategy"})
"""Mappings that may be given by one word, and the key it is for: `load: poisson`."""

HIGHEST = 500  # the models' own bound: a range must not fill the memory before they look
_RANGE = re.compile(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*")


def write_out_names(draft: Draft) -> None:
    """What an override may reach into: lists of one, bare names, `search: ladder`. Repeatable."""
    data: dict[str, Any] = draft.data
    for key in LISTS:
        nothing = key == "max_concurrent_runs" and key in data and data[key] is None
        if nothing or isinstance(data.get(key), str | int | float):
            data[key] = [data[key]]
            draft.written[key, 0] = (key,)
    for key, main in MAIN_KEYS.items():
        _wrap(draft, data, key, path=(key,), main=main)
    for path, workload in _workloads(draft):
        if isinstance(workload, str):
            _wrap(draft, data["workloads"], path[-1], path=path, main="name")
        elif isinstance(workload, dict) and isinstance(workload.get("sensors"), int):
            _wrap(draft, workload, "sensors", path=(*path, "sensors"), main="count")


def write_out(draft: Draft) -> None:
    """Everything, once, after the overrides; a profile or range that cannot be is noted."""
    write_out_names(draft)
    for index, entry in enumerate(items(draft.data.get("profiles"))):
        if isinstance(entry, str):
            draft.data["profiles"][index] = _profile(draft, ("profiles", index), entry)
    owners = [(("search",), draft.data.get("search")), *_workloads(draft)]
    for path, owner in owners:
        if isinstance(owner, dict) and isinstance(owner.get("concurrencies"), str):
            _write_out_range(draft, owner, (*path, "concurrencies"))
    for path, workload in _workloads(draft):
        if isinstance(workload, dict):
            _write_out_mix(draft, workload, (*path, "mix"))


def items(value: object) -> list[Any]:
    """A list's items; none of anything else, which the models refuse."""
    return value if isinstance(value, list) else []


def _workloads(draft: Draft) -> Iterator[tuple[Path, Any]]:
    for index, workload in enumerate(items(draft.data.get("workloads"))):
        yield ("workloads", index), workload


def _wrap(draft: Draft, place: Any, key: str | int, *, path: Path, main: str) -> None:
    """`search: ladder` → `search: {strategy: ladder}`; only texts and numbers."""
    value = place.get(key) if isinstance(place, dict) else place[key]
    if isinstance(value, str | int) and not isinstance(value, bool):
        place[key] = {main: value}
        draft.written[*path, main] = draft.written.get(path, path)


def _profile(draft: Draft, path: Path, name: str) -> dict[str, Any]:
    try:
        return parse_profile(name).model_dump()
    except CampaignError as error:
        draft.add(path, " ".join(str(error).splitlines()))
        # Any sizes will do for the other checks: the campaign is refused already.
        return {"name": f"refused-{path[-1]}", "vcpu": 1, "memory_mib": 2048}


def _write_out_range(draft: Draft, owner: dict[str, Any], path: Path) -> None:
    """`1-24` → every number from 1 to 24; other text stays, for the models to refuse."""
    if found := _RANGE.fullmatch(owner["concurrencies"]):
        low, high = int(found[1]), int(found[2])
        if not 1 <= low <= high <= HIGHEST:
            draft.add(path, f"{low}-{high} is no range: it must rise, from 1 to {HIGHEST} at most")
            low = high = 1
        owner["concurrencies"] = list(range(low, high + 1))


def _write_out_mix(draft: Draft, workload: dict[str, Any], path: Path) -> None:
    """`{io: 0.7}` and `{io: {share: 0.7, params: …}}` → a list of parts; a bare name: share 1."""
    mix = workload.get("mix")
    if isinstance(mix, dict):
        parts = []
        for index, (name, value) in enumerate(mix.items()):
            own = (*path, name)
            draft.written |= {(*path, index): own, (*path, index, "workload"): own}
            if isinstance(value, dict):
                parts.append({"workload": name, **value})
            else:
                draft.written[*path, index, "share"] = own
                parts.append({"workload": name, "share": value})
        workload["mix"] = parts
    for index, part in enumerate(items(mix)):
        if isinstance(part, str):
            draft.written[*path, index, "workload"] = (*path, index)
            workload["mix"][index] = {"workload": part, "share": 1}
