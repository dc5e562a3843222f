"""The import-heavy workload: light ops in a code location that is expensive to import.

Every run (and, with the `multiprocess` executor, every step) is a new process that imports the
location again. `WORKLOAD_IMPORT` says where the expensive module is imported: `eager` (default)
at the top, as most code does, so that the server and every process carry it; `lazy` inside the
op, so that only processes that do the work carry it.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, choice, load_job

DEFAULTS: Mapping[str, float] = {"wait_s": 1.0}
BALLAST = "workloads.heavy_import.ballast"

_EAGER = choice("WORKLOAD_IMPORT", ("eager", "lazy")) == "eager"


def work(params: Params) -> Mapping[str, float]:
    """Use the expensive module (importing it first, if lazy), then wait `wait_s` seconds."""
    held: bytearray = importlib.import_module(BALLAST).HELD
    time.sleep(params["wait_s"])
    return {"import_bytes": len(held)}


if _EAGER:
    importlib.import_module(BALLAST)

defs = Definitions(jobs=[load_job(work, DEFAULTS)])
