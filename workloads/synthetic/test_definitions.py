"""The synthetic location: as many definitions as asked for, and a job that runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from dagster import Definitions

from workloads.common import SettingError
from workloads.synthetic import definitions

Build = Callable[..., Definitions]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    """Loads the location anew with these numbers."""

    def make(**numbers: int) -> Definitions:
        for name, number in numbers.items():
            monkeypatch.setenv(f"SYNTHETIC_{name.upper()}", str(number))
        defs: Definitions = importlib.reload(definitions).defs
        return defs

    return make


@pytest.mark.unit
def test_there_is_as_much_of_everything_as_asked_for(build: Build) -> None:
    repository = build(assets=25, jobs=3, sensors=2, partitions=4).get_repository_def()
    assert len(repository.assets_defs_by_key) == 25
    names = {job.name for job in repository.get_all_jobs()}
    assert {"load", "job_0", "job_1", "job_2"} <= names
    assert len(repository.sensor_defs) == 2
    some = next(iter(repository.assets_defs_by_key.values()))
    assert some.partitions_def is not None
    assert len(some.partitions_def.get_partition_keys()) == 4


@pytest.mark.unit
def test_without_numbers_it_is_one_job(build: Build) -> None:
    repository = build(assets=0, jobs=0, sensors=0, partitions=0).get_repository_def()
    assert [job.name for job in repository.get_all_jobs()] == ["load"]


@pytest.mark.unit
def test_layers_rest_on_the_layer_below(build: Build) -> None:
    repository = build(assets=20).get_repository_def()
    by_name = {key.to_user_string(): found for key, found in repository.assets_defs_by_key.items()}
    upper = by_name["asset_10"]
    (needs,) = upper.asset_deps.values()
    assert {key.to_user_string() for key in needs} == {"asset_0", "asset_1"}


@pytest.mark.unit
def test_more_than_fits_is_refused(build: Build) -> None:
    with pytest.raises(SettingError, match="SYNTHETIC_JOBS must be from 0 to 100000"):
        build(jobs=100_001)


@pytest.mark.integration
def test_its_job_runs(build: Build) -> None:
    result = build(assets=5).get_job_def("load").execute_in_process(run_config={"wait_s": 0.0})
    assert result.success
