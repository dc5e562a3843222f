"""What limits of the run queue are tried on: jobs that wait, jobs in pools, a run that is guarded.

    noop       {}                                nothing
    sleep      {"seconds": 10.0}                 wait
    guarded    {"seconds": 15.0}                 wait; two sensors watch whether it runs
    warehouse  {"pool_s": 4.0, "free_s": 0.0}    an op in the pool `warehouse`, then one in none
    database   {"pool_s": 2.0, "free_s": 10.0}   an op in the pool `database`, then one in none

The sensors ask for a run of `guarded` unless there is one already. `if_none_started` looks for
STARTED runs, as the guide's schedule does, `if_none_unfinished` for all that have not ended. They
never tick by themselves: whoever wants to know evaluates them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from dagster import (
    ConfigMapping,
    DagsterRunStatus,
    DefaultSensorStatus,
    Definitions,
    Field,
    In,
    JobDefinition,
    Nothing,
    OpDefinition,
    Out,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SkipReason,
    graph,
    in_process_executor,
    op,
    sensor,
)

from workloads.common import Params, job_of

STARTED = (DagsterRunStatus.STARTED,)
UNFINISHED = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)


def noop(params: Params) -> Mapping[str, float]:
    """Do nothing."""
    del params
    return {}


def sleep(params: Params) -> Mapping[str, float]:
    """Wait."""
    time.sleep(params["seconds"])
    return {}


def _waiting_op(name: str, *, pool: str | None = None, follows: bool = False) -> OpDefinition:
    @op(
        name=name,
        pool=pool,
        config_schema={"seconds": float},
        ins={"before": In(Nothing)} if follows else {},
        out=Out(Nothing),
    )
    def wait(context):  # type: ignore[no-untyped-def]
        time.sleep(context.op_config["seconds"])

    return wait


def pooled_job(pool: str, *, pool_s: float, free_s: float) -> JobDefinition:
    """A job named after its pool: an op `<pool>_limited` in it, then `<pool>_free` in none."""
    limited = _waiting_op(f"{pool}_limited", pool=pool)
    free = _waiting_op(f"{pool}_free", follows=True)

    @graph(name=pool)
    def both() -> None:
        free(limited())

    return both.to_job(
        executor_def=in_process_executor,
        config=ConfigMapping(
            config_fn=lambda given: {
                "ops": {
                    limited.name: {"config": {"seconds": given["pool_s"]}},
                    free.name: {"config": {"seconds": given["free_s"]}},
                }
            },
            config_schema={
                "pool_s": Field(float, is_required=False, default_value=pool_s),
                "free_s": Field(float, is_required=False, default_value=free_s),
            },
        ),
    )


GUARDED = job_of(sleep, {"seconds": 15.0}, name="guarded", op_prefix="guarded_")


def guarding_sensor(name: str, statuses: Sequence[DagsterRunStatus]) -> SensorDefinition:
    """Asks for a run of `guarded` unless there is one of these statuses."""

    @sensor(name=name, job=GUARDED, default_status=DefaultSensorStatus.STOPPED)
    def guard(context):  # type: ignore[no-untyped-def]
        running = RunsFilter(job_name=GUARDED.name, statuses=list(statuses))
        if context.instance.get_run_records(running):
            return SkipReason("another run of the job is there")
        return RunRequest()

    return guard


defs = Definitions(
    jobs=[
        job_of(noop, {}, name="noop", op_prefix="noop_"),
        job_of(sleep, {"seconds": 10.0}, name="sleep", op_prefix="sleep_"),
        GUARDED,
        pooled_job("warehouse", pool_s=4.0, free_s=0.0),
        pooled_job("database", pool_s=2.0, free_s=10.0),
    ],
    sensors=[
        guarding_sensor("if_none_started", STARTED),
        guarding_sensor("if_none_unfinished", UNFINISHED),
    ],
)
