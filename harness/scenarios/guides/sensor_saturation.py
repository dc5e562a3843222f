"""Is Dagster's own queue metric there when it matters?

Sensors that sleep ask for half, all, and twice as many worker threads as a server of four has.
Meanwhile Dagster's Ping is asked as the agent asks it (one at a time, 60 s patience), a cheap
`GetServerId` as a health check would be (5 s), one run is launched, and the webserver is asked how
the location does. A probe inside the server tells the true queue. Another server's task is too
small for the runs on it, and one has its metrics switched off.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.rig.code_server_rpc import CallError, CodeServerClient, PingMetrics
from harness.rig.lab.lab import Lab
from harness.rig.lab.pool import pool_looks
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Launched, Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.sensor_saturation_figures import (
    HEALTH_PATIENCE_S,
    STARVED_RUNS,
    STARVED_S,
    WORKERS,
    figures,
)

SENSORS = "workloads.sensor.definitions"
AGENT_PATIENCE_S = 60.0
"""So long the Dagster+ agent waits for a Ping, and any Dagster client for an evaluation."""
METRICS = "DAGSTER_ENABLE_SERVER_METRICS"
LOG_LINES = 4000

Told = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One server, how many of its sensors are ticked at once, and for how long each sleeps.

    `until_s`: how long it is looked at.
    """

    name: str
    sensors: int
    hold_s: float
    until_s: float


HALF = Level(name="half", sensors=WORKERS // 2, hold_s=45.0, until_s=52.0)
FULL = Level(name="full", sensors=WORKERS, hold_s=45.0, until_s=52.0)
# The second half must get its threads before its clients give up, and then hold them until the
# agent has given up too.
DOUBLE = Level(name="double", sensors=2 * WORKERS, hold_s=50.0, until_s=66.0)
# The webserver tries ten times, then loads the location anew with 60 s patience. It does so for
# one location at a time, so that this one is alone.
OUTAGE = Level(name="outage", sensors=WORKERS, hold_s=110.0, until_s=130.0)


def measure(bench: Bench) -> None:
    """All levels but the last at once, each on a server of its own: their sensors sleep."""
    levels = (HALF, FULL, DOUBLE)
    for repetition in range(1 if bench.quick else 2):
        with bench.lab(LabSpec(servers=(*_held(levels), *_others()))) as lab:
            _metrics_switch(bench, lab)
            bench.say(f"Sensors hold {', '.join(f'{e.sensors} of {WORKERS}' for e in levels)}")
            with ThreadPoolExecutor(max_workers=len(levels) + 1) as pool:
                parts = [pool.submit(_level, lab, level) for level in levels]
                parts.append(pool.submit(_starved, lab))
            for part in parts:
                _note(bench, part.result(), repetition)
    if not bench.quick:
        with bench.lab(LabSpec(servers=_held((OUTAGE,)))) as lab:
            bench.say(f"Sensors hold every thread for {OUTAGE.hold_s:g} s")
            _note(bench, _level(lab, OUTAGE), 0)


def _note(bench: Bench, told: Told, repetition: int) -> None:
    for what, values in told:
        bench.note(what, repetition=repetition, **values)


def _held(levels: Sequence[Level]) -> tuple[ServerSpec, ...]:
    return tuple(
        ServerSpec(
            name=level.name, module=SENSORS, max_workers=WORKERS, memory_mib=1024, probe=True,
            environment={"WORKLOAD_SENSORS": str(level.sensors),
                         "WORKLOAD_SENSOR_S": str(level.hold_s)},
        )
        for level in levels
    )  # fmt: skip


def _others() -> tuple[ServerSpec, ...]:
    starved = ServerSpec(name="starved", cpu_cores=0.5, max_workers=WORKERS, memory_mib=1024)
    silent = ServerSpec(
        name="silent", max_workers=WORKERS, memory_mib=512, environment={METRICS: ""}
    )
    return (starved, silent)


def _metrics_switch(bench: Bench, lab: Lab) -> None:
    for name, on in (("half", True), ("silent", False)):
        said, _ = _ping(lab.server(name).client, AGENT_PATIENCE_S)
        numbers = [said.max_workers, said.running, said.queued]
        bench.note("switch", on=on, numbers=sum(1 for each in numbers if each is not None))


def _level(lab: Lab, level: Level) -> Told:
    """Tick, and look until it is over; returns what there is to note."""
    began_s = time.time()
    about = {"level": level.name, "sensors": level.sensors, "hold_s": level.hold_s}
    told: Told = [("level", {**about, "began_s": began_s, "until_s": began_s + level.until_s})]
    lock = threading.Lock()

    def tell(what: str, values: Mapping[str, Any]) -> None:
        with lock:
            told.append((what, {"level": level.name, **values}))

    parts: list[Callable[[], None]] = [
        *(lambda n=n: tell("tick", _tick(lab, level, n)) for n in range(1, level.sensors + 1)),
        lambda: tell("launch", _launch(lab, level)),
        lambda: _each(_pings(lab, level, began_s), "ping", tell),
        lambda: _each(_probes(lab, level, began_s), "probe", tell),
        lambda: _each(_states(lab, level, began_s), "state", tell),
    ]
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        for done in [pool.submit(part) for part in parts]:
            done.result()
    for look in _thinned(lab, level, began_s):
        tell("pool", look)
    return told


def _each(
    values: Iterator[Mapping[str, Any]], what: str, tell: Callable[[str, Mapping[str, Any]], None]
) -> None:
    for each in values:
        tell(what, each)


def _tick(lab: Lab, level: Level, number: int) -> dict[str, Any]:
    sent_s = time.time()
    answer = lab.web.tick(f"blocker_{number}", location=level.name)
    return {"sent_s": sent_s, "answered_s": time.time(), "error_class": answer.error_class}


def _launch(lab: Lab, level: Level) -> dict[str, Any]:
    time.sleep(3.0)
    done: Launched = lab.web.launch(Order(job="load", location=level.name))
    return dataclasses.asdict(done)


def _pings(lab: Lab, level: Level, began_s: float) -> Iterator[dict[str, Any]]:
    """One at a time, from 2 s after the ticks, with 5 s between an answer and the next."""
    client = lab.server(level.name).client
    time.sleep(2.0)
    while (asked_s := time.time()) < began_s + level.until_s - 1.0:
        left_s = min(AGENT_PATIENCE_S, began_s + level.until_s - asked_s)
        said, failed = _ping(client, left_s)
        yield {"asked_s": asked_s, "ended_s": time.time(), "queued": said.queued,
               "running": said.running, "failed": failed, "patience_s": left_s}  # fmt: skip
        time.sleep(5.0)


def _ping(client: CodeServerClient, patience_s: float) -> tuple[PingMetrics, str | None]:
    """What was said, or gRPC's name for why nothing was."""
    try:
        return client.ping(patience_s), None
    except CallError as error:
        return PingMetrics(), error.code


def _probes(lab: Lab, level: Level, began_s: float) -> Iterator[dict[str, Any]]:
    client = lab.server(level.name).client
    time.sleep(1.5)
    while (asked_s := time.time()) < began_s + level.until_s - HEALTH_PATIENCE_S:
        failed = None
        try:
            client.server_id(HEALTH_PATIENCE_S)
        except CallError as error:
            failed = error.code
        yield {"asked_s": asked_s, "took_s": time.time() - asked_s, "failed": failed}
        time.sleep(1.0)


def _states(lab: Lab, level: Level, began_s: float) -> Iterator[dict[str, Any]]:
    """How the webserver says the location does, whenever that changes."""
    last = ""
    while time.time() < began_s + level.until_s:
        state = lab.web.location(level.name).state
        if state != last:
            yield {"state": state, "seen_s": time.time()}
        last = state
        time.sleep(2.0)


def _thinned(lab: Lab, level: Level, began_s: float) -> Iterator[dict[str, Any]]:
    """The true queue, one look a second: the highest one of each."""
    looks = [e for e in pool_looks(lab.server(level.name).log(LOG_LINES)) if e.at_s >= began_s]
    by_second: dict[int, Any] = {}
    for look in looks:
        second = int(look.at_s)
        if second not in by_second or look.queue > by_second[second].queue:
            by_second[second] = look
    for look in by_second.values():
        yield {"look_s": look.at_s, "queue": look.queue, "busy": look.busy}


def _starved(lab: Lab) -> Told:
    """Runs that compute, on half a vCPU."""
    server = lab.server("starved")
    order = Order(job="spin", location="starved", config={"cpu_s": 120.0})
    launches = lab.web.launch_all([order] * STARVED_RUNS)
    ids = [each.run_id for each in launches if each.run_id]
    lab.web.wait(ids, timeout_s=90, until=lambda report: report.status == "STARTED")
    before = server.look()
    time.sleep(STARVED_S)
    said, _ = _ping(server.client, AGENT_PATIENCE_S)
    after = server.look()
    changed = {key: after.get(key, 0) - before.get(key, 0)
               for key in ("cpu_s", "periods", "throttled_periods")}  # fmt: skip
    runs = after.get("resident_runs")
    return [("starved", {"queued": said.queued, "running": said.running, "runs": runs, **changed})]


SCENARIO = Scenario(
    name="sensor-saturation",
    question="Does num_queued_requests warn when sensors hold every worker thread?",
    minutes=6,
    quick_minutes=1.5,
    measure=measure,
    figures=figures,
)
