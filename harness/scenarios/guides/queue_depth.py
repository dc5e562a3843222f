"""What a long queue costs: part of `concurrency_limits`, in its lab."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.queueing import CHECKED, PATIENCE_S, await_looks, launch, looks

BULK = "bulk"
FILL = """
import sys, uuid
from dagster import DagsterInstance
with DagsterInstance.get() as instance:
    run = instance.get_run_by_id(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        instance.run_storage.add_run(run._replace(run_id=str(uuid.uuid4())))
"""
"""Run where Dagster is: puts copies of a queued run into the queue."""


def measure_depths(bench: Bench, lab: Lab, *, longest: int, window_s: float, passing: int) -> None:
    """Looks of the daemon at a queue of one blocked run, then at one of `longest`, and in each
    case how `passing` runs that nothing blocks get past it.

    The daemon must run without a pause between looks, and let no run pass whose tag is `BULK`.
    """
    (first,) = launch(lab, [Order(job="noop", tags={BULK: "yes"})])
    for depth in (1, longest):
        bench.say(f"The daemon looks at a queue of {depth}")
        if depth > 1:
            with contextlib.closing(lab.support("webserver")) as webserver:
                webserver.run("python3", "-c", FILL, first, str(depth - 1))
        _look(bench, lab, depth, window_s)
        free = launch(lab, [Order(job="noop")] * passing)
        lab.web.wait(free, timeout_s=PATIENCE_S)
        bench.note_runs("passing", lab.records.runs(free), depth=depth)


def _look(bench: Bench, lab: Lab, depth: int, window_s: float) -> None:
    await_looks(lab, CHECKED, bench.sleep)
    before = _counts(lab)
    bench.sleep(window_s)
    after = _counts(lab)
    spent = {name: after[name] - before[name] for name in before}
    bench.note("queue", depth=depth, **spent)


def _counts(lab: Lab) -> dict[str, Any]:
    """Looks so far, and what was spent until then."""
    with (
        contextlib.closing(lab.support("daemon")) as daemon,
        contextlib.closing(lab.support("postgres")) as postgres,
    ):
        return {
            "looks": looks(lab, CHECKED), "window_s": time.monotonic(),
            "daemon_cpu_s": _cpu_s(daemon), "postgres_cpu_s": _cpu_s(postgres),
        }  # fmt: skip


def _cpu_s(server: LabServer) -> float:
    stats = server.stats()
    return float(stats.cpu_s or 0.0) if stats else 0.0
