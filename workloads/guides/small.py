"""A small location: three jobs of one op that waits. Or several such locations in one.

    wait_<location>_<job>   {"seconds": 0.0}   wait, holding nothing

Environment:
    WORKLOAD_LOCATIONS      how many small locations' jobs this one holds, 1 (default) to 100

Jobs have names of their own, so that the jobs of many small locations fit into one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dagster import Definitions, JobDefinition

from workloads.common import Params, SettingError, job_of, setting

JOBS_EACH = 3
MAX_LOCATIONS = 100


def wait(params: Params) -> Mapping[str, float]:
    """Wait."""
    time.sleep(params["seconds"])
    return {}


def jobs(locations: int) -> list[JobDefinition]:
    """The jobs of so many small locations.

    Raises:
        SettingError: of more than fit.
    """
    if locations > MAX_LOCATIONS:
        raise SettingError(f"WORKLOAD_LOCATIONS must be from 1 to {MAX_LOCATIONS}, not {locations}")
    names = [
        f"wait_{location}_{job}"
        for location in range(1, locations + 1)
        for job in range(1, JOBS_EACH + 1)
    ]
    return [job_of(wait, {"seconds": 0.0}, name=name, op_prefix=f"{name}_") for name in names]


defs = Definitions(jobs=jobs(int(setting("WORKLOAD_LOCATIONS", 1, low=1))))
