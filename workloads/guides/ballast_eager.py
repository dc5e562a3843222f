"""A location that loads its model at the top of the module, as most code does.

    score, score_multi   {"seconds": 10.0}   use the model, then wait

in process, and in a process per step. Every process that imports the location has the model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, job_of
from workloads.guides.ballast_model import HELD

DEFAULTS = {"seconds": 10.0}


def score(params: Params) -> Mapping[str, float]:
    """Use the model, then wait."""
    time.sleep(params["seconds"])
    return {"model_bytes": float(len(HELD))}


defs = Definitions(
    jobs=[
        job_of(score, DEFAULTS, name="score"),
        job_of(score, DEFAULTS, name="score_multi", executor="multiprocess", op_prefix="multi_"),
    ]
)
