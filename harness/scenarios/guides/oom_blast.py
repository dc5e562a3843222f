"""Who dies when memory runs out, what dies with it, and what is left saying it still runs?

Servers of one, two and three replicas, full of sleeping runs, in which first a run outgrows the
container and then the server itself does; then bursts without a cap and with one, of light runs
and of heavy ones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.oom_figures import figures
from harness.scenarios.guides.scenario import Scenario

MODULE = "workloads.guides.hoard"
MEMORY_MIB = 768
WORKERS = 20
LIGHT = [Order(job="sleep", config={"seconds": 1.0})] * 12
"""Twelve Pythons with Dagster are 1.2 GiB, in a container of 768 MiB."""

HEAVY = [Order(job="hold", config={"mib": 170, "seconds": 6.0})] * 4
"""Two of these fit beside the server, four do not."""

CAP = 2
SLEEPERS = 3
"""Sleeping runs in each replica."""

SLEEP = Order(job="sleep", config={"seconds": 1800.0})
OUTGROWING = Order(job="hold", config={"mib": MEMORY_MIB, "seconds": 60.0})
TOGETHER = [Order(job="sleep", config={"seconds": 4.0})] * 5
NOTICED_S = 3.0
"""So long after a death its server has told the database what it found."""

LATE_S = 15.0
"""After the last burst, and long after the last server that was full has died: a last look."""

PATIENCE_S = 180.0


def measure(bench: Bench) -> None:
    """One lab whose feed is direct, one whose feed is the queue with a cap."""
    kinds = {"one": 1, "three": 3} if bench.quick else {"one": 1, "two": 2, "three": 3}
    spec = LabSpec(servers=tuple(_server(name, count) for name, count in kinds.items()))
    with bench.lab(spec) as lab:
        _together(bench, lab, "three")
        for _ in range(1 if bench.quick else 2):
            for name in kinds:
                _crashes(bench, lab, name)
        for number in range(1 if bench.quick else 3):
            _burst(bench, lab, "light", number=number, capped=False)
            _burst(bench, lab, "heavy", number=number, capped=False)
        bench.sleep(LATE_S)
        bench.note_runs("late", lab.records.runs(lab.records.all_ids()))
    with bench.lab(_capped()) as lab:
        for number in range(1 if bench.quick else 2):
            _burst(bench, lab, "light", number=number, capped=True)
            _burst(bench, lab, "heavy", number=number, capped=True)


def _server(name: str, replicas: int) -> ServerSpec:
    """Replicas have one id between them: without it the webserver reloads them all the time."""
    return ServerSpec(
        name=name, module=MODULE, cpu_cores=1.5, memory_mib=MEMORY_MIB, max_workers=WORKERS,
        replicas=replicas, replicas_named=True, environment={"HOARD_MIB": str(MEMORY_MIB)},
        arguments=(f"--fixed-server-id={name}",),
    )  # fmt: skip


def _capped() -> LabSpec:
    queue = {
        "module": "dagster._core.run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {"max_concurrent_runs": CAP, "dequeue_interval_seconds": 1},
    }
    return LabSpec(servers=(_server("one", 1),), instance={"run_coordinator": queue}, daemon=True)


def _together(bench: Bench, lab: Lab, name: str) -> None:
    """Where runs go that are launched at the same moment; they end by themselves."""
    launches = lab.web.launch_all([replace(order, location=name) for order in TOGETHER])
    counts = [len(server.current_runs()) for server in lab.servers(name)]
    bench.note("together", replicas=len(counts), launched=len(launches), counts=counts)
    lab.web.wait([each.run_id for each in launches if each.run_id], timeout_s=PATIENCE_S)


def _crashes(bench: Bench, lab: Lab, name: str) -> None:
    """Fill the replicas, let a run outgrow its container, then a server, and start it again."""
    servers = lab.servers(name)
    bench.say(f"{SLEEPERS} sleepers in each of {len(servers)}, then a run that outgrows one")
    orders = [replace(SLEEP, location=server.name) for server in servers] * SLEEPERS
    launched = lab.web.launch_all(orders)
    ids = [each.run_id for each in launched if each.run_id]
    lab.web.wait(ids, timeout_s=PATIENCE_S, until=lambda report: report.status == "STARTED")
    _crash(bench, lab, name, victim="run")
    bench.say("Now a server outgrows it")
    _crash(bench, lab, name, victim="server")
    beside = [lab.web.launch(Order(job="noop", location=name)) for _ in range(2 * len(servers))]
    bench.note_launches("beside", beside, replicas=len(servers))
    _recover(bench, lab, name, fresh=False)
    lab.fresh(name)
    _await_loaded(lab, name)


def _crash(bench: Bench, lab: Lab, name: str, *, victim: str) -> None:
    """One OOM in the first replica: what was there, what is gone, and where."""
    servers = lab.servers(name)
    before = {server.name: set(server.current_runs()) for server in servers}
    ooms = _ooms(servers[0])
    outgrown = _outgrow(bench, lab, servers[0], victim=victim)
    bench.sleep(NOTICED_S)
    after = {run for server in servers for run in server.current_runs()}
    there = before.pop(servers[0].name)
    elsewhere = {run for runs in before.values() for run in runs}
    lost = (there | elsewhere | outgrown) - after
    state = servers[0].state()
    died = not state.get("Running")
    bench.note(
        "crash", replicas=len(servers), victim=victim, died=died,
        others_died=sum(not server.running for server in servers[1:]),
        oom=bool(state.get("OOMKilled")) or _ooms(servers[0]) > ooms,
        exit_code=state.get("ExitCode") if died else None,
        in_flight=len(there | elsewhere | outgrown), lost=len(lost),
        there=len(there), lost_there=len(lost & there),
        elsewhere=len(elsewhere), lost_elsewhere=len(lost & elsewhere), run_ids=sorted(lost),
    )  # fmt: skip


def _outgrow(bench: Bench, lab: Lab, server: LabServer, *, victim: str) -> set[str]:
    """Let a run, or the server, want more than there is; the run, if it was one."""
    if victim == "server":
        said = lab.web.tick("hoard", location=server.name)
        bench.note("hoarded", server=server.name, error_class=said.error_class)
        return set()
    launch = lab.web.launch(replace(OUTGROWING, location=server.name))
    bench.note_launches("outgrows", [launch], server=server.name)
    if launch.run_id is None:
        return set()
    lab.web.wait([launch.run_id], timeout_s=PATIENCE_S)
    return {launch.run_id}


def _burst(bench: Bench, lab: Lab, kind: str, *, number: int, capped: bool) -> None:
    """All at once; then until they have ended, or the server has."""
    orders = [replace(order, location="one") for order in (LIGHT if kind == "light" else HEAVY)]
    bench.say(f"{len(orders)} {kind} runs at once, {'capped' if capped else 'no cap'}")
    server = lab.server("one")
    known = len(lab.records.all_ids())
    began_s = time.time()
    with lab.watch(server, period_s=0.2) as watch:
        bench.note_launches(kind, lab.web.launch_all(orders), capped=capped, number=number)
        ids = lab.records.all_ids()[known:]
        _await_ends(lab, server, ids)
    bench.sleep(NOTICED_S)
    state = server.state()
    died = not state.get("Running")
    bench.note(
        "burst", kind=kind, capped=capped, number=number, runs=len(orders), died=died,
        oom_kills=max(watch.highest("oom_kills") or 0.0, float(bool(state.get("OOMKilled")))),
        peak_bytes=watch.highest("usage_bytes"), exit_code=state.get("ExitCode") if died else None,
        took_s=time.time() - began_s, run_ids=ids,
    )  # fmt: skip
    bench.note_runs(kind, lab.records.runs(ids), capped=capped, number=number)
    if died:
        _recover(bench, lab, "one", fresh=True)


def _await_ends(lab: Lab, server: LabServer, ids: Sequence[str]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while ids and time.monotonic() < end_s and server.running:
        seen = lab.web.wait(ids, timeout_s=2)
        if sum(report.ended for report in seen.values()) == len(ids):
            return


def _recover(bench: Bench, lab: Lab, name: str, *, fresh: bool) -> None:
    """A new container in place of the dead one; until the webserver has its location again."""
    serving_s = lab.fresh(name) if fresh else lab.restore(name)
    loaded_s = _await_loaded(lab, name)
    replicas = len(lab.servers(name))
    bench.note("recovery", replicas=replicas, serving_s=serving_s, loaded_s=loaded_s)


def _await_loaded(lab: Lab, name: str) -> float:
    names = (name, *(server.name for server in lab.servers(name)))
    return lab.web.await_locations(names, timeout_s=PATIENCE_S)


def _ooms(server: LabServer) -> float:
    stats = server.stats()
    return float((stats.oom_kills if stats else None) or 0)


SCENARIO = Scenario(
    name="oom-blast",
    question="Who dies when memory runs out, and what is lost with it?",
    minutes=9,
    quick_minutes=3.2,
    measure=measure,
    figures=figures,
)
