"""Which steps a cell climbs, and how long that takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.estimate import (
    START_S,
    STOP_S,
    estimate_cell_s,
    estimate_s,
    estimate_step_s,
    steps_of,
)
from harness.campaign.plan import Campaign

pytestmark = pytest.mark.unit

LADDERS = st.sets(st.integers(1, 500), min_size=1, max_size=10).map(sorted)


def campaign(**changes: Any) -> Campaign:
    fields = {
        "name": "time",
        "profiles": [{"vcpu": 1, "memory_mib": 2048}],
        "workloads": [{"name": "io"}],
        "warmup_runs": 0,
        "idle_s": 0,
    }
    return Campaign.model_validate(fields | changes)


@settings(deadline=None)
@given(ladder=LADDERS, repetitions=st.integers(1, 5))
def test_the_unloaded_step_comes_first_even_when_the_ladder_leaves_it_out(
    ladder: list[int], repetitions: int
) -> None:
    plan = campaign(search={"concurrencies": ladder, "repetitions": repetitions})
    steps = steps_of(plan, next(plan.cells()))
    rungs = [concurrency for _, concurrency, repetition in steps if repetition == 1]
    assert steps[0] == ("unloaded", 1, 1)
    assert rungs == sorted({1, *ladder})
    assert all((kind == "unloaded") == (concurrency == 1) for kind, concurrency, _ in steps)


def test_repetitions_of_a_concurrency_follow_each_other() -> None:
    plan = campaign(search={"concurrencies": [1, 4], "repetitions": 2})
    assert steps_of(plan, next(plan.cells())) == [
        ("unloaded", 1, 1),
        ("unloaded", 1, 2),
        ("load", 4, 1),
        ("load", 4, 2),
    ]


def test_a_workloads_own_ladder_goes_before_the_campaigns() -> None:
    plan = campaign(workloads=[{"name": "io", "concurrencies": [1, 7]}])
    assert [step[1] for step in steps_of(plan, next(plan.cells()))] == [1, 7]


def test_a_cell_is_start_warm_up_idle_steps_and_stop() -> None:
    step = {"ramp_s": 10, "settle_s": 2, "hold_s": 20, "drain_s": 60}
    plan = campaign(step=step, search={"concurrencies": [1, 2, 3]}, warmup_runs=2, idle_s=5)
    # A step: 10 + 2 + 20 and 0.6 of the ramp to drain. A warm-up run: the ramp and 3 s.
    assert estimate_cell_s(plan, next(plan.cells())) == START_S + 2 * 13 + 5 + 3 * 38 + STOP_S


def test_a_drain_is_never_estimated_above_its_limit() -> None:
    step = {"ramp_s": 100, "settle_s": 0, "hold_s": 10, "drain_s": 20}
    assert estimate_step_s(campaign(step=step)) == 130


def test_a_burst_still_has_to_drain() -> None:
    step = {"ramp_s": 0, "settle_s": 0, "hold_s": 10, "drain_s": 20, "burst": True}
    assert estimate_step_s(campaign(step=step)) > 10


def test_many_warm_up_runs_are_cut_off_after_a_minute() -> None:
    few, many = campaign(warmup_runs=6), campaign(warmup_runs=100)
    extra_s = estimate_s(many) - estimate_s(campaign())
    assert extra_s == 60 + 11
    assert estimate_s(few) < estimate_s(many)


@settings(deadline=None)
@given(ladder=LADDERS, versions=st.integers(1, 3), workers=st.integers(1, 3))
def test_a_campaign_takes_as_long_as_its_cells_together(
    ladder: list[int], versions: int, workers: int
) -> None:
    plan = campaign(
        search={"concurrencies": ladder},
        dagster=[f"1.13.{number}" for number in range(versions)],
        max_workers=list(range(1, workers + 1)),
    )
    one_s = estimate_cell_s(plan, next(plan.cells()))
    assert estimate_s(plan) == pytest.approx(one_s * versions * workers)
