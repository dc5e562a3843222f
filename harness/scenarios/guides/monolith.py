"""Small locations with servers of their own, in one server, or loaded by webserver and daemon
themselves: which processes are there, what memory do they hold, and what does a broken one break?
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

import psutil

from harness.analysis.guides.types import Figure, Figures
from harness.errors import TargetFailed
from harness.facts.observations import Observations
from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.rig.telemetry.processes import role_of
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.code_locations import (
    LOADED_TIMEOUT_S,
    SETTLED_S,
    SMALL,
    small_servers,
)
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.standing import MIB, Standing, await_daemon

BROKEN = {
    "missing_library": "workloads.guides.missing_library",
    "syntax_error": "workloads.guides.syntax_error",
}
LOCATIONS, QUICK_LOCATIONS = 10, 4
SLOW = "workloads.guides.slow_import"
SLOW_IMPORT_S = 30.0
GOOD = 2
EXITS, SERVES_ERROR = "broken-exits", "broken-serves"

RENEWAL_S = 100.0
"""The daemon starts servers of its own anew every minute, and old ones live on for 20 s."""


def measure(bench: Bench) -> None:
    """The three ways to have so many locations, then broken ones among others."""
    size = QUICK_LOCATIONS if bench.quick else LOCATIONS
    with bench.lab(LabSpec(servers=(), modules=_modules(size), daemon=True)) as lab:
        _loaded(bench, lab, "modules", size)
        _processes(bench, lab, size)
    broken = (
        ServerSpec(name=EXITS, module=BROKEN["missing_library"], awaited=False),
        ServerSpec(name=SERVES_ERROR, module=BROKEN["syntax_error"],
                   arguments=("--lazy-load-user-code",)),
    )  # fmt: skip
    good = small_servers(size)
    with bench.lab(LabSpec(servers=(*good, *broken), daemon=True)) as lab:
        _loaded(bench, lab, "servers", size)
        _survey(bench, lab, "servers", [each.name for each in good])
        state = lab.server(EXITS).state()
        bench.note("broken_server", running=state.get("Running"), exit_code=state.get("ExitCode"))
    together = ServerSpec(
        name="small-1", module=SMALL, environment={"WORKLOAD_LOCATIONS": str(size)}
    )
    with bench.lab(LabSpec(servers=(together,), daemon=True)) as lab:
        _loaded(bench, lab, "one_server", size)
    _broken_modules(bench)
    if not bench.quick:
        _slow_module(bench)


def _modules(count: int) -> Mapping[str, str]:
    return {f"small-{number}": SMALL for number in range(1, count + 1)}


def _loaded(bench: Bench, lab: Lab, layout: str, size: int) -> None:
    """What all parts hold once everything has loaded; broken servers are left out."""
    good = [name for name in lab.spec.locations if name.startswith("small-")]
    lab.web.await_locations(good, timeout_s=LOADED_TIMEOUT_S)
    await_daemon(lab, bench.sleep)
    bench.sleep(SETTLED_S)
    servers = [lab.server(each.name) for each in lab.spec.servers if each.name in good]
    with Standing(lab, servers) as standing:
        bench.note("memory", layout=layout, locations=size, **standing.memory())
    bench.note("started", layout=layout, locations=size, **lab.start_s)


def _processes(bench: Bench, lab: Lab, size: int) -> None:
    """Code servers inside the webserver's and the daemon's containers, for as long as it takes
    the daemon to renew its own.
    """
    watched_s = 5.0 if bench.quick else RENEWAL_S
    bench.say(f"Counting processes for {watched_s:.0f} s")
    containers = {name: lab.support(name) for name in ("webserver", "daemon")}
    counts: dict[str, list[int]] = {name: [] for name in containers}

    def count(seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            for name, each in containers.items():
                counts[name].append(code_servers_in(each))
            bench.sleep(1.0)

    with Standing(lab) as standing:
        used = standing.idle(watched_s, count)
    for each in containers.values():
        each.close()
    bench.note("processes", modules=size, in_webserver=counts["webserver"],
               in_daemon=counts["daemon"], **used)  # fmt: skip


def code_servers_in(container: LabServer) -> int:
    """How many `dagster api grpc` processes there are in a container now."""
    found = 0
    for process in container.processes():
        try:
            found += role_of(process.cmdline()) == "server"
        except psutil.Error:
            continue  # it ended meanwhile
    return found


def _broken_modules(bench: Bench) -> None:
    """A location with a missing library and one with a syntax error, loaded beside good ones."""
    good = _modules(GOOD)
    lab = bench.lab(LabSpec(servers=(), modules={**BROKEN, **good}, daemon=True))
    try:
        with lab:
            _survey(bench, lab, "modules", list(good))
    except TargetFailed as error:
        if "webserver" in lab.start_s:
            raise
        bench.note("down", layout="modules", error=error.what)


def _survey(bench: Bench, lab: Lab, layout: str, good: Sequence[str]) -> None:
    """How every location does, and whether the good ones work: one run in each of two."""
    end_s = time.monotonic() + 60
    while any(lab.web.location(name).state == "loading" for name in lab.spec.locations):
        if time.monotonic() > end_s:
            break
        bench.sleep(1.0)
    for name in lab.spec.locations:
        told = lab.web.location(name)
        bench.note("location", layout=layout, name=name, good=name in good, state=told.state,
                   error=told.error[:200])  # fmt: skip
    orders = [Order(job="wait_1_1", location=name) for name in good[:GOOD]]
    ids = [each.run_id for each in lab.web.launch_all(orders) if each.run_id]
    ended = lab.web.wait(ids, timeout_s=120)
    daemon_serves = False
    with contextlib.suppress(TargetFailed):
        await_daemon(lab, bench.sleep)
        daemon_serves = lab.support("daemon").running
    bench.note(
        "works", layout=layout, launched=len(orders),
        succeeded=sum(1 for report in ended.values() if report.status == "SUCCESS"),
        daemon_serves=daemon_serves,
    )  # fmt: skip


def _slow_module(bench: Bench) -> None:
    """A location whose import waits, loaded beside good ones: when does the webserver serve?"""
    spec = LabSpec(
        servers=(), modules={"slow": SLOW, **_modules(GOOD)},
        environment={"WORKLOAD_IMPORT_S": str(SLOW_IMPORT_S)},
    )  # fmt: skip
    with bench.lab(spec) as lab:
        bench.note("slow", import_s=SLOW_IMPORT_S, locations=1 + GOOD, **lab.start_s)


def figures(seen: Observations) -> Figures:
    """Counts and sums as they were."""
    return {
        **_memory_figures(seen),
        **_process_figures(seen),
        **_broken_figures(seen, "servers"),
        **_broken_figures(seen, "modules"),
        **_slow_figures(seen),
    }


def _memory_figures(seen: Observations) -> Figures:
    layouts = {
        "servers": ("separate", "each location in a server of its own"),
        "one_server": ("together", "all locations in one server"),
        "modules": ("monolith", "all locations loaded by webserver and daemon"),
    }
    found = {}
    for layout, (name, words) in layouts.items():
        told = seen.first("memory", layout=layout)
        if told is not None:
            parts = ("servers", "webserver", "daemon")
            value = sum(told[f"{part}_pss_bytes"] for part in parts) / MIB
            found[f"{name}_mib"] = Figure(
                value=value, unit="MiB", n=told["locations"],
                meaning=f"memory (PSS) of servers, webserver and daemon: {words}",
            )  # fmt: skip
            found["locations"] = Figure(
                value=told["locations"], unit="locations", meaning="small locations there were"
            )
    return found


def _process_figures(seen: Observations) -> Figures:
    told = seen.first("processes")
    if told is None:
        return {}
    watched = told["window_s"] >= RENEWAL_S
    inside = "code servers inside the {}'s container, which loads all locations itself"
    return {
        "modules": Figure(
            value=told["modules"], unit="locations", meaning="locations loaded as modules"
        ),
        **{
            f"servers_in_{part}": Figure(
                value=min(told[f"in_{part}"]), unit="processes", n=len(told[f"in_{part}"]),
                meaning=inside.format(part),
            )
            for part in ("webserver", "daemon")
        },
        "servers_in_daemon_most": Figure(
            value=max(told["in_daemon"]) if watched else None, unit="processes",
            meaning="the same in the daemon at most, while it renews them every minute",
            why="too short a look",
        ),
        "daemon_cores": Figure(
            value=told["daemon_cpu_s"] / told["window_s"] if watched else None, unit="cores",
            meaning="CPU of that daemon at rest, a renewal or two in it", why="too short a look",
        ),
    }  # fmt: skip


def _broken_figures(seen: Observations, layout: str) -> Figures:
    told = seen.of("location", layout=layout)
    works = seen.first("works", layout=layout)
    if seen.of("down", layout=layout):
        meaning = "beside broken locations the webserver does not serve"
        keys = ("good_share", "runs_share", "daemon_serves")
        return {f"{layout}_{key}": Figure(value=0.0, unit="1", meaning=meaning) for key in keys}
    if not told or works is None:
        return {}
    good = [each["state"] == "loaded" for each in told if each["good"]]
    broken = [each["state"] == "loaded" for each in told if not each["good"]]
    beside = f"beside {len(broken)} broken ones, as {layout}"
    return {
        f"{layout}_good_share": Figure(
            value=sum(good) / len(good), unit="1", n=len(good),
            meaning=f"share of the good locations that load {beside}",
        ),
        f"{layout}_runs_share": Figure(
            value=works["succeeded"] / works["launched"], unit="1", n=works["launched"],
            meaning=f"share of runs in good locations that succeed {beside}",
        ),
        f"{layout}_daemon_serves": Figure(
            value=float(works["daemon_serves"]), unit="1",
            meaning=f"whether the daemon has loaded its locations and runs {beside}",
        ),
        f"{layout}_broken_share": Figure(
            value=sum(broken) / len(broken), unit="1", n=len(broken),
            meaning=f"share of the broken locations that load, as {layout}",
        ),
    }  # fmt: skip


def _slow_figures(seen: Observations) -> Figures:
    told = seen.first("slow")
    if told is None:
        return {}
    meaning = f"until the webserver serves, one of its modules importing for {told['import_s']} s"
    return {"slow_module_webserver_s": Figure(value=told["webserver"], unit="s", meaning=meaning)}


SCENARIO = Scenario(
    name="monolith",
    question="Is a monolith one process, does a broken location break it, and does merging save?",
    minutes=5,
    quick_minutes=1.4,
    measure=measure,
    figures=figures,
)
