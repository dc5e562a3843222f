"""A run that starts a container for every step: what does the run's own container do meanwhile?

Dagster's `DockerRunLauncher` and `docker_executor` stand in for a task a run and a task a step on
ECS: the executors share the code that coordinates. Five steps wait for a file, so that the
coordinator can be watched while all of them run; runs are started under several memory limits and
with imports that weigh; and a step fails beside others, by an exception and by its process's end.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from harness.errors import TargetFailed
from harness.rig.lab.lab import Lab
from harness.rig.lab.launching import docker_runs, sized
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.watching import Watch
from harness.rig.lab.web import Launched, Order
from harness.rig.load.dagster_graphql import GraphQLError
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.run_task_figures import (
    ENOUGH_MIB,
    HALF,
    IMPORT_MIB,
    WHOLE,
    figures,
)
from harness.scenarios.guides.scenario import Scenario

MODULE = "workloads.guides.steps"
STEPS = 5
GATE = "/scratch/release"
IMPORT_CPU_S = 1.5
"""What imports that weigh take."""

SETTLED_S = 5.0
START_PATIENCE_S = 240.0

_DATABASE = """
SELECT xact_commit + xact_rollback, sessions
FROM pg_stat_database WHERE datname = current_database()
"""
_STEP_EVENTS = """
SELECT run_id, step_key, dagster_event_type, extract(epoch FROM timestamp)::float8
FROM event_logs
WHERE run_id = ANY(%s) AND step_key IS NOT NULL
AND dagster_event_type IN ('STEP_START', 'STEP_SUCCESS', 'STEP_FAILURE')
ORDER BY id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The container of a run: its limits, and what its imports leave resident."""

    memory_mib: int
    import_mib: int = 0
    cpu_cores: float = HALF

    @property
    def location(self) -> str:
        """Name of the location whose runs are of this size."""
        return f"run-{self.memory_mib}-{self.import_mib}-{self.cpu_cores * 1000:.0f}"

    def server(self) -> ServerSpec:
        """Serves it. The server itself imports nothing that weighs: only runs do."""
        heavy = {"STEPS_IMPORT_MIB": str(self.import_mib), "STEPS_IMPORT_S": str(IMPORT_CPU_S)}
        return ServerSpec(
            name=self.location, module=MODULE, memory_mib=1024, cpu_cores=1.0,
            arguments=sized(
                memory_mib=self.memory_mib, cpu_cores=self.cpu_cores,
                environment=heavy if self.import_mib else None,
            ),
        )  # fmt: skip


PLAIN = Size(memory_mib=ENOUGH_MIB)
FASTER = Size(memory_mib=ENOUGH_MIB, cpu_cores=WHOLE)
HEAVY = tuple(Size(memory_mib=mib, import_mib=IMPORT_MIB) for mib in (256, 512, ENOUGH_MIB))
LIGHT = (Size(memory_mib=256), PLAIN)
TOO_SMALL = Size(memory_mib=64)
"""Less than a Python with Dagster holds, and far enough from it to be killed every time."""


def measure(bench: Bench) -> None:
    """One lab: five steps, sizes, starts, faults."""
    sizes = (*LIGHT, *HEAVY, *(() if bench.quick else (TOO_SMALL,)))
    spec = LabSpec(
        servers=tuple(each.server() for each in (*sizes, FASTER)),
        instance=docker_runs(memory_mib=ENOUGH_MIB, cpu_cores=HALF),
        docker_socket=True,
    )
    with bench.lab(spec) as lab:
        lab.web.await_locations(spec.locations, timeout_s=START_PATIENCE_S)
        _coordinate(bench, lab)
        _sizes(bench, lab, sizes)
        _starts(bench, lab)
        _faults(bench, lab)


def _coordinate(bench: Bench, lab: Lab) -> None:
    """Watch the coordinator while five steps wait; the database also before there is any run.

    Nobody asks the webserver anything meanwhile: what it asks the database would be counted.
    """
    window_s = 15.0 if bench.quick else 60.0
    _window(bench, lab, "idle", window_s / 2)
    bench.say(f"{STEPS} steps that wait, a container each")
    (launched,) = _launch(lab, "gate_docker", [PLAIN])
    run_id = _known(launched)
    coordinator = lab.launched(run_id)
    _await_starts(lab, run_id)
    bench.sleep(SETTLED_S)
    _window(bench, lab, "steps", window_s, coordinator)
    lab.server(PLAIN.location).run("touch", GATE)
    lab.web.wait([run_id], timeout_s=START_PATIENCE_S)
    bench.note("containers", steps=STEPS, of_steps=lab.count_steps())
    bench.note_runs("steps", lab.records.runs([run_id]), steps=STEPS)


def _window(
    bench: Bench, lab: Lab, group: str, seconds: float, coordinator: LabServer | None = None
) -> None:
    def look() -> dict[str, float]:
        ((transactions, connections),) = lab.records.ask(_DATABASE)
        stats = coordinator.stats() if coordinator else None
        return {
            "s": time.monotonic(), "transactions": float(transactions),
            "connections": float(connections), "cpu_s": stats.cpu_s if stats else 0.0,
        }  # fmt: skip

    before = look()
    bench.sleep(seconds)
    after = look()
    bench.note("window", group=group, **{key: after[key] - before[key] for key in before})


def _sizes(bench: Bench, lab: Lab, sizes: Sequence[Size]) -> None:
    """A run of one step in a container of each size, all at once."""
    bench.say(f"Runs in containers of {len(sizes)} sizes")
    launches = _launch(lab, "one_docker", sizes)
    containers = [lab.launched(_known(each)) for each in launches]
    with Watch(containers, period_s=0.2) as watch:
        _await_ends(lab, launches, containers)
    for size, launched, container in zip(sizes, launches, containers, strict=True):
        (row,) = lab.records.runs([_known(launched)])
        state = container.state()
        peak = watch.highest("anon_bytes", container.name)
        bench.note("size", **asdict(size), status=row.status, oom=bool(state.get("OOMKilled")),
                   exit_code=state.get("ExitCode"), peak_anon_bytes=peak)  # fmt: skip


def _starts(bench: Bench, lab: Lab) -> None:
    """Start runs with half a vCPU and with a whole one, by turns."""
    bench.say("Runs with half a vCPU and with a whole one")
    for _ in range(1 if bench.quick else 4):
        for size in (PLAIN, FASTER):
            (launched,) = _launch(lab, "one_in_process", [size])
            lab.web.wait([_known(launched)], timeout_s=START_PATIENCE_S)
            (row,) = lab.records.runs([_known(launched)])
            started_s = row.phases.started_s
            bench.note("start", cpu_cores=size.cpu_cores,
                       start_s=started_s and started_s - launched.sent_s)  # fmt: skip


def _faults(bench: Bench, lab: Lab) -> None:
    """A step that fails beside two that do not, by every executor and in both ways, all at once."""
    bench.say("Steps that fail, by three executors")
    kinds = [(executor, fault) for executor in ("in_process", "multi", "docker")
             for fault in ("raise", "exit")]  # fmt: skip
    orders = [
        Order(job=f"branches_{executor}", location=PLAIN.location, config={"fault": fault})
        for executor, fault in kinds
    ]
    launches = lab.web.launch_all(orders)
    ids = [_known(each) for each in launches]
    _await_ends(lab, launches, [lab.launched(run_id) for run_id in ids])
    events = lab.records.ask(_STEP_EVENTS, [ids])
    rows = {row.run_id: row for row in lab.records.runs(ids)}
    for (executor, fault), run_id in zip(kinds, ids, strict=True):
        own = [each[1:] for each in events if each[0] == run_id]
        bench.note("fault", executor=executor, fault=fault, status=rows[run_id].status,
                   events=[list(each) for each in own])  # fmt: skip


def _launch(lab: Lab, job: str, sizes: Sequence[Size]) -> list[Launched]:
    return lab.web.launch_all([Order(job=job, location=each.location) for each in sizes])


def _known(launched: Launched) -> str:
    if launched.run_id is None:
        raise TargetFailed(
            f"A run of {launched.job} was not started.", evidence=launched.error or ""
        )
    return launched.run_id


def _await_starts(lab: Lab, run_id: str) -> None:
    """Until all steps have started, or patience ends: then they do not run at once."""
    end_s = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < end_s:
        events = lab.records.ask(_STEP_EVENTS, [[run_id]])
        if sum(1 for each in events if each[2] == "STEP_START") >= STEPS:
            return
        time.sleep(1.0)


def _await_ends(lab: Lab, launches: Sequence[Launched], containers: Sequence[LabServer]) -> None:
    """Until every run has ended or its container has: nobody else ends a run whose process died."""
    end_s = time.monotonic() + START_PATIENCE_S
    by_id = {_known(each): container for each, container in zip(launches, containers, strict=True)}
    while by_id and time.monotonic() < end_s:
        ended: set[str] = set()
        with contextlib.suppress(GraphQLError):  # busy: the next look may do
            ended = {run_id for run_id, each in lab.web.statuses(list(by_id)).items() if each.ended}
        by_id = {
            run_id: each for run_id, each in by_id.items() if run_id not in ended and each.running
        }
        time.sleep(1.0)


SCENARIO = Scenario(
    name="run-task",
    question="What does a run do while its steps have containers of their own, and what fails?",
    minutes=4,
    quick_minutes=None,
    measure=measure,
    figures=figures,
    socket="Dagster starts the containers of runs and steps itself, as it starts tasks on ECS",
)
