"""Jobs of one op that do one thing, each in the in-process and the multiprocess executor.

    sleep, sleep_multi   {"seconds": 10.0}               wait, holding nothing
    spin, spin_multi     {"cpu_s": 1.0}                  compute until so much CPU time is used
    hold, hold_multi     {"mib": 100, "seconds": 5.0}    keep so much memory resident
    noop, noop_multi     {}                              nothing

Run config is flat, as for the other workloads; every value has the default given here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from dagster import Definitions, JobDefinition

from workloads.common import Params, ballast, burn, job_of

Work = Callable[[Params], Mapping[str, float]]


def sleep(params: Params) -> Mapping[str, float]:
    """Wait."""
    time.sleep(params["seconds"])
    return {}


def spin(params: Params) -> Mapping[str, float]:
    """Compute, holding this process's interpreter lock."""
    burn(params["cpu_s"])
    return {}


def hold(params: Params) -> Mapping[str, float]:
    """Keep memory resident for a while."""
    held = ballast(params["mib"])
    time.sleep(params["seconds"])
    return {"held_bytes": float(len(held))}


def noop(params: Params) -> Mapping[str, float]:
    """Do nothing."""
    del params
    return {}


WORK: Mapping[str, tuple[Work, Mapping[str, Any]]] = {
    "sleep": (sleep, {"seconds": 10.0}),
    "spin": (spin, {"cpu_s": 1.0}),
    "hold": (hold, {"mib": 100, "seconds": 5.0}),
    "noop": (noop, {}),
}


def jobs() -> list[JobDefinition]:
    """All of them: by name in process, with `_multi` in a process per step."""
    return [
        job_of(work, defaults, name=name + suffix, executor=executor, op_prefix=f"{name}{suffix}_")
        for name, (work, defaults) in WORK.items()
        for suffix, executor in (("", "in_process"), ("_multi", "multiprocess"))
    ]


defs = Definitions(jobs=jobs())
