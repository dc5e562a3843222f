"""What do many code locations cost when each has a server of its own, and where do runs execute?

One, ten and fifty real servers of a small location, with a webserver and a daemon that poll them:
memory, CPU at rest, the time to start and to replace them. In the first lab runs are launched.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.standing import Standing, await_daemon

SMALL = "workloads.guides.small"
MANY = 50
"""The number of locations the guide speaks of."""

SIZES, QUICK_SIZES = (1, 10, MANY), (1, 5)
MB = 1_000_000
RUNS = 3
IDLE_S, IDLE_OF_MANY_S = 12.0, 60.0
"""A minute at rest has one reload of the daemon's workspace in it."""

SETTLED_S = 5.0
LOADED_TIMEOUT_S = 180.0
PAGES = 5


def small_servers(count: int) -> tuple[ServerSpec, ...]:
    """So many servers of a small location: `small-1`, `small-2` and so on."""
    return tuple(
        ServerSpec(name=f"small-{number}", module=SMALL, memory_mib=512)
        for number in range(1, count + 1)
    )


def measure(bench: Bench) -> None:
    """At each number of servers all at rest; with one of them runs too, with the next an update."""
    sizes = QUICK_SIZES if bench.quick else SIZES
    for size in sizes:
        with bench.lab(LabSpec(servers=small_servers(size), daemon=True)) as lab:
            _at_rest(bench, lab, size)
            if size == sizes[0]:
                _runs(bench, lab)
            elif size == sizes[1]:
                _update(bench, lab)


def _at_rest(bench: Bench, lab: Lab, size: int) -> None:
    loaded_s = lab.web.await_locations(lab.spec.locations, timeout_s=LOADED_TIMEOUT_S)
    daemon_s = await_daemon(lab, bench.sleep)
    started = {f"{part}_s": took_s for part, took_s in lab.start_s.items()}
    bench.note("started", servers=size, loaded_s=loaded_s, daemon_s=daemon_s, **started)
    bench.sleep(SETTLED_S)
    window_s = IDLE_OF_MANY_S if size >= MANY else IDLE_S
    bench.say(f"At rest for {window_s:.0f} s, servers: {size}")
    with Standing(lab) as standing:
        bench.note("idle", servers=size, **standing.idle(window_s, bench.sleep))
        bench.note("memory", servers=size, **standing.memory())
    bench.note("page", servers=size, took_s=[_page_s(lab) for _ in range(PAGES)])


def _page_s(lab: Lab) -> float:
    """What the page of all locations takes."""
    began_s = time.monotonic()
    lab.web.location(lab.spec.locations[0])
    return time.monotonic() - began_s


def _runs(bench: Bench, lab: Lab) -> None:
    """Runs that sleep until they are cancelled: where are their processes?"""
    server = lab.all_servers()[0]
    before = server.look().get("processes", 0.0)
    order = Order(job="wait_1_1", location="small-1", config={"seconds": 600.0})
    ids = [each.run_id for each in lab.web.launch_all([order] * RUNS) if each.run_id]
    seen = lab.web.wait(ids, timeout_s=120, until=lambda report: report.status == "STARTED")
    started = sum(1 for report in seen.values() if report.status == "STARTED")
    look = server.look()
    bench.note(
        "runs", launched=RUNS, started=started, resident_runs=look.get("resident_runs"),
        processes_more=look.get("processes", 0.0) - before,
    )  # fmt: skip
    lab.web.cancel(ids)
    lab.web.wait(ids, timeout_s=60)


def _update(bench: Bench, lab: Lab) -> None:
    """Every server replaced by a new container, one after the other, as for a new image."""
    bench.say(f"Replacing {len(lab.spec.locations)} servers one after the other")
    began_s = time.monotonic()
    each_s = [lab.fresh(name) for name in lab.spec.locations]
    lab.web.await_locations(lab.spec.locations, timeout_s=LOADED_TIMEOUT_S)
    bench.note("update", servers=len(each_s), each_s=each_s, all_s=time.monotonic() - began_s)


def figures(seen: Observations) -> Figures:
    """Of the largest number of servers; of fifty measured there, else on the line through the
    numbers measured (least squares).
    """
    memory, idle = seen.of("memory"), seen.of("idle")
    found: dict[str, Figure] = {
        "fifty_gb": _of_fifty(
            [(each["servers"], each["servers_pss_bytes"] / 1e9) for each in memory],
            "GB", "memory (PSS) of 50 servers of a small location, in all",
        ),
        "fifty_idle_cores": _of_fifty(
            [(each["servers"], each["servers_cpu_s"] / each["window_s"]) for each in idle],
            "cores", "CPU of 50 servers at rest, polled by webserver and daemon, in all",
        ),
    }  # fmt: skip
    if memory:
        found |= _memory_figures(max(memory, key=_servers), min(memory, key=_servers))
    if idle:
        found |= _idle_figures(max(idle, key=_servers))
    return {**found, **_start_figures(seen), **_run_figures(seen), **_update_figures(seen)}


def _servers(values: Values) -> int:
    return int(values["servers"])


def _memory_figures(most: Values, least: Values) -> Figures:
    n = _servers(most)
    return {
        "servers": Figure(value=n, unit="servers", meaning="servers at once, at most"),
        "server_mb": Figure(
            value=most["servers_pss_bytes"] / n / MB, unit="MB", n=n,
            meaning="memory (PSS) of a server beside as many as there were",
        ),
        "server_alone_mb": Figure(
            value=least["servers_pss_bytes"] / _servers(least) / MB, unit="MB",
            meaning="memory (PSS) of a server that shares with as few as possible",
        ),
        "server_working_set_mb": Figure(
            value=most["servers_working_set_bytes"] / n / MB, unit="MB", n=n,
            meaning="working set of a server's container, as a cluster would count it",
        ),
    }  # fmt: skip


def _idle_figures(most: Values) -> Figures:
    window_s, n = most["window_s"], _servers(most)
    support = {
        f"{part}_idle_cores": Figure(
            value=most[f"{part}_cpu_s"] / window_s, unit="cores",
            meaning=f"CPU of the {part} at rest, beside as many servers as there were",
        )
        for part in ("webserver", "daemon")
    }  # fmt: skip
    each = Figure(
        value=most["servers_cpu_s"] / window_s / n * 1000, unit="millicores", n=n,
        meaning="CPU of a server at rest",
    )  # fmt: skip
    return {"server_idle_millicores": each, **support}


def _start_figures(seen: Observations) -> Figures:
    started = seen.of("started")
    if not started:
        return {}
    most = max(started, key=_servers)
    found = {
        "start_all_s": Figure(
            value=most["servers_s"], unit="s", n=_servers(most),
            meaning="until all servers served, started ten at a time on this host",
        ),
        "webserver_start_s": Figure(
            value=most["webserver_s"], unit="s", meaning="until the webserver served, beside them"
        ),
        "webserver_start_alone_s": Figure(
            value=min(started, key=_servers)["webserver_s"], unit="s",
            meaning="until the webserver served, beside as few servers as possible",
        ),
    }  # fmt: skip
    pages = seen.of("page")
    if pages:
        took_s = max(pages, key=_servers)["took_s"]
        found["page_s"] = Figure(
            value=statistics.median(took_s), unit="s", n=len(took_s),
            meaning="what the webserver takes to list all locations",
        )  # fmt: skip
    return found


def _run_figures(seen: Observations) -> Figures:
    told = seen.first("runs")
    if told is None:
        return {}
    return {
        "runs": Figure(value=told["started"], unit="runs", meaning="runs that execute at once"),
        "runs_in_server": Figure(
            value=told["resident_runs"], unit="processes", n=told["started"],
            meaning="run processes in the code server's container meanwhile",
            why="the server had ended",
        ),
    }  # fmt: skip


def _update_figures(seen: Observations) -> Figures:
    told = seen.first("update")
    if told is None:
        return {}
    n, all_s = _servers(told), told["all_s"]
    return {
        "update_s": Figure(
            value=all_s, unit="s", n=n, meaning="to replace all servers one after the other"
        ),
        "update_each_s": Figure(
            value=statistics.median(told["each_s"]), unit="s", n=n,
            meaning="until a replaced server serves again",
        ),
        "update_fifty_s": Figure(
            value=all_s / n * MANY, unit="s", n=n, predicted=n < MANY,
            meaning="to replace 50 servers one after the other",
        ),
    }  # fmt: skip


def _of_fifty(points: Sequence[tuple[int, float]], unit: str, meaning: str) -> Figure:
    measured = [value for servers, value in points if servers == MANY]
    if measured:
        return Figure(value=measured[0], unit=unit, meaning=meaning, n=MANY)
    if len({servers for servers, _ in points}) < 2:
        return Figure(value=None, unit=unit, meaning=meaning, n=len(points), why="too few sizes")
    line = statistics.linear_regression(*zip(*points, strict=True))
    value = line.intercept + line.slope * MANY
    return Figure(value=value, unit=unit, meaning=meaning, n=len(points), predicted=True)


SCENARIO = Scenario(
    name="code-locations",
    question="What do fifty servers of small locations cost at rest, and do they execute runs?",
    minutes=5,
    quick_minutes=1.3,
    measure=measure,
    figures=figures,
)
