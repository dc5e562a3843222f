"""The memory-bound workload: each op holds a stated amount of resident memory."""

from __future__ import annotations

import time
from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, ballast, load_job

DEFAULTS: Mapping[str, float] = {"ballast_mib": 100, "hold_s": 5.0}


def work(params: Params) -> Mapping[str, float]:
    """Allocate and write `ballast_mib` MiB, hold them `hold_s` seconds, give them back."""
    held = ballast(params["ballast_mib"])
    time.sleep(params["hold_s"])
    return {"ballast_bytes": len(held)}


defs = Definitions(jobs=[load_job(work, DEFAULTS)])
