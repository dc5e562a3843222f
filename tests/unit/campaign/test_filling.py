"""How long runs last, so that a limit is filled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.campaign.filling import (
    LONGEST_RUN_S,
    MIXED_WAIT_S,
    SECONDS_BY,
    SPARE,
    Filling,
    Need,
    filled_workload,
    filling_of,
)
from harness.campaign.packages import PACKAGES
from harness.campaign.plan import Part, Workload

pytestmark = pytest.mark.unit

NEED = Need(limit=10, cores=1.0)


def filling(name: str = "io", need: Need = NEED) -> Filling:
    found = filling_of(need, Workload(name=name))
    assert found is not None
    return found


def test_runs_outlast_the_launching_of_as_many_as_are_allowed() -> None:
    assert filling().run_s >= SPARE * NEED.filling_s > NEED.filling_s


@pytest.mark.parametrize(
    "slower", [{"cores": 0.5}, {"limit": 20}, {"pace_s": 6.0}], ids=lambda each: next(iter(each))
)
def test_slower_launches_and_higher_limits_ask_for_longer_runs(slower: dict[str, Any]) -> None:
    assert filling(need=replace(NEED, **slower)).run_s > filling().run_s


def test_launches_side_by_side_are_as_fast_as_the_cpu_lets_them() -> None:
    wide = Need(limit=10, cores=8.0)
    assert replace(wide, threads=4).launch_s < wide.launch_s
    assert replace(NEED, threads=4).launch_s == NEED.launch_s, "one core is busy with one launch"


@pytest.mark.parametrize(
    ("name", "params"),
    [("io", {"requests": 30}), ("long", {"minutes": 0.5}), ("memory", {"hold_s": 30})],
)
def test_each_workload_is_told_in_its_own_parameter(name: str, params: dict[str, float]) -> None:
    assert filling(name).params == params


def test_every_package_of_ours_can_be_told() -> None:
    assert {*SECONDS_BY, "cpu"} == set(PACKAGES)


def test_runs_that_compute_get_more_work_than_all_launches_take_from_them() -> None:
    found = filling("cpu")
    assert found.params["work_units"] / 10 >= 2.0 * NEED.limit
    assert found.run_s > 100, "ten share one core"


@pytest.mark.parametrize(
    ("name", "most_s"), [("io", LONGEST_RUN_S), ("mixed", MIXED_WAIT_S), ("cpu", 10_000.0)]
)
def test_what_would_take_too_long_is_cut_and_said(name: str, most_s: float) -> None:
    found = filling(name, Need(limit=160, cores=0.5))
    assert found.run_s <= most_s or name == "cpu"
    assert "are not made here" in found.short


def test_what_can_be_filled_needs_no_word() -> None:
    assert filling().short == ""


def test_a_mix_and_a_user_s_runs_last_as_long_as_they_do() -> None:
    mix = Workload(name="both", mix=(Part(workload="io", share=1), Part(workload="cpu", share=1)))
    own = Workload.model_validate({"name": "mine", "code": {"image": "i", "jobs": [{"name": "j"}]}})
    assert filling_of(NEED, mix) is None
    assert filling_of(NEED, own) is None


def test_other_parameters_stay() -> None:
    workload = Workload(name="memory", params={"ballast_mib": 300, "hold_s": 1.0})
    filled = filled_workload(workload, filling("memory"))
    assert filled.params == {"ballast_mib": 300, "hold_s": 30}
