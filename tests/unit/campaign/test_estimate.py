"""How many steps a cell takes, which they are on a ladder, and how long that takes."""

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
    estimate_steps,
    longest_cell_s,
    longest_s,
    most_steps,
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


def on_ladder(concurrencies: list[int], **more: Any) -> dict[str, Any]:
    return {"strategy": "ladder", "concurrencies": concurrencies, **more}


def steps(**search: Any) -> int:
    plan = campaign(search=search)
    return estimate_steps(plan, next(plan.cells()))


@settings(deadline=None)
@given(ladder=LADDERS, repetitions=st.integers(1, 5))
def test_the_unloaded_step_comes_first_even_when_the_ladder_leaves_it_out(
    ladder: list[int], repetitions: int
) -> None:
    plan = campaign(search=on_ladder(ladder, repetitions=repetitions))
    planned = steps_of(plan, next(plan.cells()))
    rungs = [concurrency for _, concurrency, repetition in planned if repetition == 1]
    assert planned[0] == ("unloaded", 1, 1)
    assert rungs == sorted({1, *ladder})
    assert all((kind == "unloaded") == (concurrency == 1) for kind, concurrency, _ in planned)
    assert estimate_steps(plan, next(plan.cells())) == len(planned)


def test_repetitions_of_a_concurrency_follow_each_other() -> None:
    plan = campaign(search=on_ladder([1, 4], repetitions=2))
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
    plan = campaign(step=step, search=on_ladder([1, 2, 3]), warmup_runs=2, idle_s=5)
    # A step: 10 + 2 + 20 and 0.8 of the ramp to drain. A warm-up run: the ramp and 3 s.
    assert estimate_cell_s(plan, next(plan.cells())) == START_S + 2 * 13 + 5 + 3 * 40 + STOP_S


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
        search=on_ladder(ladder),
        dagster=[f"1.13.{number}" for number in range(versions)],
        max_workers=list(range(1, workers + 1)),
    )
    one_s = estimate_cell_s(plan, next(plan.cells()))
    assert estimate_s(plan) == pytest.approx(one_s * versions * workers)


def test_a_bisection_takes_the_unloaded_step_and_one_for_each_halving() -> None:
    assert steps(strategy="bisect", highest=64) == 1 + 6
    assert steps(strategy="bisect", highest=24) == 1 + 5
    assert steps(strategy="bisect", concurrencies=[1, 8, 16, 32]) == 1 + 2


@pytest.mark.parametrize(("confidence", "repeats"), [(0.5, 2), (0.8, 4), (0.95, 6), (0.99, 10)])
def test_an_adaptive_search_repeats_the_more_the_surer_it_has_to_be(
    confidence: float, repeats: int
) -> None:
    assert steps(confidence=confidence, highest=64, max_steps=100) == 1 + 6 + repeats


def test_a_search_is_not_expected_to_outspend_its_steps_or_minutes() -> None:
    minute = {"ramp_s": 5, "settle_s": 5, "hold_s": 46, "drain_s": 4}
    budget: dict[str, Any] = {"max_steps": 30, "max_minutes": 7.9}
    plan = campaign(step=minute, search=budget)
    assert estimate_step_s(plan) == 60
    assert (most_steps(plan), estimate_steps(plan, next(plan.cells()))) == (7, 7)
    assert steps(max_steps=5) == 5
    assert steps(max_steps=2, highest=500) == 2


def test_two_steps_are_always_allowed() -> None:
    assert most_steps(campaign(search={"max_minutes": 0.01})) == 2
    assert steps(max_minutes=0.01) == 2


def test_a_planned_run_length_stands_for_the_ramp() -> None:
    step = {"ramp_s": 10, "settle_s": 2, "hold_s": 20, "drain_s": 600}
    plan = campaign(step=step, load={"run_s": 100}, warmup_runs=1)
    assert estimate_step_s(plan) == 10 + 2 + 20 + 80
    warmup_s = estimate_s(plan) - estimate_s(plan.model_copy(update={"warmup_runs": 0}))
    assert warmup_s == 103


@pytest.mark.parametrize("model", ["closed", "uniform", "poisson"])
def test_arrivals_take_a_whole_step(model: str) -> None:
    step = {"ramp_s": 10, "settle_s": 2, "hold_s": 20, "drain_s": 600}
    plan = campaign(step=step, load={"model": model})
    assert estimate_step_s(plan) == estimate_step_s(plan, "unloaded") == 40


def test_a_burst_has_neither_ramp_nor_settle_but_its_unloaded_step_has() -> None:
    step = {"ramp_s": 10, "settle_s": 2, "hold_s": 20, "drain_s": 600}
    plan = campaign(step=step, load={"model": "burst"}, search=on_ladder([1, 4, 8], repetitions=2))
    assert estimate_step_s(plan) == 20 + 8
    assert estimate_step_s(plan, "unloaded") == 10 + 2 + 20 + 8
    assert estimate_cell_s(plan, next(plan.cells())) == START_S + 2 * 40 + 4 * 28 + STOP_S


def test_a_search_too_has_one_unloaded_step_with_ramp_and_settle() -> None:
    step = {"ramp_s": 10, "settle_s": 2, "hold_s": 20, "drain_s": 600}
    plan = campaign(step=step, load={"model": "burst"}, search={"max_steps": 5})
    assert estimate_s(plan) == longest_s(plan) == START_S + 40 + 4 * 28 + STOP_S


def test_a_cell_takes_at_most_what_its_search_may_spend() -> None:
    minute = {"ramp_s": 5, "settle_s": 5, "hold_s": 46, "drain_s": 4}
    by_steps = campaign(step=minute, search={"max_steps": 20})
    by_minutes = campaign(step=minute, search={"max_steps": 20, "max_minutes": 6})
    assert longest_s(by_steps) == START_S + 20 * 60 + STOP_S
    assert longest_s(by_minutes) == START_S + 6 * 60 + STOP_S
    ladder = campaign(step=minute, search=on_ladder([1, 2]))
    assert longest_s(ladder) == estimate_s(ladder)


@settings(deadline=None)
@given(
    strategy=st.sampled_from(["adaptive", "bisect", "ladder"]),
    ladder=LADDERS,
    max_steps=st.integers(2, 50),
    max_minutes=st.none() | st.floats(3, 100),
)
def test_no_estimate_is_longer_than_the_longest(
    strategy: str, ladder: list[int], max_steps: int, max_minutes: float | None
) -> None:
    budget = {"max_steps": max_steps, "max_minutes": max_minutes}
    plan = campaign(search={"strategy": strategy, "concurrencies": ladder, **budget})
    cell = next(plan.cells())
    assert estimate_cell_s(plan, cell) <= longest_cell_s(plan, cell) + 1e-6
