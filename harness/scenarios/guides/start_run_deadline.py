"""What becomes of runs whose launch takes longer than its deadline?

A burst waits in the run queue while the daemon is down; then the daemon launches all of it at
once, with a deadline of 5 s for each launch in place of Dagster's 60. On 1 vCPU most launches take
longer. Few worker threads or many, without retries and with three: what Dagster says of the runs is
compared with what their processes did.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.rig.lab.cpu_time import CpuTime
from harness.rig.lab.lab import Lab
from harness.rig.lab.records import RunRow
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.start_run_deadline_figures import DEADLINE_S, figures

WORKERS = {"few": 2, "many": 32}
RETRIES = 3
RETRY_DELAY_S = 5
DEQUEUE_THREADS = 32
RUN_S = 3.0
PATIENCE_S = 300.0
SETTLED_S = 4.0
"""Nothing has happened for so long after the last run: nothing will."""

_EVENTS_LIKE = """
SELECT run_id, count(*) FROM event_logs
WHERE dagster_event_type = 'ENGINE_EVENT' AND run_id = ANY(%s) AND event LIKE %s GROUP BY run_id
"""
_PROCESS = "%Started process for run%"
_TOO_LATE = "%timed out due to taking longer than%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A burst to the server of `few` or of `many` worker threads, and how often the daemon
    launches a run again that it could not reach the server for.
    """

    server: str
    retries: int
    runs: int


def measure(bench: Bench) -> None:
    """Without retries, then with; a quick run only has many worker threads."""
    runs = 12 if bench.quick else 30
    servers = ("many",) if bench.quick else ("few", "many")
    for retries, names in ((0, servers), (RETRIES, ("many",))):
        with bench.lab(_lab(names, retries)) as lab:
            for name in names:
                _burst(bench, lab, Case(server=name, retries=retries, runs=runs))


def _lab(names: Sequence[str], retries: int) -> LabSpec:
    coordinator = {
        "module": "dagster._core.run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {
            "max_concurrent_runs": 1000,
            "dequeue_use_threads": True,
            "dequeue_num_workers": DEQUEUE_THREADS,
            "max_user_code_failure_retries": retries,
            "user_code_failure_retry_delay": RETRY_DELAY_S,
        },
    }
    return LabSpec(
        servers=tuple(
            ServerSpec(name=name, max_workers=WORKERS[name], memory_mib=4096) for name in names
        ),
        daemon=True,
        instance={"run_coordinator": coordinator},
        environment={"DAGSTER_GRPC_TIMEOUT_SECONDS": f"{DEADLINE_S:.0f}"},
    )


def _burst(bench: Bench, lab: Lab, case: Case) -> None:
    """Queue the burst, let the daemon loose, and wait until nothing more happens."""
    bench.say(f"{case.runs} launches, {case.server} worker threads, {case.retries} retries")
    # Launched meanwhile, the rest of the burst would meet the same deadline in the webserver.
    lab.support("daemon").stop(5)
    order = Order(job="sleep", location=case.server, config={"seconds": RUN_S})
    launches = lab.web.launch_all([order] * case.runs)
    ids = [each.run_id for each in launches if each.run_id]
    cpu = CpuTime([lab.server(case.server)])
    lab.start_service("daemon")
    rows, settled = _await_quiet(bench, lab, case.server, ids)
    about = {"server": case.server, "retries": case.retries}
    bench.note("burst", runs=case.runs, accepted=len(ids), workers=WORKERS[case.server],
               settled=settled, **cpu.spent(), **about)  # fmt: skip
    counts = {
        name: dict(lab.records.ask(_EVENTS_LIKE, [ids, words]))
        for name, words in (("processes", _PROCESS), ("too_late", _TOO_LATE))
    }
    for row in rows:
        counted = {name: int(by_run.get(row.run_id, 0)) for name, by_run in counts.items()}
        bench.note("run", **counted, **about, **_told(row))


def _await_quiet(
    bench: Bench, lab: Lab, name: str, ids: Sequence[str]
) -> tuple[list[RunRow], bool]:
    """Until every run has ended, as Dagster says, and no run's process is left, and both stay so.

    Returns:
        The runs, and whether it came to that in time.
    """
    end_s, quiet_s = time.monotonic() + PATIENCE_S, 0.0
    while True:
        rows = lab.records.runs(ids)
        resident = lab.server(name).look().get("resident_runs", 0.0)
        ended = all(row.status in ("SUCCESS", "FAILURE", "CANCELED") for row in rows)
        quiet_s = quiet_s + 1.0 if ended and not resident else 0.0
        if quiet_s > SETTLED_S or time.monotonic() > end_s:
            return rows, quiet_s > SETTLED_S
        bench.sleep(1.0)


def _told(row: RunRow) -> Mapping[str, Any]:
    """What Dagster says of a run, how often it was executed, and its steps that were done."""
    return {
        "run_id": row.run_id,
        "status": row.status,
        "starts": row.starts,
        "finished": len(row.step_ends) - row.step_failures,
        "error_class": row.phases.error_class,
        "error": (row.phases.error or "")[:200],
    }


SCENARIO = Scenario(
    name="start-run-deadline",
    question="What becomes of runs whose launch takes longer than its deadline?",
    minutes=4,
    quick_minutes=None,
    measure=measure,
    figures=figures,
)
