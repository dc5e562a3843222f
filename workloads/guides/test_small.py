"""A small location, and several in one."""

from __future__ import annotations

import pytest

from workloads.common import SettingError
from workloads.guides.small import JOBS_EACH, MAX_LOCATIONS, defs, jobs

pytestmark = pytest.mark.unit


def test_a_small_location_has_three_jobs_that_run() -> None:
    names = [job.name for job in defs.resolve_all_job_defs()]
    assert [n for n in names if not n.startswith("__")] == ["wait_1_1", "wait_1_2", "wait_1_3"]
    assert defs.get_job_def("wait_1_2").execute_in_process(run_config={"seconds": 0.01}).success


def test_the_jobs_of_many_small_locations_fit_into_one() -> None:
    names = [job.name for job in jobs(10)]
    assert len(set(names)) == 10 * JOBS_EACH
    assert names[-1] == "wait_10_3"


def test_more_than_fit_are_refused() -> None:
    with pytest.raises(SettingError, match="from 1 to 100, not 101"):
        jobs(MAX_LOCATIONS + 1)
