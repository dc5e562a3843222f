"""The sensor workload: as many blocking sensors as the environment asks for."""

from __future__ import annotations

import time

import pytest
from dagster import DefaultSensorStatus, SkipReason

from workloads.common import SettingError, burn
from workloads.io.test_definitions import outputs
from workloads.sensor import definitions
from workloads.sensor.definitions import blockers, defs


@pytest.mark.unit
def test_one_stopped_sensor_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKLOAD_SENSORS", raising=False)
    (only,) = blockers()
    assert only.name == "blocker_1"
    assert only.job_name == "load"
    assert only.default_status is DefaultSensorStatus.STOPPED
    assert only.minimum_interval_seconds == 30


@pytest.mark.unit
@pytest.mark.parametrize("count", [0, 2, 12])
def test_the_environment_says_how_many(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKLOAD_SENSORS", str(count))
    assert [each.name for each in blockers()] == [f"blocker_{n}" for n in range(1, count + 1)]


@pytest.mark.unit
def test_beside_another_job_they_belong_to_it_and_there_may_be_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WORKLOAD_SENSORS", raising=False)
    assert blockers("load_io", default_count=0) == []
    monkeypatch.setenv("WORKLOAD_SENSORS", "2")
    assert [each.job_name for each in blockers("load_io", default_count=0)] == ["load_io"] * 2


@pytest.mark.unit
def test_they_run_and_tick_as_often_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKLOAD_SENSORS_RUNNING", "1")
    monkeypatch.setenv("WORKLOAD_SENSOR_INTERVAL_S", "7")
    (only,) = blockers()
    assert only.default_status is DefaultSensorStatus.RUNNING
    assert only.minimum_interval_seconds == 7


@pytest.mark.unit
@pytest.mark.parametrize("mode", ["block", "burn"])
def test_a_tick_holds_its_thread_in_the_chosen_way_and_skips(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[str, float]] = []
    modes = {
        name: lambda seconds, name=name: held.append((name, seconds)) for name in ("block", "burn")
    }
    monkeypatch.setattr(definitions, "_MODES", modes)
    monkeypatch.setenv("WORKLOAD_SENSOR_MODE", mode)
    monkeypatch.setenv("WORKLOAD_SENSOR_S", "12.5")
    reason = blockers()[0]()
    assert held == [(mode, 12.5)]
    assert isinstance(reason, SkipReason)
    assert reason.skip_message == f"held a worker thread: {mode} for 12.5 s"


@pytest.mark.unit
def test_burning_uses_the_cpu_time_it_was_told() -> None:
    before_s = time.thread_time()
    burn(0.02)
    assert time.thread_time() - before_s >= 0.02


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKLOAD_SENSORS", "-1"),
        ("WORKLOAD_SENSORS", "201"),
        ("WORKLOAD_SENSOR_MODE", "spin"),
        ("WORKLOAD_SENSOR_S", "-1"),
        ("WORKLOAD_SENSOR_INTERVAL_S", "0.5"),
        ("WORKLOAD_SENSORS_RUNNING", "yes"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        blockers()


@pytest.mark.integration
def test_the_trivial_job_runs_beside_them() -> None:
    result = defs.get_job_def("load").execute_in_process(run_config={})
    (done,) = outputs(result)
    assert set(done) == {"work_cpu_s", "work_wall_s"}
