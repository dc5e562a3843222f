"""Is memory a base plus so much a run, do runs share what they import, and what is at the wall?

Runs that only wait are held at two to twelve at once: of a light location, of one that loads a
model of 200 MiB at the top of its module, and of one that loads it inside the op; in process, and
in a process per step. Last, more of them than a small server has memory for.
"""

from __future__ import annotations

import time

from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.memory_figures import figures
from harness.scenarios.guides.residents import Burst, hold, still
from harness.scenarios.guides.scenario import Scenario

MODEL_MIB = 200
LOCATIONS = {
    "light": "workloads.guides.jobs",
    "eager": "workloads.guides.ballast_eager",
    "lazy": "workloads.guides.ballast_lazy",
}
LASTING = {"seconds": 900.0}
"""Longer than anything here takes: runs are cancelled."""

WALL_MIB = 640
WALL_RUNS = 10
WALL_LIMIT_S = 120.0
AFTER_S = 5.0
"""What follows a process's death is over by then."""


def measure(bench: Bench) -> None:
    """Idle servers, one run alone on each, bursts, and the wall."""
    servers = [
        ServerSpec(
            name=name, module=module, cpu_cores=1.5, memory_mib=8192,
            environment={"MODEL_MIB": str(MODEL_MIB)},
        )
        for name, module in LOCATIONS.items()
    ]  # fmt: skip
    tight = ServerSpec(name="tight", cpu_cores=1.5, memory_mib=WALL_MIB)
    with bench.lab(LabSpec(servers=(*servers, tight))) as lab:
        _idle(bench, lab)
        _alone(bench, lab)
        for burst in _bursts(quick=bench.quick):
            executor = "multiprocess" if burst.job.endswith("_multi") else "in_process"
            hold(bench, lab, burst, executor=executor, model_mib=MODEL_MIB)
        _wall(bench, lab)


def _bursts(*, quick: bool) -> list[Burst]:
    """From few runs to many. The heavy ones are fewer: each takes 300 MiB or twice that."""
    light, multi = ((2, 6), (2,)) if quick else ((2, 6, 12), (2, 6, 12))
    heavy, heavy_multi = ((4,), ()) if quick else ((2, 6), (3,))
    plan: list[tuple[str, str, tuple[int, ...]]] = [
        ("light", "sleep", light), ("light", "sleep_multi", multi),
        ("eager", "score", heavy), ("eager", "score_multi", heavy_multi),
        ("lazy", "score", heavy), ("lazy", "score_multi", heavy_multi),
    ]  # fmt: skip
    return [
        Burst(server=server, job=job, runs=runs, config=LASTING)
        for server, job, sizes in plan
        for runs in sizes
    ]


def _idle(bench: Bench, lab: Lab) -> None:
    for name in LOCATIONS:
        server = lab.server(name)
        still(bench, server)
        bench.note("idle", server=name, model_mib=MODEL_MIB, pss_bytes=server.pss_bytes())


def _alone(bench: Bench, lab: Lab) -> None:
    """One run after the other on each: the first one reads files from disk, so it is left out."""
    for name in LOCATIONS:
        job = "sleep" if name == "light" else "score"
        for turn in ("first", *(["again"] if bench.quick else ["again"] * 3)):
            bench.say(f"One run of {job} on {name}")
            launched = lab.web.launch(Order(job=job, location=name, config={"seconds": 0.0}))
            ids = [launched.run_id] if launched.run_id else []
            lab.web.wait(ids, timeout_s=120)
            bench.note_runs("alone", lab.records.runs(ids), server=name, turn=turn)


def _wall(bench: Bench, lab: Lab) -> None:
    """More runs than there is memory for; what is left of them."""
    bench.say(f"{WALL_RUNS} runs on a server of {WALL_MIB} MiB")
    server = lab.server("tight")
    order = Order(job="sleep", location="tight", config=LASTING)
    with lab.watch(server) as watch:
        launches = lab.web.launch_all([order] * WALL_RUNS)
        last_s = time.monotonic() + WALL_LIMIT_S
        while time.monotonic() < last_s and server.running and not watch.highest("oom_kills"):
            bench.sleep(0.5)
        bench.sleep(AFTER_S)
    state, seen = server.state(), server.look()
    bench.note(
        "wall", limit_mib=WALL_MIB, runs=WALL_RUNS,
        accepted=sum(1 for each in launches if each.run_id),
        oom_kills=watch.highest("oom_kills"), most_resident=watch.highest("resident_runs"),
        highest_bytes=watch.highest("usage_bytes"), resident=seen.get("resident_runs", 0.0),
        running=server.running, oom_killed=bool(state.get("OOMKilled")),
        exit_code=state.get("ExitCode"),
    )  # fmt: skip


SCENARIO = Scenario(
    name="memory-ladder",
    question="Is memory a base plus so much a run, and do runs share what they import?",
    minutes=4,
    quick_minutes=1.6,
    measure=measure,
    figures=figures,
)
