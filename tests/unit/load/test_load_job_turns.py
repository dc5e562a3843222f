"""Several jobs share the runs, without chance."""

from __future__ import annotations

from collections import Counter

import pytest
from factory_load import jobs
from hypothesis import given
from hypothesis import strategies as st

from harness.rig.load.job_turns import JobTurns
from harness.rig.orders import JobOrder

pytestmark = pytest.mark.unit

WEIGHTS = st.one_of(
    st.integers(min_value=1, max_value=100), st.floats(min_value=0.01, max_value=50)
)


def names(count: int, **shares: float) -> list[str]:
    turns = JobTurns(jobs(**shares))
    return [turns.take().job for _ in range(count)]


def test_one_job_has_every_turn() -> None:
    assert names(3, load=0.2) == ["load"] * 3


def test_equal_shares_take_turns_in_the_order_given() -> None:
    assert names(6, c=1, a=1, b=1) == ["c", "a", "b"] * 2


def test_a_rare_job_is_spread_out_and_not_left_for_the_end() -> None:
    assert names(8, often=3, rare=1) == ["often", "often", "rare", "often"] * 2


def test_a_turn_brings_the_job_s_own_config() -> None:
    job = JobOrder(job="load", share=1, run_config={"wait_s": 2})
    assert JobTurns([job]).take() is job


@given(weights=st.lists(WEIGHTS, min_size=1, max_size=10), count=st.integers(1, 200))
def test_after_any_number_of_runs_each_job_is_within_one_of_its_share(
    weights: list[float], count: int
) -> None:
    shares = {f"job_{number}": weight for number, weight in enumerate(weights)}
    turns, had = JobTurns(jobs(**shares)), Counter[str]()
    total = sum(weights)
    for n in range(1, count + 1):
        had[turns.take().job] += 1
        for name, share in shares.items():
            assert abs(had[name] - n * share / total) < 1


def test_the_bound_holds_where_the_largest_deficit_first_would_break_it() -> None:
    # Found by search: largest deficit first leaves one of these 1.25 runs behind.
    weights = [7, 5, 50, 7, 3, 5, 1, 50, 50]
    shares = {f"job_{number}": float(weight) for number, weight in enumerate(weights)}
    turns, had = JobTurns(jobs(**shares)), Counter[str]()
    for n in range(1, 2 * sum(weights) + 1):
        had[turns.take().job] += 1
        assert max(abs(had[job] - n * w / sum(weights)) for job, w in shares.items()) < 1
    assert had == {job: 2 * weight for job, weight in shares.items()}


@pytest.mark.parametrize("shares", [{}, {"a": 1.0, "b": 0.0}, {"a": -1.0}])
def test_no_job_or_a_share_of_nothing_is_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one job, and shares above 0"):
        JobTurns(jobs(**shares))
