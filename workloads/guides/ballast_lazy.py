"""The same location as `ballast_eager` with its model loaded inside the op that uses it.

    score, score_multi   {"seconds": 10.0}   load the model and use it, then wait

in process, and in a process per step. Only a process that works has the model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, job_of

DEFAULTS = {"seconds": 10.0}


def score(params: Params) -> Mapping[str, float]:
    """Load the model and use it, then wait."""
    from workloads.guides.ballast_model import HELD

    time.sleep(params["seconds"])
    return {"model_bytes": float(len(HELD))}


defs = Definitions(
    jobs=[
        job_of(score, DEFAULTS, name="score"),
        job_of(score, DEFAULTS, name="score_multi", executor="multiprocess", op_prefix="multi_"),
    ]
)
