"""The CPU workload, and how every workload's job takes its structure and its amounts."""

from __future__ import annotations

from typing import Any

import pytest
from dagster import DagsterInvalidConfigError, JobDefinition, in_process_executor

from workloads.common import SettingError, load_job
from workloads.cpu.definitions import (
    DEFAULTS,
    OPERATIONS_PER_UNIT,
    ChecksumError,
    compute,
    defs,
    expected,
    work,
)
from workloads.io.test_definitions import outputs

CHECKSUM_OF_ONE_UNIT = 6_602_750_241_462_140_161


def echo(params: Any) -> dict[str, float]:
    """A work function that reports its parameters."""
    return dict(params)


def run(job: JobDefinition, config: dict[str, Any]) -> list[dict[str, Any]]:
    """What each step of a run reported."""
    return outputs(job.execute_in_process(run_config=config))


@pytest.mark.unit
def test_the_checksum_of_a_unit_never_changes() -> None:
    assert expected(OPERATIONS_PER_UNIT) == CHECKSUM_OF_ONE_UNIT


@pytest.mark.unit
@pytest.mark.parametrize("operations", [0, 1, 2, 3, 10, 1023, 1024, 12_345])
def test_doing_the_work_gives_what_arithmetic_says(operations: int) -> None:
    assert compute(operations) == expected(operations)


@pytest.mark.unit
def test_operations_scale_with_units() -> None:
    one, two = work({"work_units": 1}), work({"work_units": 2})
    assert one["operations"] == OPERATIONS_PER_UNIT
    assert two["operations"] == 2 * OPERATIONS_PER_UNIT
    # The checksum can only be right if that many steps were really taken.
    assert two["checksum"] == expected(2 * OPERATIONS_PER_UNIT) >> 33 != one["checksum"]


@pytest.mark.unit
def test_work_that_was_not_done_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloads.cpu.definitions.compute", lambda _operations: 0)
    with pytest.raises(ChecksumError):
        work({"work_units": 1})


@pytest.mark.integration
def test_a_run_reports_its_cpu_time_and_checksum() -> None:
    (done,) = run(defs.get_job_def("load"), {"work_units": 1})
    assert done["work_cpu_s"] > 0
    assert done["work_wall_s"] > 0
    assert done["checksum"] == CHECKSUM_OF_ONE_UNIT >> 33


@pytest.mark.integration
@pytest.mark.parametrize("steps", [1, 3])
def test_flat_run_config_reaches_every_step(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKLOAD_STEPS", str(steps))
    job = load_job(echo, {"amount": 5, "wait_s": 1.0})
    done = run(job, {"amount": 7, "wait_s": 2})
    assert sorted(node.name for node in job.nodes) == [f"work_{n + 1}" for n in range(steps)]
    assert [(each["amount"], each["wait_s"]) for each in done] == [(7, 2)] * steps


@pytest.mark.integration
def test_a_parameter_left_out_comes_from_the_environment_else_is_built_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKLOAD_PARAM_WAIT_S", "2.5")
    (done,) = run(load_job(echo, {"amount": 5, "wait_s": 1.0}), {})
    assert (done["amount"], done["wait_s"]) == (5, 2.5)


@pytest.mark.integration
@pytest.mark.parametrize("config", [{"amonut": 1}, {"amount": "many"}, {"amount": 1.5}])
def test_config_the_workload_does_not_know_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(DagsterInvalidConfigError):
        load_job(echo, {"amount": 5}).execute_in_process(run_config=config)


@pytest.mark.integration
def test_a_negative_amount_fails_the_run() -> None:
    with pytest.raises(ValueError, match="amount=-1"):
        load_job(echo, {"amount": 5}).execute_in_process(run_config={"amount": -1})


@pytest.mark.unit
@pytest.mark.parametrize("name", ["in_process", "multiprocess"])
def test_the_executor_comes_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKLOAD_EXECUTOR", name)
    assert load_job(echo, DEFAULTS).executor_def.name == name


@pytest.mark.unit
def test_without_an_environment_one_step_runs_in_the_run_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WORKLOAD_EXECUTOR", raising=False)
    monkeypatch.delenv("WORKLOAD_STEPS", raising=False)
    job = load_job(echo, DEFAULTS)
    assert job.executor_def is in_process_executor
    assert [node.name for node in job.nodes] == ["work_1"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKLOAD_EXECUTOR", "threads"),
        ("WORKLOAD_STEPS", "0"),
        ("WORKLOAD_STEPS", "51"),
        ("WORKLOAD_STEPS", "few"),
        ("WORKLOAD_PARAM_WORK_UNITS", "1.5"),
        ("WORKLOAD_PARAM_WORK_UNITS", "-1"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named_when_the_location_loads(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        load_job(echo, DEFAULTS)
