"""What does a code location cost by its number of definitions: to load, to hold, and a run?

Synthetic locations of growing size, each on a server of its own: how long until it serves and until
the webserver has loaded it, what memory server and webserver hold, and what launching one light
run takes, whose process loads every definition again.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.lines import line
from harness.scenarios.guides.residents import emptied
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.standing import MIB, Standing

MODULE = "workloads.synthetic.definitions"
SIZES, QUICK_SIZES = (0, 300, 1000, 3000), (0, 1000)
MANY = 1000
"""Figures are told a thousand definitions more."""

OTHERS: Mapping[str, Mapping[str, str]] = {
    "jobs": {"SYNTHETIC_JOBS": "1000"},
    "sensors": {"SYNTHETIC_SENSORS": "1000"},
    "partitioned assets": {"SYNTHETIC_ASSETS": "1000", "SYNTHETIC_PARTITIONS": "1000"},
}
"""A thousand of something else, in whole mode."""

LAUNCHES = 5
LOADED_TIMEOUT_S = 240.0
SETTLED_S = 4.0


def measure(bench: Bench) -> None:
    """Assets in growing number; then a thousand of the other kinds."""
    for size in QUICK_SIZES if bench.quick else SIZES:
        _one(bench, "assets", size, {"SYNTHETIC_ASSETS": str(size)})
    if not bench.quick:
        for kind, environment in OTHERS.items():
            _one(bench, kind, MANY, environment)


def _one(bench: Bench, kind: str, size: int, environment: Mapping[str, str]) -> None:
    bench.say(f"A location with {size} {kind}")
    with bench.lab(LabSpec(servers=(ServerSpec(module=MODULE, environment=environment),))) as lab:
        waited_s = lab.web.await_locations(lab.spec.locations, timeout_s=LOADED_TIMEOUT_S)
        bench.sleep(SETTLED_S)
        with Standing(lab) as standing:
            memory = standing.memory()
        bench.note(
            "location", kind=kind, size=size, loaded_s=waited_s, reload_s=_reload_s(lab),
            **{f"{part}_s": took_s for part, took_s in lab.start_s.items()}, **memory,
        )  # fmt: skip
        for number in range(LAUNCHES):
            _launch(bench, lab, kind, size, number)


def _reload_s(lab: Lab) -> float:
    """What reloading it by hand takes, as after a deploy; blocks until the webserver has it."""
    began_s = time.monotonic()
    lab.web.reload("server")
    lab.web.await_locations(lab.spec.locations, timeout_s=LOADED_TIMEOUT_S)
    return time.monotonic() - began_s


def _launch(bench: Bench, lab: Lab, kind: str, size: int, number: int) -> None:
    """One run alone; the first of a location reads bytecode from disk."""
    server = lab.server()
    before = server.stats()
    (launched,) = lab.web.launch_all([Order(job="load")])
    if launched.run_id is None:
        return
    lab.web.wait([launched.run_id], timeout_s=120)
    emptied(bench, server)
    after, rows = server.stats(), lab.records.runs([launched.run_id])
    started_s = rows[0].phases.started_s if rows else None
    bench.note(
        "launch", kind=kind, size=size, number=number,
        until_started_s=started_s - launched.sent_s if started_s else None,
        cpu_s=after.cpu_s - before.cpu_s if before and after else None,
    )  # fmt: skip


def figures(seen: Observations) -> Figures:
    """Of assets on the line through the sizes (least squares), told a thousand assets more."""
    found: dict[str, Figure] = {}
    told = seen.of("location", kind="assets")
    readings = {
        "serve_s": ("servers_s", 1.0, "s", "until the server serves"),
        "reload_s": ("reload_s", 1.0, "s", "a reload by the webserver"),
        "server_mib": ("servers_pss_bytes", MIB, "MiB", "memory (PSS) of the server"),
        "webserver_mib": ("webserver_pss_bytes", MIB, "MiB", "memory (PSS) of the webserver"),
    }
    for name, (key, unit, shown, words) in readings.items():
        points = [(each["size"] / MANY, each[key] / unit) for each in told]
        found |= _line(name, points, shown, words)
    for name, key, words in (
        ("launch_s", "until_started_s", "from a launch to the run's start"),
        ("launch_cpu_s", "cpu_s", "CPU of a light run, from launch to end"),
    ):
        found |= _line(name, _launches(seen, key), "s", words)
    return {**found, **_others(seen)}


def _line(
    name: str, points: Sequence[tuple[float, float]], unit: str, words: str
) -> dict[str, Figure]:
    found = line(points)
    if found is None:
        return {}
    return {
        f"{name}_empty": Figure(
            value=found.at_zero, unit=unit, n=found.n, meaning=f"{words}, an empty location"
        ),
        f"{name}_per_thousand": Figure(
            value=found.slope, unit=unit, n=found.n,
            meaning=f"{words}, more with 1,000 assets more",
        ),
    }  # fmt: skip


def _launches(seen: Observations, key: str) -> list[tuple[float, float]]:
    """Medians by size, without the first launch of each location."""
    by_size: dict[int, list[float]] = {}
    for each in seen.of("launch", kind="assets"):
        if each["number"] and each[key] is not None:
            by_size.setdefault(each["size"], []).append(each[key])
    return [(size / MANY, statistics.median(values)) for size, values in by_size.items()]


def _others(seen: Observations) -> dict[str, Figure]:
    """What a thousand of another kind hold beyond an empty location."""
    empty = seen.first("location", kind="assets", size=0)
    if empty is None:
        return {}
    found = {}
    for kind in OTHERS:
        told: Values | None = seen.first("location", kind=kind)
        if told is not None:
            more = told["servers_pss_bytes"] - empty["servers_pss_bytes"]
            found[f"thousand_{kind.replace(' ', '_')}_mib"] = Figure(
                value=more / MIB, unit="MiB",
                meaning=f"memory (PSS) of the server, more with 1,000 {kind}",
            )  # fmt: skip
    return found


SCENARIO = Scenario(
    name="location-size",
    question="What does a location cost by its number of assets, jobs, sensors and partitions?",
    minutes=4.5,
    quick_minutes=None,
    measure=measure,
    figures=figures,
)
