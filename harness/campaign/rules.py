"""What no single field can know: parts of a campaign that contradict each other.

The rules look at written-out data before the models do, so that their problems are told together
with the models' own. They look only at parts of the right kind; the rest is for the models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from harness.campaign.draft import Path
from harness.campaign.packages import package_of, unknown_package
from harness.campaign.plan import (
    LATEST,
    OLDEST,
    RELEASE,
    Campaign,
    Load,
    Part,
    Search,
    Sensors,
    StepTimes,
    Workload,
)
from harness.campaign.shorthand import LISTS, items
from harness.campaign.soak_rules import soak_contradictions

Problems = Iterator[tuple[Path, str]]

SEARCH_OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "highest": ("adaptive", "bisect"),
        "confidence": ("adaptive",),
        "max_steps": ("adaptive", "bisect", "soak"),
        "max_minutes": ("adaptive", "bisect"),
        "always": ("adaptive",),
        "repetitions": ("ladder",),
        "stop_after_failures": ("ladder",),
    }
)
"""Which strategies an option of the search belongs to; those not named here go with any."""

_OWN_VARIABLES = {
    "WORKLOAD_EXECUTOR": "executor",
    "WORKLOAD_STEPS": "steps",
    "DAGSTER_GRPC_MAX_WORKERS": "max_workers",
}
_BLEND_VARIABLES = frozenset(
    Workload(name="any", mix=(Part(workload="io", share=1),)).server_environment
)
_SENSOR_VARIABLES = (
    frozenset(Workload(name="any", sensors=Sensors(count=1)).server_environment) - _BLEND_VARIABLES
)


OURS_ALONE = ("module", "params", "executor", "steps", "mix", "sensors")
"""Keys of a workload that are for packages under `workloads/`."""


def contradictions(data: Mapping[str, Any]) -> Problems:
    """(place, sentence) of everything that cannot be meant together."""
    yield from _infinite(data, ())
    for key in LISTS:
        if data.get(key) == []:
            yield (key,), "must not be empty"
        yield from _twice(items(data.get(key)), key)
    for index, workload in enumerate(items(data.get("workloads"))):
        if isinstance(workload, dict):
            yield from _workload(workload, ("workloads", index))
    yield from _versions(data)
    yield from _external(data)
    yield from _feed(data)
    yield from _burst(data)
    search = data.get("search")
    if isinstance(search, dict):
        yield from _rising(search.get("concurrencies"), ("search", "concurrencies"))
        yield from _search_options(search)
    yield from soak_contradictions(data)


def _versions(data: Mapping[str, Any]) -> Problems:
    """Every label is explained, and everything explained is measured."""
    versions = [each for each in items(data.get("dagster")) if isinstance(each, str)]
    builds = data.get("builds")
    known = builds if isinstance(builds, dict) else {}
    for index, version in enumerate(versions):
        if RELEASE.fullmatch(version) and _number(version) < OLDEST:
            yield ("dagster", index), f"{version} is older than 1.5.0, the oldest that is measured"
        if not RELEASE.fullmatch(version) and version != LATEST and version not in known:
            said = f"{version} is no release such as 1.13.27, and builds does not explain it"
            yield ("dagster", index), said
    for label in known:
        if RELEASE.fullmatch(str(label)) or label == LATEST:
            yield ("builds", label), "is a release already: give the build a name of its own"
        elif "dagster" in data and label not in versions:
            yield ("builds", label), "is not measured: name it under dagster, or leave it out"
    baseline = data.get("baseline")
    if isinstance(baseline, str) and baseline not in (
        versions or Campaign.model_fields["dagster"].default
    ):
        yield ("baseline",), f"{baseline} is not among the versions under dagster"


def _external(data: Mapping[str, Any]) -> Problems:
    """A deployment is named where it is measured, and what runs there is what is there."""
    external, is_external = data.get("external"), data.get("target") == "external"
    if is_external and external is None:
        yield ("target",), "external needs the key external: where the deployment is"
    if external is not None and not is_external:
        yield ("external",), "belongs to target external: set it, or leave this out"
    for index, workload in enumerate(items(data.get("workloads"))):
        code = workload.get("code") if isinstance(workload, dict) else None
        deployed = isinstance(code, dict) and code.get("deployed") is True
        if is_external and not deployed:
            said = "an external target serves its own code: say code: {deployed: true, jobs: …}"
            yield ("workloads", index), said
        elif deployed and not is_external:
            yield ("workloads", index, "code", "deployed"), "belongs to target external"


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _infinite(value: object, path: Path) -> Problems:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, f"must be a finite number, not {value}"
    elif isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _infinite(value[key], (*path, key))


def _twice(entries: Sequence[Any], key: str) -> Problems:
    """Equal entries would make cells of one name."""
    names = [entry.get("name", entry) if isinstance(entry, dict) else entry for entry in entries]
    way_out = "; call one otherwise and give it `module: {}`" if key == "workloads" else ""
    for index, name in enumerate(names):
        if isinstance(name, str | int | None) and name in names[:index]:
            shown = "null" if name is None else name
            said = f"{shown} is in the list twice: its cells could not be told apart"
            yield (key, index), said + way_out.format(shown)


def _rising(concurrencies: object, path: Path) -> Problems:
    if concurrencies == []:
        yield path, "must not be empty"
    for index, (low, high) in enumerate(pairwise(items(concurrencies)), start=1):
        if isinstance(low, int) and isinstance(high, int) and high <= low:
            yield (*path, index), f"{high} follows {low}: concurrencies must rise"


def _workload(workload: Mapping[str, Any], path: Path) -> Problems:
    yield from _rising(workload.get("concurrencies"), (*path, "concurrencies"))
    if workload.get("code") is not None:
        yield from _own_code(workload, path)
        return
    mix, module = workload.get("mix"), workload.get("module")
    yield from _mix(items(mix), (*path, "mix"))
    if mix and module is not None:
        said = "means nothing beside mix, whose parts name their packages: leave one of them out"
        yield (*path, "module"), said
    elif not mix:
        key = "name" if module is None else "module"
        named = workload.get(key)
        if isinstance(named, str) and (unknown := unknown_package(named)):
            yield (*path, key), unknown
    environment = workload.get("environment")
    if isinstance(environment, dict):
        sensors = workload.get("sensors") is not None
        yield from _environment(environment, (*path, "environment"), sensors=sensors)


def _own_code(workload: Mapping[str, Any], path: Path) -> Problems:
    """What is for packages of ours means nothing for the user's own code."""
    for key in OURS_ALONE:
        if workload.get(key):
            yield (*path, key), "belongs to the harness's own workloads, not to code: leave it out"
    code = workload["code"]
    jobs = items(code.get("jobs")) if isinstance(code, dict) else []
    names = [job.get("name") for job in jobs if isinstance(job, dict)]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (*path, "code", "jobs", index), f"{name} is named twice: add the shares up"


def _mix(mix: Sequence[Any], path: Path) -> Problems:
    names = [part.get("workload") if isinstance(part, dict) else None for part in mix]
    packages = [package_of(name) if isinstance(name, str) else None for name in names]
    for index, name in enumerate(names):
        if not isinstance(name, str):
            continue
        if unknown := unknown_package(name):
            yield (*path, index, "workload"), unknown
        elif packages[index] in packages[:index]:
            yield (*path, index), f"{name} is in the mix twice: add the shares up"


def _environment(environment: Mapping[str, Any], path: Path, *, sensors: bool) -> Problems:
    for variable in environment:
        if variable in _BLEND_VARIABLES:
            yield (*path, variable), "is set by the harness itself, from mix: leave it out"
        elif sensors and variable in _SENSOR_VARIABLES:
            yield (*path, variable), "is set by the harness itself, from sensors: leave it out"
        elif variable in _OWN_VARIABLES:
            key = _OWN_VARIABLES[variable]
            yield (*path, variable), f"is set by the harness itself: use the key {key}"


def _feed(data: Mapping[str, Any]) -> Problems:
    if data.get("feed", Campaign.model_fields["feed"].default) != "direct":
        return
    why = "has no effect with feed direct, where runs pass no queue: set feed to queued"
    if any(limit is not None for limit in items(data.get("max_concurrent_runs"))):
        yield ("max_concurrent_runs",), why
    if isinstance(data.get("queue"), dict):
        yield ("queue",), why


def _burst(data: Mapping[str, Any]) -> Problems:
    step, load = data.get("step"), data.get("load")
    if not isinstance(step, dict) or step.get("burst") is not True:
        return
    model = load.get("model") if isinstance(load, dict) else None
    if model not in (None, Load().model):
        yield ("step", "burst"), f"belongs to load.model closed, not to {model}: leave it out"
        return
    ramp_s = step.get("ramp_s", StepTimes().ramp_s)
    if ramp_s != 0:
        yield ("step", "burst"), f"sends all at once: set ramp_s to 0 (now {ramp_s}) with it"


def _search_options(search: Mapping[str, Any]) -> Problems:
    strategy = search.get("strategy", Search().strategy)
    if not any(strategy in strategies for strategies in SEARCH_OPTIONS.values()):
        return
    for option, strategies in SEARCH_OPTIONS.items():
        if search.get(option) is None:
            continue
        if strategy not in strategies:
            said = f"belongs to strategy {' and '.join(strategies)}, not to {strategy}"
            # Who chose the strategy by `--set` cannot leave a line of a preset out.
            yield ("search", option), f"{said}: leave it out (--set search={strategy} does)"
        elif option == "highest" and search.get("concurrencies") is not None:
            yield ("search", option), "means nothing beside concurrencies, which are the grid"
