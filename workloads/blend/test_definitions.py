"""The blend: each part as it is alone, in one location."""

from __future__ import annotations

from typing import Any

import pytest
from dagster import Definitions

from workloads.blend.definitions import blended, defs
from workloads.common import SettingError
from workloads.cpu.definitions import OPERATIONS_PER_UNIT
from workloads.io.test_definitions import outputs
from workloads.sensor import definitions as sensor


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("WORKLOAD_BLEND", "WORKLOAD_SENSORS", "WORKLOAD_STEPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORKLOAD_IMPORT", "lazy")  # or this process would carry the ballast
    return monkeypatch


def job_names(made: Definitions) -> list[str]:
    """Asking the repository also checks that no two ops share a name."""
    return sorted(job.name for job in made.get_repository_def().get_all_jobs())


@pytest.mark.unit
def test_the_location_loads_without_any_environment() -> None:
    assert job_names(defs) == ["load_cpu", "load_io", "load_mixed"]


@pytest.mark.unit
@pytest.mark.parametrize("steps", ["1", "3"])
def test_each_part_is_a_job_in_either_spelling(environment: Any, steps: str) -> None:
    environment.setenv("WORKLOAD_BLEND", "memory, long,sensor,heavy-import")
    environment.setenv("WORKLOAD_STEPS", steps)
    assert job_names(blended()) == ["load_heavy_import", "load_long", "load_memory", "load_sensor"]
    environment.setenv("WORKLOAD_BLEND", "heavy_import")
    assert job_names(blended()) == ["load_heavy_import"]


@pytest.mark.integration
def test_each_job_takes_its_own_part_s_parameters_and_does_its_work(environment: Any) -> None:
    environment.setenv("WORKLOAD_BLEND", "cpu,memory")
    made = blended().get_repository_def()
    computed = made.get_job("load_cpu").execute_in_process(run_config={"work_units": 1})
    (done,) = outputs(computed)
    assert done["operations"] == OPERATIONS_PER_UNIT
    assert done["work_cpu_s"] > 0
    held = made.get_job("load_memory").execute_in_process(
        run_config={"ballast_mib": 1, "hold_s": 0.0}
    )
    assert outputs(held)[0]["ballast_bytes"] == 2**20


@pytest.mark.unit
def test_sensors_tick_only_where_asked_for_and_belong_to_the_first_part(environment: Any) -> None:
    environment.setenv("WORKLOAD_BLEND", "cpu,io")
    assert list(blended().get_repository_def().sensor_defs) == []
    environment.setenv("WORKLOAD_SENSORS", "0")
    assert list(blended().get_repository_def().sensor_defs) == []
    environment.setenv("WORKLOAD_SENSORS", "3")
    sensors = blended().get_repository_def().sensor_defs
    assert sorted(each.name for each in sensors) == ["blocker_1", "blocker_2", "blocker_3"]
    assert {each.job_name for each in sensors} == {"load_cpu"}


@pytest.mark.unit
def test_its_sensors_are_those_of_the_sensor_workload(environment: Any) -> None:
    held: list[float] = []
    environment.setattr(sensor, "_MODES", {"block": held.append, "burn": held.append})
    environment.setenv("WORKLOAD_SENSORS", "1")
    environment.setenv("WORKLOAD_SENSOR_S", "2.5")
    (only,) = blended().get_repository_def().sensor_defs
    only()
    assert held == [2.5]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("blend", "said"),
    [
        ("io,gpu", r"'gpu'; there are cpu, heavy_import, io, long, memory, mixed, sensor"),
        ("blend", r"'blend'; there are cpu"),
        ("io,,cpu", r"''; there are cpu"),
        ("heavy-import,heavy_import", "twice"),
    ],
)
def test_a_part_that_cannot_be_meant_is_named(environment: Any, blend: str, said: str) -> None:
    environment.setenv("WORKLOAD_BLEND", blend)
    with pytest.raises(SettingError, match=f"WORKLOAD_BLEND names .*{said}"):
        blended()


@pytest.mark.unit
def test_a_part_s_own_setting_that_cannot_be_meant_is_named(environment: Any) -> None:
    environment.setenv("WORKLOAD_BLEND", "cpu")
    environment.setenv("WORKLOAD_PARAM_WORK_UNITS", "many")
    with pytest.raises(SettingError, match="WORKLOAD_PARAM_WORK_UNITS"):
        blended()
