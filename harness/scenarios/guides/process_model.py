"""What is a run inside a code server: a thread, or a process? And what limits how many there are?

Thirty runs that only sleep are launched into a server of two worker threads. Every process and
thread is counted before and while they sleep, and memory is added up at several numbers of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations
from harness.rig.code_server_rpc import CallError
from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario

WORKERS = 2
MIB = 1024**2
THREADS = 500
BLOCKED_THREADS = f"""
import threading
def rss_kib():
    return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmRSS'))
gate, before = threading.Event(), rss_kib()
threads = [threading.Thread(target=gate.wait) for _ in range({THREADS})]
[t.start() for t in threads]
print(rss_kib() - before)
gate.set()
"""
"""Run inside the server's container: what so many blocked threads add to a Python, in KiB."""

SETTLED_S = 3.0
"""So long after the last run has started nothing imports any more."""


def measure(bench: Bench) -> None:
    """Runs in steps up to thirty, then some with a process per step, then Dagster's own number of
    workers.
    """
    sizes = (4, 12) if bench.quick else (5, 15, 30)
    server = ServerSpec(cpu_cores=1.5, memory_mib=6144, max_workers=WORKERS)
    with bench.lab(LabSpec(servers=(server,))) as lab:
        _look(bench, lab, executor="none", runs=0)
        for runs in sizes:
            _resident(bench, lab, runs, executor="in_process")
        _resident(bench, lab, 4 if bench.quick else 8, executor="multiprocess")
    defaults = ServerSpec(cpu_cores=1.0, memory_mib=1024, max_workers=None)
    with bench.lab(LabSpec(servers=(defaults,))) as lab:
        _defaults(bench, lab.server())


def _resident(bench: Bench, lab: Lab, runs: int, *, executor: str) -> None:
    """So many sleeping at once: they sleep until they are cancelled."""
    job = "sleep" if executor == "in_process" else "sleep_multi"
    bench.say(f"{runs} runs that sleep, {executor}")
    launches = lab.web.launch_all([Order(job=job, config={"seconds": 600.0})] * runs)
    bench.note_launches(executor, launches, runs=runs)
    ids = [each.run_id for each in launches if each.run_id]
    lab.web.wait(ids, timeout_s=180, until=lambda report: report.status == "STARTED")
    bench.sleep(SETTLED_S * (3 if executor == "multiprocess" else 1))
    _look(bench, lab, executor=executor, runs=runs)
    lab.web.cancel(ids)
    lab.web.wait(ids, timeout_s=90)
    bench.note_runs(executor, lab.records.runs(ids), runs=runs)


def _look(bench: Bench, lab: Lab, *, executor: str, runs: int) -> None:
    server = lab.server()
    seen = server.look()
    try:
        said = server.client.ping(20.0)
        ping: dict[str, Any] = {"ping_max": said.max_workers, "ping_running": said.running,
                "ping_queued": said.queued}  # fmt: skip
    except CallError as error:
        ping = {"ping_failed": error.code}
    children = seen.get("resident_runs", 0.0) + seen.get("steps", 0.0)
    bench.note("resident", executor=executor, runs=runs, pss_bytes=server.pss_bytes(),
               children=children, **ping, **seen)  # fmt: skip


def _defaults(bench: Bench, server: LabServer) -> None:
    said = server.client.ping(20.0)
    cpus = int(server.run("python3", "-c", "import os; print(os.cpu_count())"))
    bench.note("defaults", max_workers=said.max_workers, cpu_count=cpus, vcpu=1.0)
    grown_kib = int(server.run("python3", "-c", BLOCKED_THREADS))
    bench.note("threads", threads=THREADS, grown_kib=grown_kib)


def figures(seen: Observations) -> Figures:
    """From counts at each number of runs."""
    plain = [v for v in seen.of("resident") if v["executor"] in ("none", "in_process")]
    multi = seen.of("resident", executor="multiprocess")
    most = max((v for v in plain), key=lambda v: v["runs"], default=None)
    idle = seen.first("resident", executor="none")
    found: dict[str, Figure] = {
        "processes_per_run": _slope(plain, "children", "processes a run adds, in process"),
        "threads_per_run": _slope(plain, "server_threads", "threads a run adds to the server"),
        "pss_mib_per_run": _slope(plain, "pss_bytes", "PSS a run adds", unit="MiB", per=MIB),
        "pss_fit_r2": _fit(plain),
    }
    if most and idle:
        found["resident_runs_at_most"] = Figure(
            value=most.get("resident_runs"), unit="runs", meaning="runs resident at once", n=1
        )
        found["workers"] = Figure(value=WORKERS, unit="threads", meaning="worker threads there")
        for key, meaning in (
            (
                "ping_running",
                "requests running, as Dagster's Ping says, while that many runs are resident",
            ),
            ("ping_queued", "requests queued, as the Ping says then"),
        ):
            found[key] = Figure(
                value=most.get(key),
                unit="requests",
                meaning=meaning,
                why="the Ping was not answered",
            )
    if multi and idle:
        found["processes_per_multiprocess_run"] = Figure(
            value=(multi[0]["children"] - idle["children"]) / multi[0]["runs"],
            unit="processes",
            meaning="processes a run of one step adds with the multiprocess executor",
            n=multi[0]["runs"],
        )
    return {**found, **_default_figures(seen), **_thread_figures(seen)}


def _thread_figures(seen: Observations) -> Figures:
    told = seen.first("threads")
    if told is None:
        return {}
    return {
        "thread_mib": Figure(
            value=told["grown_kib"] / 1024 / told["threads"], unit="MiB", n=told["threads"],
            meaning="resident memory a blocked thread adds to a Python",
        )
    }  # fmt: skip


def _default_figures(seen: Observations) -> Figures:
    told = seen.first("defaults")
    if told is None:
        return {}
    return {
        "default_workers": Figure(
            value=told["max_workers"],
            unit="threads",
            meaning="worker threads of a server that is told none, on 1 vCPU",
        ),
        "cpu_count_seen": Figure(
            value=told["cpu_count"], unit="CPUs", meaning="CPUs the server sees, whatever its limit"
        ),
        "vcpu_limit": Figure(value=told["vcpu"], unit="vCPU", meaning="the server's CPU limit"),
    }


def _slope(
    rows: Sequence[Any], key: str, meaning: str, *, unit: str = "", per: float = 1.0
) -> Figure:
    points = [(row["runs"], row[key] / per) for row in rows if row.get(key) is not None]
    if len({runs for runs, _ in points}) < 2:
        return Figure(value=None, unit=unit, meaning=meaning, n=len(points), why="too few sizes")
    runs, values = np.array(points, dtype=float).T
    slope = float(np.polyfit(runs, values, 1)[0])
    return Figure(value=slope, unit=unit or "a run", meaning=meaning, n=len(points))


def _fit(rows: Sequence[Any]) -> Figure:
    meaning = "R² of memory on the number of runs: 1 is a straight line"
    points = [(row["runs"], row["pss_bytes"]) for row in rows]
    if len(points) < 3:
        return Figure(value=None, unit="1", meaning=meaning, n=len(points), why="too few sizes")
    runs, values = np.array(points, dtype=float).T
    return Figure(
        value=float(np.corrcoef(runs, values)[0, 1] ** 2), unit="1", meaning=meaning, n=len(points)
    )


SCENARIO = Scenario(
    name="process-model",
    question="Is a run a thread or a process, and do worker threads cap how many there are?",
    minutes=2.5,
    quick_minutes=1.1,
    measure=measure,
    figures=figures,
)
