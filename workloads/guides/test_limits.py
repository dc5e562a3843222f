"""Jobs in pools, and sensors that guard a job."""

from __future__ import annotations

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SensorDefinition,
    SkipReason,
    build_sensor_context,
)

from workloads.guides.limits import GUARDED, STARTED, UNFINISHED, defs, guarding_sensor

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("job", ["noop", "sleep", "guarded", "warehouse", "database"])
def test_every_job_runs_to_its_end(job: str) -> None:
    waits = {"sleep": ["seconds"], "guarded": ["seconds"], "noop": []}
    config = dict.fromkeys(waits.get(job, ["pool_s", "free_s"]), 0.0)
    assert defs.get_job_def(job).execute_in_process(run_config=config).success


@pytest.mark.parametrize("job", ["warehouse", "database"])
def test_the_first_op_alone_is_in_the_pool_named_as_the_job(job: str) -> None:
    pools = {op.name: op.pool for op in defs.get_job_def(job).all_node_defs}
    assert pools == {f"{job}_limited": job, f"{job}_free": None}


def evaluated(guard: SensorDefinition, instance: DagsterInstance) -> object:
    return guard(build_sensor_context(instance=instance))


@pytest.mark.parametrize(
    ("statuses", "there", "asks"),
    [
        (STARTED, None, True),
        (STARTED, DagsterRunStatus.STARTED, False),
        (STARTED, DagsterRunStatus.STARTING, True),
        (STARTED, DagsterRunStatus.NOT_STARTED, True),
        (UNFINISHED, None, True),
        (UNFINISHED, DagsterRunStatus.STARTED, False),
        (UNFINISHED, DagsterRunStatus.STARTING, False),
        (UNFINISHED, DagsterRunStatus.NOT_STARTED, False),
        (UNFINISHED, DagsterRunStatus.SUCCESS, True),
    ],
)
def test_a_guard_asks_for_a_run_unless_it_sees_one(
    statuses: tuple[DagsterRunStatus, ...], there: DagsterRunStatus | None, asks: bool
) -> None:
    with DagsterInstance.ephemeral() as instance:
        if there is not None:
            instance.create_run_for_job(GUARDED, status=there)
        answer = evaluated(guarding_sensor("guard", statuses), instance)
    assert isinstance(answer, RunRequest if asks else SkipReason)
