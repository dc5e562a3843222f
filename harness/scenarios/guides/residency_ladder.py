"""How many runs does one server hold, by what they do: are the guide's thresholds and sizes right?

A small server (1 vCPU, 2 GiB) is searched for its capacity with runs that wait, compute, do both,
and last longer. What the sizes of the guide would hold follows from the costs measured there. A
lab shows what of a launch is done by the server's own process, which no vCPU makes faster.
"""

from __future__ import annotations

import contextlib
from typing import Any

import psutil

from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec
from harness.rig.lab.web import Order
from harness.rig.telemetry.processes import role_of
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.residency_figures import figures
from harness.scenarios.guides.residents import emptied
from harness.scenarios.guides.scenario import Scenario

PROFILE = {"name": "1vcpu-2gb", "vcpu": 1, "memory_mib": 2048}
IO = {"name": "io", "params": {"requests": 8, "wait_s": 1.0, "parallel": 1}}
CPU = {"name": "cpu", "params": {"work_units": 20}}
MIXED = {"name": "mixed", "params": {"records": 100_000, "wait_s": 3.0}}
LONG_S = 20.0
"""What a `long` run waits here. Longer ones follow from it by the model."""

SHORT_STEP = {"ramp_s": 6, "settle_s": 2, "hold_s": 20, "drain_s": 60}
QUICK_STEP = {"ramp_s": 4, "settle_s": 1, "hold_s": 12, "drain_s": 60}
LONG_STEP = {"ramp_s": LONG_S, "settle_s": 2, "hold_s": 36, "drain_s": 90}


def measure(bench: Bench) -> None:
    """The searches, then launches in a lab."""
    bench.campaign(_short(quick=bench.quick))
    if not bench.quick:
        bench.campaign(_long())
    with bench.lab(LabSpec()) as lab:
        _server_cpu(bench, lab, launches=5 if bench.quick else 12)


def _short(*, quick: bool) -> dict[str, Any]:
    search = {"strategy": "adaptive", "confidence": 0.8, "max_steps": 12, "max_minutes": 2.4}
    if quick:
        search |= {"max_steps": 2, "max_minutes": 1.2}
    grids = ((IO, 24), (CPU, 8), (MIXED, 16))
    return {
        **_around("ladder-short", quick=quick),
        "workloads": [_upto(workload, highest) for workload, highest in grids],
        "step": QUICK_STEP if quick else SHORT_STEP,
        "search": search,
    }


def _long() -> dict[str, Any]:
    workload = {"name": "long", "params": {"minutes": LONG_S / 60}}
    return {
        **_around("ladder-long", quick=False),
        "workloads": [_upto(workload, 24)],
        "step": LONG_STEP,
        "search": {
            "strategy": "adaptive", "confidence": 0.8, "max_steps": 3, "max_minutes": 4.2,
        },
    }  # fmt: skip


def _around(name: str, *, quick: bool) -> dict[str, Any]:
    return {
        "name": name, "feed": "direct", "profiles": [PROFILE], "max_workers": [6],
        "warmup_runs": 1, "idle_s": 2 if quick else 3,
    }  # fmt: skip


def _upto(workload: dict[str, Any], highest: int) -> dict[str, Any]:
    return {**workload, "concurrencies": list(range(1, highest + 1))}


def _server_cpu(bench: Bench, lab: Lab, *, launches: int) -> None:
    """CPU of the server's own process over some launches, and of everything in its container."""
    server = lab.server()
    bench.say(f"{launches} launches: what the server's own process does of them")
    _launch(bench, lab, 1)
    before, own_before_s = server.stats(), _own_cpu_s(server)
    _launch(bench, lab, launches)
    after, own_s = server.stats(), _own_cpu_s(server) - own_before_s
    bench.note(
        "server_cpu", launches=launches, own_cpu_s=own_s,
        all_cpu_s=after.cpu_s - before.cpu_s if after and before else None,
    )  # fmt: skip


def _launch(bench: Bench, lab: Lab, runs: int) -> None:
    """Launch runs that do nothing, at once, and wait until they are gone."""
    launches = lab.web.launch_all([Order(job="noop")] * runs)
    lab.web.wait([each.run_id for each in launches if each.run_id], timeout_s=240)
    emptied(bench, lab.server())


def _own_cpu_s(server: LabServer) -> float:
    """CPU of the process that serves gRPC, without its children's."""
    for process in server.processes():
        with contextlib.suppress(psutil.Error):
            if role_of(process.cmdline()) == "server":
                times = process.cpu_times()
                return float(times.user + times.system)
    return 0.0


SCENARIO = Scenario(
    name="residency-ladder",
    question="How many runs does one server hold, by what they do, and which limit gives first?",
    minutes=14,
    quick_minutes=3.4,
    measure=measure,
    figures=figures,
)
