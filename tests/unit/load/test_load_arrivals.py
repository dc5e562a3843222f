"""When runs are meant to be sent, in each model."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from factory_load import order
from hypothesis import given
from hypothesis import strategies as st

from harness.rig.load.arrivals import arrivals, first_send_s, schedule, sends_any, users_of
from harness.rig.orders import LoadOrder

pytestmark = pytest.mark.unit

NOW_S = 1_760_000_000.0
SECONDS = st.floats(min_value=0, max_value=200)


def open_order(model: str, rate_per_s: float, **changes: Any) -> LoadOrder:
    return order(model=model, rate_per_s=rate_per_s, **changes)


class TestTheSchedule:
    def test_has_no_gaps_and_no_empty_phases(self) -> None:
        assert schedule(order(), 10.0) == {
            "ramp": (10.0, 18.0),
            "settle": (18.0, 22.0),
            "hold": (22.0, 46.0),
        }
        assert schedule(order(ramp_s=0, settle_s=0), 10.0) == {"hold": (10.0, 34.0)}

    def test_of_the_closed_model_spreads_the_first_runs_over_the_ramp_or_not_at_all(self) -> None:
        assert [first_send_s(order(), user, 10.0) for user in range(4)] == [10, 12, 14, 16]
        assert {first_send_s(order(burst=True), user, 10.0) for user in range(4)} == {10.0}


class TestUniformArrivals:
    def test_come_evenly_from_the_start_of_the_ramp_to_the_end_of_the_hold(self) -> None:
        found = list(arrivals(open_order("uniform", 0.25), 100.0))
        assert found == [100.0 + 4 * k for k in range(9)]

    def test_do_not_drift_in_hours(self) -> None:
        *_, last = arrivals(open_order("uniform", 0.3, hold_s=36_000.0), NOW_S)
        number = math.ceil(36_012 * 0.3) - 1
        assert last - NOW_S == pytest.approx(number / 0.3, abs=1e-6)


class TestPoissonArrivals:
    def test_are_the_same_for_the_same_seed_and_step_and_others_for_others(self) -> None:
        one = open_order("poisson", 2.0, seed=7)
        found = list(arrivals(one, NOW_S))
        assert list(arrivals(one, NOW_S)) == found
        for other in (replace(one, seed=8), replace(one, step=one.step + 1)):
            assert list(arrivals(other, NOW_S)) != found

    def test_have_exponential_gaps_from_the_start_on(self) -> None:
        moments = list(arrivals(open_order("poisson", 2.0, hold_s=50_000.0), 0.0))
        gaps = [later - earlier for earlier, later in pairwise([0.0, *moments])]
        # An exponential's standard deviation is its mean, and e^-1 of it lies beyond the mean.
        n, mean = len(gaps), sum(gaps) / len(gaps)
        deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / n)
        beyond = sum(gap > 0.5 for gap in gaps) / n
        assert mean == pytest.approx(0.5, rel=0.02)
        assert deviation == pytest.approx(0.5, rel=0.03)
        assert beyond == pytest.approx(math.exp(-1), rel=0.03)

    def test_may_be_none_at_a_low_rate_and_that_is_no_fault(self) -> None:
        empty = [
            seed for seed in range(50) if not sends_any(open_order("poisson", 0.01, seed=seed))
        ]
        assert 20 < len(empty) < 50
        assert list(arrivals(open_order("poisson", 0.01, seed=empty[0]), 0.0)) == []


@given(
    model=st.sampled_from(["uniform", "poisson"]),
    rate_per_s=st.floats(min_value=0.01, max_value=20),
    ramp_s=SECONDS,
    settle_s=SECONDS,
    hold_s=SECONDS,
    seed=st.integers(min_value=0, max_value=1000),
)
def test_an_open_model_s_arrivals_ascend_within_ramp_settle_and_hold(
    model: str, rate_per_s: float, ramp_s: float, settle_s: float, hold_s: float, seed: int
) -> None:
    planned = open_order(
        model, rate_per_s, ramp_s=ramp_s, settle_s=settle_s, hold_s=hold_s, seed=seed
    )
    found = list(arrivals(planned, NOW_S))
    assert found == sorted(found)
    assert all(NOW_S <= at_s < NOW_S + ramp_s + settle_s + hold_s + 1e-6 for at_s in found)


def test_a_burst_is_all_at_the_start_of_the_hold() -> None:
    assert list(arrivals(order(model="burst", ramp_s=0, settle_s=0), 10.0)) == [10.0] * 4
    assert list(arrivals(order(model="burst"), 10.0)) == [22.0] * 4


@pytest.mark.parametrize("model", ["uniform", "poisson", "burst"])
def test_a_number_of_runs_ends_the_arrivals(model: str) -> None:
    planned = order(model=model, rate_per_s=1.0, concurrency=9)
    everything = list(arrivals(planned, 10.0))
    assert len(everything) > 3
    assert list(arrivals(replace(planned, max_runs=3), 10.0)) == everything[:3]


@pytest.mark.parametrize("rate_per_s", [None, 0.0, -1.0])
@pytest.mark.parametrize("model", ["uniform", "poisson"])
def test_an_open_model_without_a_rate_is_a_mistake_said_at_once(
    model: str, rate_per_s: float | None
) -> None:
    planned = order(model=model, rate_per_s=rate_per_s)
    for ask in (lambda: arrivals(planned, 0.0), lambda: sends_any(planned)):
        with pytest.raises(ValueError, match=model):
            ask()


def test_the_closed_model_has_no_arrivals_but_sends() -> None:
    with pytest.raises(ValueError, match="closed"):
        arrivals(order(), 0.0)
    assert sends_any(order())


@pytest.mark.parametrize(
    ("model", "concurrency", "users"),
    [
        ("closed", 4, 4),
        ("closed", 500, 500),
        ("burst", 7, 7),
        ("uniform", 1, 50),
        ("poisson", 6, 50),
        ("poisson", 7, 56),
        ("uniform", 62, 496),
        ("uniform", 63, 500),
        ("poisson", 500, 500),
    ],
)
def test_an_open_model_has_users_to_spare_within_bounds(
    model: str, concurrency: int, users: int
) -> None:
    assert users_of(order(model=model, concurrency=concurrency, rate_per_s=1.0)) == users


@pytest.mark.parametrize(
    ("model", "most", "users"), [("uniform", 5, 5), ("poisson", 60, 50), ("closed", 5, 4)]
)
def test_never_more_users_than_may_have_a_run_in_flight(model: str, most: int, users: int) -> None:
    asked = order(model=model, concurrency=4, rate_per_s=1.0, most_at_once=most)
    assert users_of(asked) == users
