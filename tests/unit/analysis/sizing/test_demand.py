from __future__ import annotations

import math
from dataclasses import replace

import pytest
from factory_sizing import make_demand
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.sizing.demand import (
    Z95,
    concurrency_by_littles_law,
    duration_of,
    duration_scv,
    mean_duration_s,
    problems_of,
    scv_of,
)
from harness.analysis.sizing.types import Duration, Part

pytestmark = pytest.mark.unit


def test_a_sound_demand_has_no_problem() -> None:
    assert problems_of(make_demand(200, ("io", 0.7, 45), ("cpu", 0.3, 120))) == ()


def test_every_problem_is_told_at_once() -> None:
    demand = make_demand(0, ("io", 0.7, 0), ("io", 0.7, 5), burst=0.5, growth=-1)
    told = " / ".join(problems_of(demand))
    for words in ("runs per hour", "growth", "burst", "named twice", "more than 0 s", "add up to"):
        assert words in told


@pytest.mark.parametrize(
    ("mean_s", "p95_s", "sound"),
    [(45, None, True), (45, 120, True), (45, 30, True), (45, 2, False), (45, 0, False)],
)
def test_a_p95_that_the_mean_cannot_have_is_refused(
    mean_s: float, p95_s: float | None, sound: bool
) -> None:
    part = Part(workload="io", share=1.0, duration=Duration(mean_s=mean_s, p95_s=p95_s))
    assert (problems_of(replace(make_demand(), parts=(part,))) == ()) is sound


def test_durations_that_were_seen_give_a_mean_and_a_p95() -> None:
    assert duration_of([float(n) for n in range(1, 101)]) == Duration(mean_s=50.5, p95_s=95.0)
    assert duration_of([]) is None


def test_no_kind_of_run_is_a_problem() -> None:
    assert problems_of(replace(make_demand(), parts=())) == (
        "there must be at least one kind of run",
    )


def test_littles_law_gives_the_guides_example() -> None:
    assert concurrency_by_littles_law(200 / 3600, 45) == pytest.approx(2.5)


def test_rates_have_growth_and_burst() -> None:
    demand = make_demand(3600, burst=2.5, growth=1.5)
    assert demand.mean_rate_per_s == pytest.approx(1.5)
    assert demand.peak_rate_per_s == pytest.approx(3.75)


def test_the_mean_duration_is_weighted_by_the_shares() -> None:
    assert mean_duration_s(make_demand(1, ("io", 0.75, 8), ("cpu", 0.25, 4))) == pytest.approx(7)


def test_without_a_p95_durations_are_taken_as_exponential() -> None:
    assert duration_scv(make_demand()) == pytest.approx(1.0)


@given(sigma=st.floats(0.05, 1.6), mean_s=st.floats(0.1, 1000))
def test_a_lognormal_spread_is_found_from_mean_and_p95(sigma: float, mean_s: float) -> None:
    p95_s = mean_s * math.exp(Z95 * sigma - sigma**2 / 2)
    found = scv_of(Duration(mean_s=mean_s, p95_s=p95_s))
    assert found == pytest.approx(math.expm1(sigma**2), rel=1e-3)


def test_a_p95_below_the_mean_is_no_spread_and_one_far_above_is_capped() -> None:
    assert scv_of(Duration(mean_s=10, p95_s=9)) == 0
    assert scv_of(Duration(mean_s=10, p95_s=100)) == pytest.approx(math.expm1(Z95**2))


def test_a_mix_of_lengths_spreads_more_than_any_of_its_kinds() -> None:
    # Half take 1 s and half 9 s, each exponential: E[S²] = 2 · 41, mean 5.
    mix = make_demand(1, ("io", 0.5, 1), ("cpu", 0.5, 9))
    assert duration_scv(mix) == pytest.approx(82 / 25 - 1)
