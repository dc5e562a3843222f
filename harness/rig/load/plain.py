"""What the plain `locust` command may say about Dagster, in place of our driver's order."""

from __future__ import annotations

import json
from typing import Any

from harness.rig.orders import JobOrder, LoadOrder

WORKLOAD_TAG = "dagster-load-harness/workload"
DEFAULT_JOB = "load"
DEFAULT_LOCATION = "under-test"


def add_options(parser: Any) -> None:
    """Our options, beside Locust's own; `parser` is an `argparse.ArgumentParser`."""
    group = parser.add_argument_group("Dagster", "what to launch")
    group.add_argument("--job", default=DEFAULT_JOB, help="the job to launch")
    group.add_argument("--location", default=DEFAULT_LOCATION, help="its code location")
    group.add_argument("--run-config", default="{}", help="its run config, as JSON")
    group.add_argument("--workload", default="", help="a name to tag the runs with")
    group.add_argument("--crew", type=int, default=0, help="workers of our driver's own master")
    group.add_argument("--load-out", default="", help="write every event to this file (JSON lines)")


def order_of(options: Any, webserver_url: str) -> LoadOrder:
    """A closed model whose users, spawn rate and times are Locust's: those here mean nothing.

    Raises:
        ValueError: the run config is not JSON.
    """
    job = JobOrder(job=options.job, share=1, run_config=json.loads(options.run_config))
    return LoadOrder(
        step=0,
        webserver_url=webserver_url,
        location=options.location,
        jobs=(job,),
        tags={WORKLOAD_TAG: options.workload} if options.workload else {},
        concurrency=options.num_users or 1,
        ramp_s=0,
        settle_s=0,
        hold_s=0,
        drain_s=0,
        burst=False,
    )
