"""What does computing on one code server share: the CPU limit, or one interpreter lock?

Runs that compute are launched, wait at a gate, and begin at the same moment: on half a vCPU, on
one, on two, and on two servers of one vCPU each. Then sensor ticks compute on the server of two
vCPU while it is asked who it is again and again, one of them in a single call into C, and that
once more behind `dagster code-server start`. Last, what runs that do nothing cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from harness.errors import TargetFailed
from harness.rig.code_server_rpc import CallError
from harness.rig.lab.cpu_time import CpuTime
from harness.rig.lab.lab import Lab
from harness.rig.lab.records import RunRow
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order, Web
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.cpu_scaling_figures import CLUTCH_S, figures
from harness.scenarios.guides.scenario import Scenario

MODULE = "workloads.guides.computing"
SENSORS = 4
HEARTBEAT_S = 5
"""How long the server behind a proxy does without a heartbeat. Dagster's own is 30 s: with that a
tick would have to hold the lock for longer than a minute to show the same."""

API = ("dagster", "api", "grpc")
PROXIED = ("dagster", "code-server", "start")
TICKED = ("two", "proxied")
"""Servers whose sensors tick."""

GROUPS = {"half": ("half",), "one": ("left",), "two": ("two",), "pair": ("left", "right")}
"""Which servers share the runs of a group. Each of a pair gets every second run: evener than any
balancing would be."""

VCPU = {"half": 0.5, "left": 1.0, "right": 1.0, "two": 2.0, "proxied": 1.0}
WHOLE = (
    ("half", 1), ("half", 2), ("half", 4), ("one", 1), ("one", 2), ("one", 4), ("two", 1),
    ("two", 2), ("two", 3), ("two", 4), ("pair", 4), ("pair", 4), ("two", 4),
)  # fmt: skip
QUICK = (("one", 2), ("two", 1), ("two", 4), ("pair", 4))

AHEAD_S = 2.0
"""So long before the moment it names a gate is opened, so that every run has seen it."""

PATIENCE_S = 240.0
PROBE_EVERY_S = 0.25
PROBE_PATIENCE_S = 60.0
REST_S = 5.0
"""So long a server is left alone to see what it uses at rest."""


def measure(bench: Bench) -> None:
    """Runs, then ticks, then no-op runs, in one lab."""
    gates = count(1)
    with bench.lab(_lab(bench.quick)) as lab:
        for group, runs in QUICK if bench.quick else WHOLE:
            bench.say(f"{runs} runs computing, {group}")
            _together(bench, lab, group, runs=runs, gate=next(gates))
        known = {name: lab.server(name).client.server_id(PATIENCE_S) for name in TICKED}
        for ticks in (0, 1, 4) if bench.quick else (0, 1, 2, 4):
            bench.say(f"{ticks} sensor ticks computing")
            _ticking(bench, lab, "two", [f"blocker_{n}" for n in range(1, ticks + 1)])
        for name in TICKED:
            bench.say(f"a tick computing in one call into C, {name}")
            _ticking(bench, lab, name, ["clutch"])
        bench.say("runs that do nothing")
        _nothing(bench, lab, runs=4 if bench.quick else 8)
        for name, server_id in known.items():
            _survivor(bench, lab.server(name), server_id)


def _lab(quick: bool) -> LabSpec:
    ticks = {
        "WORKLOAD_SENSORS": str(SENSORS),
        "WORKLOAD_SENSOR_MODE": "burn",
        "WORKLOAD_SENSOR_S": "2" if quick else "5",
        "CLUTCH_S": str(CLUTCH_S),
        "DAGSTER_GRPC_PROXY_HEARTBEAT_TTL_SECONDS": str(HEARTBEAT_S),
    }
    return LabSpec(
        servers=tuple(
            ServerSpec(
                name=name, module=MODULE, cpu_cores=vcpu, memory_mib=1536,
                command=PROXIED if name == "proxied" else API,
            )
            for name, vcpu in VCPU.items()
            if name != "half" or not quick
        ),
        environment={"DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": "300"},
        server_environment=ticks,
    )  # fmt: skip


def _together(bench: Bench, lab: Lab, group: str, *, runs: int, gate: int) -> None:
    """Launch runs, open the gate when all of them wait at it, and see them to their end."""
    cpu_s = 3.0 if bench.quick else 6.0
    names = GROUPS[group]
    servers = [lab.server(name) for name in names]
    config = {"gate": gate, "cpu_s": cpu_s, "patience_s": PATIENCE_S}
    orders = [
        Order(job="spin_together", location=names[n % len(names)], config=config)
        for n in range(runs)
    ]
    ids = [each.run_id for each in lab.web.launch_all(orders) if each.run_id]
    _await(bench, lab, ids, lambda row: bool(row.step_starts))
    begin_s = time.time() + AHEAD_S
    path = f"/scratch/gate-{gate}"
    servers[0].run("sh", "-c", f"echo {begin_s:.3f} > {path}.new && mv {path}.new {path}")
    bench.sleep(max(0.0, begin_s - time.time()))
    cpu = CpuTime(servers)
    rows = _await(bench, lab, ids, lambda row: bool(row.step_ends))
    bench.note("together", group=group, runs=len(ids), cpu_s=cpu_s, begin_s=begin_s,
               ended_s=[end for row in rows for end in row.step_ends],
               failures=sum(row.step_failures for row in rows), **cpu.spent())  # fmt: skip
    _await(bench, lab, ids, lambda row: row.status in ("SUCCESS", "FAILURE"))


def _await(
    bench: Bench, lab: Lab, ids: Sequence[str], done: Callable[[RunRow], bool]
) -> list[RunRow]:
    """Look into the database twice a second until every run is `done`: cheaper than asking the
    webserver, which has no CPU of its own here.
    """
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        rows = lab.records.runs(ids)
        if len(rows) == len(ids) and all(done(row) for row in rows):
            return rows
        bench.sleep(0.5)
    raise TargetFailed(
        f"Runs that compute did not get on in {PATIENCE_S:.0f} s.",
        evidence=", ".join(row.status for row in lab.records.runs(ids)),
    )


def _ticking(bench: Bench, lab: Lab, name: str, sensors: Sequence[str]) -> None:
    """Tick sensors at once, each from a thread, and ask the server who it is meanwhile."""
    server = lab.server(name)
    cpu, began_s, probes = CpuTime([server]), time.time(), []
    with ThreadPoolExecutor(max(1, len(sensors))) as pool:
        ticks = [pool.submit(_tick, lab.web, name, sensor) for sensor in sensors]
        rest_s = 0.0 if sensors else began_s + REST_S
        while time.time() < rest_s or not all(tick.done() for tick in ticks):
            probes.append(_probe(server))
            bench.sleep(PROBE_EVERY_S)
    ended = [tick.result() for tick in ticks]
    bench.note("ticking", server=name, clutch="clutch" in sensors, ticks=len(sensors),
               began_s=began_s, ended_s=[end["at_s"] for end in ended],
               errors=[end["error"] for end in ended], probes_s=[p["took_s"] for p in probes],
               lost=[p["lost"] for p in probes if p["lost"]], **cpu.spent())  # fmt: skip


def _survivor(bench: Bench, server: LabServer, server_id: str) -> None:
    """Whether a server is still the one it was before the ticks."""
    try:
        said, lost = server.client.server_id(PROBE_PATIENCE_S), ""
    except CallError as error:
        said, lost = "", error.code
    bench.note("survivor", server=server.name, survived=said == server_id, lost=lost,
               container_runs=server.running)  # fmt: skip


def _tick(web: Web, location: str, sensor: str) -> dict[str, Any]:
    answer = web.tick(sensor, location=location)
    return {"at_s": time.time(), "error": answer.error or ""}


def _probe(server: LabServer) -> dict[str, Any]:
    began_s = time.monotonic()
    try:
        server.client.server_id(PROBE_PATIENCE_S)
        lost = ""
    except CallError as error:
        lost = error.code
    return {"took_s": time.monotonic() - began_s, "lost": lost}


def _nothing(bench: Bench, lab: Lab, *, runs: int) -> None:
    """What the server uses at rest, and what it uses for runs without work of their own."""
    server = lab.server("left")
    _await_alone(bench, server)
    at_rest = CpuTime([server])
    bench.sleep(REST_S)
    rest = at_rest.spent()
    server.run("sh", "-c", "echo 0 > /scratch/gate-0")
    config = {"gate": 0, "cpu_s": 0.0, "patience_s": PATIENCE_S}
    cpu = CpuTime([server])
    orders = [Order(job="spin_together", location="left", config=config)] * runs
    ids = [each.run_id for each in lab.web.launch_all(orders) if each.run_id]
    rows = _await(bench, lab, ids, lambda row: row.status in ("SUCCESS", "FAILURE"))
    _await_alone(bench, server)
    work = [row.phases.work_cpu_s or 0.0 for row in rows]
    bench.note("nothing", runs=len(ids), rest_cores=rest["used_s"] / rest["window_s"],
               work_s=sum(work), **cpu.spent())  # fmt: skip


def _await_alone(bench: Bench, server: LabServer) -> None:
    """Until no run's process is left in it."""
    end_s = time.monotonic() + PATIENCE_S
    while server.look().get("resident_runs", 0.0) > 0 and time.monotonic() < end_s:
        bench.sleep(0.5)


SCENARIO = Scenario(
    name="cpu-scaling",
    question="Does work that computes get all of a server's CPU limit, or one interpreter's worth?",
    minutes=7,
    quick_minutes=2,
    measure=measure,
    figures=figures,
)
