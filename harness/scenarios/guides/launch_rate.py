"""What do worker threads limit: how fast runs start, or how many there are?

The same burst of launches goes to servers of one vCPU that differ in their worker threads only.
The runs sleep until they are cancelled, so a burst costs launches and nothing else, and in its end
all of them could be resident. Then a thread is held by a sensor while a run is launched, and the
burst goes through the run queue, launched by the daemon one at a time and by several threads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.errors import TargetFailed
from harness.rig.code_server_rpc import CallError
from harness.rig.lab.cpu_time import CpuTime
from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.launch_rate_figures import figures
from harness.scenarios.guides.scenario import Scenario

WORKERS = (1, 2, 4, 8, 16)
QUICK_WORKERS = (1, 4, 16)
DEQUEUE_THREADS = 8
TICK_S = 8.0
PATIENCE_S = 300.0
LOOK_S = 0.5
SLEEP_S = 900.0
"""Longer than any burst: runs are cancelled."""

NO_DEADLINE = {"DAGSTER_GRPC_TIMEOUT_SECONDS": "900"}
"""A launch that waits long is what is measured here; `start_run_deadline` has what Dagster's own
60 s do to it."""

_COUNTS = """
SELECT status, count(*) FROM runs
WHERE status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED') GROUP BY status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """So many launches at once, through this feed, to a server of so many worker threads."""

    feed: str
    workers: int
    runs: int


def measure(bench: Bench) -> None:
    """Bursts, then a held thread; not in a quick run, the same burst through the queue."""
    sizes, runs = (QUICK_WORKERS, 8) if bench.quick else (WORKERS, 12)
    with bench.lab(_direct(sizes)) as lab:
        for workers in sizes:
            _burst(bench, lab, Burst(feed="direct", workers=workers, runs=runs))
        _held(bench, lab)
    if bench.quick:
        return
    for feed, threads in (("queued", 0), ("queued-threads", DEQUEUE_THREADS)):
        with bench.lab(_queued(threads)) as lab:
            _burst(bench, lab, Burst(feed=feed, workers=DEQUEUE_THREADS, runs=runs))


def _direct(sizes: tuple[int, ...]) -> LabSpec:
    held = ServerSpec(
        name="held", module="workloads.sensor.definitions", max_workers=1, memory_mib=1024,
        environment={"WORKLOAD_SENSOR_S": str(TICK_S)},
    )  # fmt: skip
    return LabSpec(servers=(*map(_server, sizes), held), environment=NO_DEADLINE)


def _queued(threads: int) -> LabSpec:
    """The queue with Dagster's own settings but for how many runs it lets go; `threads` 0: as
    Dagster's, one launch at a time.
    """
    config: dict[str, Any] = {"max_concurrent_runs": 1000}
    if threads:
        config |= {"dequeue_use_threads": True, "dequeue_num_workers": threads}
    coordinator = {
        "module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator",
        "config": config,
    }  # fmt: skip
    return LabSpec(
        servers=(_server(DEQUEUE_THREADS),), daemon=True, environment=NO_DEADLINE,
        instance={"run_coordinator": coordinator},
    )  # fmt: skip


def _server(workers: int) -> ServerSpec:
    return ServerSpec(name=_name(workers), max_workers=workers, memory_mib=2560)


def _name(workers: int) -> str:
    return f"workers-{workers}"


def _burst(bench: Bench, lab: Lab, burst: Burst) -> None:
    """Launch, count until all have started and a moment longer, cancel."""
    bench.say(f"{burst.runs} launches at once, {burst.workers} worker threads, {burst.feed}")
    location = _name(burst.workers)
    server = lab.server(location)
    order = Order(job="sleep", location=location, config={"seconds": SLEEP_S})
    cpu, began_s = CpuTime([server]), time.time()
    with ThreadPoolExecutor(1) as pool:
        launching = pool.submit(lab.web.launch_all, [order] * burst.runs)
        most: dict[str, int] = {}
        while not _all_started(lab, most, burst.runs):
            if time.time() - began_s > PATIENCE_S:
                break
            bench.sleep(LOOK_S)
        launches = launching.result()
    spent = cpu.spent()
    ids = [each.run_id for each in launches if each.run_id]
    about = {"feed": burst.feed, "workers": burst.workers}
    bench.note("burst", runs=burst.runs, accepted=len(ids), **spent, **about,
               resident=server.look().get("resident_runs"), starting=most.get("STARTING", 0),
               queued=most.get("QUEUED", 0))  # fmt: skip
    rows = lab.records.runs(ids)
    lab.web.cancel(ids)
    lab.web.wait(ids, timeout_s=PATIENCE_S)
    bench.note_launches("burst", launches, **about)
    bench.note_runs("burst", rows, **about)


def _all_started(lab: Lab, most: dict[str, int], runs: int) -> bool:
    """Look at the statuses of runs that have not ended, and keep the highest count of each."""
    now = {str(status): int(number) for status, number in lab.records.ask(_COUNTS)}
    for status, number in now.items():
        most[status] = max(number, most.get(status, 0))
    return now.get("STARTED", 0) >= runs


def _held(bench: Bench, lab: Lab) -> None:
    """Launch one run while the only worker thread is free, and one while a sensor holds it."""
    bench.say("a launch while a sensor holds the only worker thread")
    server = lab.server("held")
    order = Order(job="load", location="held")
    free = lab.web.launch(order)
    lab.web.wait([free.run_id or ""], timeout_s=PATIENCE_S)
    with ThreadPoolExecutor(1) as pool:
        tick = pool.submit(_tick, lab)
        _await_held(bench, server)
        held = lab.web.launch(order)
        ended_s, error = tick.result()
    lab.web.wait([held.run_id or ""], timeout_s=PATIENCE_S)
    bench.note("tick", ended_s=ended_s, error=error, tick_s=TICK_S)
    bench.note_launches("free", [free])
    bench.note_launches("held", [held])
    bench.note_runs("free", lab.records.runs([free.run_id or ""]))
    bench.note_runs("held", lab.records.runs([held.run_id or ""]))


def _tick(lab: Lab) -> tuple[float, str]:
    answer = lab.web.tick("blocker_1", location="held")
    return time.time(), answer.error or ""


def _await_held(bench: Bench, server: LabServer) -> None:
    """Until the server leaves a question unanswered for a second: its thread is taken."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        try:
            server.client.server_id(1.0)
        except CallError:
            return
        bench.sleep(0.1)
    raise TargetFailed("The sensor never held the worker thread.")


SCENARIO = Scenario(
    name="launch-rate",
    question="Do worker threads limit how fast runs start, or how many there are?",
    minutes=3.5,
    quick_minutes=1.1,
    measure=measure,
    figures=figures,
)
