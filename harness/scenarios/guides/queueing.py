"""A lab whose runs go through the run queue: its settings, and what its daemon says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import TargetFailed
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import ServerSpec
from harness.rig.lab.web import Order

SERVER = ServerSpec(module="workloads.guides.limits", cpu_cores=2.0, memory_mib=4096)
DEFAULT_INTERVAL_S = 5
"""How long Dagster's daemon waits between two looks at the queue unless told otherwise."""

PATIENCE_S = 240
"""Whatever is waited for is there long before on an idle machine."""

FULL = "won't launch more"
CHECKED = "checking tag concurrency limits"
"""What the daemon says at a look at the queue: that nothing may go, and that it checks the runs."""


def queue_settings(
    *,
    interval_s: int = 1,
    threads: int | None = None,
    runs: Mapping[str, Any] | None = None,
    pools: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keys for `LabSpec.instance`.

    The coordinator is written out: dequeue settings have no other place. What is limited goes
    where Dagster has it since 1.10; it refuses a limit that is in both.

    Args:
        interval_s: seconds between two looks at the queue.
        threads: launches at a time; left out, Dagster's own: one after another.
        runs: `concurrency.runs`.
        pools: `concurrency.pools`.
    """
    config: dict[str, Any] = {"dequeue_interval_seconds": interval_s}
    if threads is not None:
        config |= {"dequeue_use_threads": True, "dequeue_num_workers": threads}
    limits = {name: dict(limit) for name, limit in (("runs", runs), ("pools", pools)) if limit}
    return {
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": config,
        },
        "concurrency": limits or None,
    }


def launch(lab: Lab, orders: Sequence[Order]) -> list[str]:
    """Ids of the runs, in the order of the orders.

    Raises:
        TargetFailed: one was refused.
    """
    launches = lab.web.launch_all(orders)
    refused = [each for each in launches if not each.run_id]
    if refused:
        raise TargetFailed(f"{len(refused)} launches were refused.", evidence=str(refused[0].error))
    return [str(each.run_id) for each in launches]


def looks(lab: Lab, said: str) -> int:
    """How often the daemon that runs now has said so."""
    with contextlib.closing(lab.support("daemon")) as daemon:
        return daemon.log(100_000).count(said)


def await_looks(lab: Lab, said: str, sleep: Callable[[float], None]) -> int:
    """Wait for the daemon to say so; how often it has.

    Raises:
        TargetFailed: it never does.
    """
    for _ in range(PATIENCE_S):
        if found := looks(lab, said):
            return found
        sleep(1.0)
    raise TargetFailed(f"The daemon did not look at the queue in {PATIENCE_S} s.")


def clear(lab: Lab, ids: Sequence[str]) -> None:
    """End what has not ended: first what is queued, so that nothing takes a freed place."""
    for _ in range(3):
        left = [each for each in lab.web.statuses(ids).values() if not each.ended]
        if not left:
            return
        left.sort(key=lambda report: report.status != "QUEUED")
        lab.web.cancel([report.run_id for report in left])
        lab.web.wait(ids, timeout_s=60)
