"""The sensor workload: ticks that hold the server's worker threads, beside a trivial job.

Environment, read when the location loads:
    WORKLOAD_SENSORS              how many sensors, 1 (default) to 200: `blocker_1` … `blocker_N`
    WORKLOAD_SENSOR_MODE          `block` (default): sleep; `burn`: compute, holding the GIL
    WORKLOAD_SENSOR_S             seconds of sleep, or of CPU time, a tick; default 5
    WORKLOAD_SENSOR_INTERVAL_S    least whole seconds between two ticks; default 30
    WORKLOAD_SENSORS_RUNNING      `1`: the sensors run unless switched off; `0` (default)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from dagster import DefaultSensorStatus, Definitions, SensorDefinition, SkipReason, sensor

from workloads.common import (
    JOB_NAME,
    Params,
    SettingError,
    burn,
    choice,
    load_job,
    setting,
)

DEFAULTS: Mapping[str, float] = {"wait_s": 0.0}
MAX_SENSORS = 200

_MODES: Mapping[str, Callable[[float], None]] = {"block": time.sleep, "burn": burn}


def work(params: Params) -> Mapping[str, float]:
    """Wait `wait_s` seconds: the job is there to be launched beside the sensors."""
    time.sleep(params["wait_s"])
    return {}


def blockers(job: str = JOB_NAME, *, default_count: int = 1) -> list[SensorDefinition]:
    """The sensors the environment asks for, in the order of their numbers.

    `job` is the one they belong to, which they never launch; `default_count` how many there are
    where the environment does not say.

    Raises:
        SettingError: the environment asks for something impossible.
    """
    count = int(setting("WORKLOAD_SENSORS", default_count))
    if count > MAX_SENSORS:
        raise SettingError(f"WORKLOAD_SENSORS must be from 0 to {MAX_SENSORS}, not {count}")
    mode = choice("WORKLOAD_SENSOR_MODE", tuple(_MODES))
    duration_s = setting("WORKLOAD_SENSOR_S", 5.0)
    return [_blocker(number, job, mode, duration_s) for number in range(1, count + 1)]


def _blocker(number: int, job: str, mode: str, duration_s: float) -> SensorDefinition:
    running = choice("WORKLOAD_SENSORS_RUNNING", ("0", "1")) == "1"

    @sensor(
        name=f"blocker_{number}",
        job_name=job,
        minimum_interval_seconds=int(setting("WORKLOAD_SENSOR_INTERVAL_S", 30)),
        default_status=DefaultSensorStatus.RUNNING if running else DefaultSensorStatus.STOPPED,
    )
    def tick() -> SkipReason:
        _MODES[mode](duration_s)
        return SkipReason(f"held a worker thread: {mode} for {duration_s:g} s")

    return tick


defs = Definitions(jobs=[load_job(work, DEFAULTS)], sensors=blockers())
