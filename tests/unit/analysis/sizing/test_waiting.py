from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.closed_system import Shared
from harness.analysis.sizing.stationary import stationary
from harness.analysis.sizing.waiting import queueing

pytestmark = pytest.mark.unit


def poisson(mean: float, most: int = 200) -> np.ndarray:
    chances = [math.exp(-mean)]
    for n in range(1, most):
        chances.append(chances[-1] * mean / n)
    return np.array(chances)


def erlang_c(load: float, servers: int) -> float:
    below = sum(load**n / math.factorial(n) for n in range(servers))
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return full / (below + full)


def test_two_clerks_and_one_erlang_wait_a_third_of_the_time() -> None:
    found = queueing(poisson(1.0), 2, rate_per_s=0.1)
    assert found is not None
    assert found.share_waiting == pytest.approx(1 / 3)
    # Each takes 10 s, so two do 0.2 a second, 0.1 more than come.
    assert found.drain_per_s == pytest.approx(0.1)
    assert found.wait_s_p95 == pytest.approx(math.log(1 / 3 / 0.05) / 0.1)


@settings(deadline=None)
@given(load=st.floats(0.5, 30), spare=st.integers(1, 20))
def test_runs_that_do_not_slow_each_other_down_are_erlangs_formula(load: float, spare: int) -> None:
    servers = math.ceil(load) + spare
    found = queueing(poisson(load), servers, rate_per_s=load)
    assert found is not None
    assert found.share_waiting == pytest.approx(erlang_c(load, servers), abs=1e-8)


def test_a_limit_below_what_arrives_never_lets_the_queue_end() -> None:
    assert queueing(poisson(10.0), 9, rate_per_s=1.0) is None
    assert queueing(poisson(10.0), 11, rate_per_s=1.0) is not None


@pytest.mark.filterwarnings("error")
def test_a_limit_far_below_what_arrives_is_no_division_by_nothing() -> None:
    """So far below that the probability there is too small for a float."""
    far = np.zeros(2000)
    far[1000:] = 1e-3
    assert queueing(far, 1000, rate_per_s=1.0) is None
    assert queueing(far, 10, rate_per_s=1.0) is None


def test_who_waits_less_than_once_in_twenty_has_no_p95() -> None:
    found = queueing(poisson(5.0), 15, rate_per_s=1.0)
    assert found is not None
    assert 0 < found.share_waiting < 0.05
    assert found.wait_s_p95 == 0
    far = queueing(poisson(5.0), 5000, rate_per_s=1.0)
    assert far is not None
    assert far.wait_s_p95 == 0


def test_runs_that_spread_more_wait_longer() -> None:
    waits = []
    for scv in (0.0, 1.0, 3.0):
        found = queueing(poisson(8.0), 9, rate_per_s=1.0, scv=scv)
        assert found is not None
        waits.append(found.wait_s_p95)
    assert waits == pytest.approx([waits[1] / 2, waits[1], waits[1] * 2])


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        queueing(poisson(1.0), 0, rate_per_s=1.0)


@settings(deadline=None)
@given(rate=st.floats(0.05, 0.45), limit=st.integers(1, 40))
def test_a_higher_limit_never_makes_runs_wait_longer(rate: float, limit: int) -> None:
    state = stationary(rate, Shared(demand_s=2.0, think_s=8.0, cores=1.0))
    assert state is not None
    low, high = (queueing(state.of_all, n, rate_per_s=rate) for n in (limit, limit + 1))
    if low is None:
        return
    assert high is not None
    assert high.share_waiting <= low.share_waiting + 1e-9
    assert high.wait_s_p95 <= low.wait_s_p95 + 1e-6
