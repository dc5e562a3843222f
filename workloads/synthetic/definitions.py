"""A code location of any size: assets, jobs, partitions and sensors by number, and one light job.

What a run does is nothing; what it costs is the location around it, which the server holds and
every run's process loads again.

Environment, read when the location loads:
    SYNTHETIC_ASSETS        assets in layers of ten, each on two of the layer below: 0 (default)
    SYNTHETIC_PARTITIONS    partitions of every asset: 0 (default) for none
    SYNTHETIC_JOBS          jobs of one op beside `load`: 0 (default)
    SYNTHETIC_SENSORS       sensors, stopped: 0 (default)
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dagster import (
    AssetsDefinition,
    Definitions,
    JobDefinition,
    SensorDefinition,
    SkipReason,
    StaticPartitionsDefinition,
    asset,
)

from workloads.common import JOB_NAME, Params, SettingError, job_of, load_job, setting

DEFAULTS: Mapping[str, float] = {"wait_s": 0.0}
LAYER = 10
MOST = 100_000


def work(params: Params) -> Mapping[str, float]:
    """Wait."""
    time.sleep(params["wait_s"])
    return {}


def amount(name: str) -> int:
    """How many of a kind the environment asks for.

    Raises:
        SettingError: too many, or no number.
    """
    found = int(setting(f"SYNTHETIC_{name}", 0))
    if found > MOST:
        raise SettingError(f"SYNTHETIC_{name} must be from 0 to {MOST}, not {found}")
    return found


def assets(count: int, partitions: int) -> list[AssetsDefinition]:
    """Assets in layers of ten; each depends on two of the layer below it."""
    keys = [str(number) for number in range(partitions)]
    by = StaticPartitionsDefinition(keys) if keys else None
    return [_asset(number, by) for number in range(count)]


def _asset(number: int, by: StaticPartitionsDefinition | None) -> AssetsDefinition:
    layer, place = divmod(number, LAYER)
    below = [(layer - 1) * LAYER + (place + step) % LAYER for step in range(2)] if layer else []

    @asset(
        name=f"asset_{number}",
        deps=[f"asset_{each}" for each in below],
        group_name=f"layer_{layer}",
        partitions_def=by,
    )
    def nothing() -> None: ...

    return nothing


def jobs(count: int) -> list[JobDefinition]:
    """Jobs of one op that waits."""
    return [
        job_of(work, DEFAULTS, name=f"job_{number}", op_prefix=f"job_{number}_")
        for number in range(count)
    ]


def sensors(count: int) -> list[SensorDefinition]:
    """Sensors that skip; nobody starts them."""
    return [
        SensorDefinition(
            name=f"sensor_{number}", job_name=JOB_NAME, evaluation_fn=lambda _: SkipReason("none")
        )
        for number in range(count)
    ]


defs = Definitions(
    assets=assets(amount("ASSETS"), amount("PARTITIONS")),
    jobs=[load_job(work, DEFAULTS), *jobs(amount("JOBS"))],
    sensors=sensors(amount("SENSORS")),
)
