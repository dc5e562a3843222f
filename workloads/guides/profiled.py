"""An asset that profiles itself as the ECS sizing guide advises, and can leave that out.

    profiled, profiled_multi   {"ops": {"rows": {"config": {"mib": 50, ...}}}}

in process, and in a process per step. The asset builds `mib` MiB of rows, keeps them `seconds`
seconds, and writes one line into the log (`REPORT`). With `profile` it does what the guide does:
allocations are traced while the rows are built, and resident memory is read before and after.

The guide reads resident memory through psutil, which Dagster does not bring along on Linux. It is
the kernel's `VmRSS`, so it is read there.
"""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any

from dagster import (
    Definitions,
    Field,
    MaterializeResult,
    asset,
    define_asset_job,
    in_process_executor,
    multiprocess_executor,
)

MIB = 1024 * 1024
ROW_BYTES = 136
"""A row as Python holds it: a string of 64 characters in 128 bytes, and a pointer to it."""

REPORT = "profile: rss_delta={rss_delta} traced_peak={traced_peak} built_s={built_s:.4f}"
"""Bytes; -1 where it did not profile. `built_s`: what building the rows took."""

CONFIG = {
    "mib": Field(int, is_required=False, default_value=0),
    "seconds": Field(float, is_required=False, default_value=0.0),
    "profile": Field(bool, is_required=False, default_value=True),
}


def resident_bytes() -> int:
    """Resident memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


def build(mib: int) -> list[str]:
    """Rows that take `mib` MiB."""
    return [f"{number:064d}" for number in range(mib * MIB // ROW_BYTES)]


def build_traced(mib: int) -> tuple[list[str], int, int]:
    """Rows, what resident memory grew by, and the peak of traced allocations, in bytes."""
    tracemalloc.start()
    before = resident_bytes()
    made = build(mib)
    grown = resident_bytes() - before
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return made, grown, peak


# Dagster refuses an annotation of `context` that `from __future__` has turned into a string.
@asset(config_schema=CONFIG)
def rows(context):  # type: ignore[no-untyped-def]
    """Build rows, tell what that took, keep them for a while."""
    wanted: dict[str, Any] = context.op_execution_context.op_config
    began_s = time.monotonic()
    grown = peak = -1
    if wanted["profile"]:
        made, grown, peak = build_traced(wanted["mib"])
    else:
        made = build(wanted["mib"])
    built_s = time.monotonic() - began_s
    context.log.info(REPORT.format(rss_delta=grown, traced_peak=peak, built_s=built_s))
    time.sleep(wanted["seconds"])
    return MaterializeResult(metadata={"rows": len(made), "rss_delta": grown, "traced_peak": peak})


defs = Definitions(
    assets=[rows],
    jobs=[
        define_asset_job("profiled", [rows], executor_def=in_process_executor),
        define_asset_job("profiled_multi", [rows], executor_def=multiprocess_executor),
    ],
)
