"""What a cell asks of Dagster, the same for every target: module, instance, queue."""

from __future__ import annotations

from typing import Any

from harness.campaign.plan import CellPlan

UNCAPPED = 1000
"""`max_concurrent_runs` where the campaign sets none: Dagster's own default of 10 would bind."""


LOOPBACK = "127.0.0.1"
ANY_ADDRESS = "0.0.0.0"


def web_host(web_address: str) -> str:
    """Where this host itself calls a webserver that listens at an address of it, or at all."""
    return LOOPBACK if web_address == ANY_ADDRESS else web_address


def location_module(cell: CellPlan) -> str:
    """The module the code server loads, where that is ours."""
    return f"workloads.{cell.workload.package}.definitions"


def instance_name(cell: CellPlan) -> str:
    """The folder below `compose/dagster-home` whose `dagster.yaml` the cell uses.

    Launching in threads is a variant of its own: Dagster takes every number of the run queue from
    the environment, but no switch.
    """
    threads = cell.feed == "queued" and cell.queue.dequeue_threads is not None
    return "queued-threads" if threads else cell.feed


def queue_environment(cell: CellPlan) -> dict[str, str]:
    """What the instance's `{env: …}` stand for; every Dagster process of the cell needs them."""
    return {
        "MAX_CONCURRENT_RUNS": str(_cap(cell)),
        "DEQUEUE_INTERVAL_S": str(cell.queue.dequeue_interval_s),
        "DEQUEUE_THREADS": str(cell.queue.dequeue_threads or 1),
    }


def describe_feed(cell: CellPlan) -> dict[str, Any]:
    """How the cell's runs and ticks get to the server, for `cell.json`.

    `max_concurrent_runs` is what Dagster was told, `dequeue_threads` `None` its own loop: one
    launch at a time. Both and `dequeue_interval_s` are there with the feed `queued` only.
    """
    told: dict[str, Any] = {"instance": instance_name(cell), "daemon": cell.needs_daemon}
    if cell.feed == "queued":
        told |= {"max_concurrent_runs": _cap(cell), **cell.queue.model_dump()}
    return told


def _cap(cell: CellPlan) -> int:
    return UNCAPPED if cell.max_concurrent_runs is None else cell.max_concurrent_runs
