"""The open steady state against formulas, against the closed system, and against chance itself."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.closed_system import Shared, balance
from harness.analysis.sizing.stationary import quantile, stationary

pytestmark = pytest.mark.unit


def shared(demand_s: float = 2.0, think_s: float = 8.0, cores: float = 1.0) -> Shared:
    return Shared(demand_s=demand_s, think_s=think_s, cores=cores)


@given(load=st.floats(0.01, 0.98))
def test_one_core_without_waiting_is_m_m_1(load: float) -> None:
    found = stationary(load / 2, shared(think_s=0.0))
    assert found is not None
    assert found.in_flight == pytest.approx(load / (1 - load))
    assert found.of_one_replica[:5] == pytest.approx([(1 - load) * load**n for n in range(5)])


@given(load=st.floats(0.1, 3.9))
def test_four_cores_without_waiting_are_erlangs_delay_system(load: float) -> None:
    found = stationary(load / 2, shared(think_s=0.0, cores=4.0))
    assert found is not None
    below = sum(load**n / math.factorial(n) for n in range(4))
    full = load**4 / math.factorial(4) / (1 - load / 4)
    waiting = full / (below + full) * (load / 4) / (1 - load / 4)
    assert found.in_flight == pytest.approx(load + waiting)


def test_far_from_full_it_is_poisson() -> None:
    found = stationary(0.5, shared(demand_s=0.001, think_s=20.0, cores=8.0))
    assert found is not None
    poisson = [math.exp(-10) * 10**n / math.factorial(n) for n in range(30)]
    assert found.of_one_replica[:30] == pytest.approx(poisson, abs=1e-4)
    assert quantile(found.of_one_replica, 0.95) == 15


def test_a_fraction_of_a_core_is_a_slower_core() -> None:
    half, whole = (stationary(0.2, shared(d, 0.0, c)) for d, c in ((1.0, 0.5), (2.0, 1.0)))
    assert half is not None
    assert whole is not None
    assert half.in_flight == pytest.approx(whole.in_flight)


def test_more_than_the_cpu_can_do_has_no_steady_state() -> None:
    assert stationary(0.51, shared()) is None
    assert stationary(0.49, shared()) is not None
    assert stationary(0.51, shared(), replicas=2) is not None
    assert stationary(0.1, shared(cores=-0.1)) is None


@pytest.mark.parametrize("bad", [{"rate": 0.0}, {"replicas": 0}, {"demand_s": 0.0}])
def test_what_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no steady state"):
        stationary(
            bad.get("rate", 0.1),
            shared(demand_s=bad.get("demand_s", 2.0)),
            replicas=int(bad.get("replicas", 1)),
        )


@settings(deadline=None)
@given(
    rate=st.floats(0.05, 1.5), think_s=st.floats(0.5, 60), cores=st.floats(3.2, 8),
    runs=st.integers(1, 40),
)  # fmt: skip
def test_it_flows_as_the_closed_system_does(
    rate: float, think_s: float, cores: float, runs: int
) -> None:
    # p(n) / p(n - 1) = rate / X(n): the same network, open and closed.
    work = shared(demand_s=2.0, think_s=think_s, cores=cores)
    found = stationary(rate, work)
    assert found is not None
    chances = found.of_one_replica
    if runs < len(chances) and chances[runs] > 1e-7:
        ratio = chances[runs] / chances[runs - 1]
        assert rate / ratio == pytest.approx(balance(runs, work).throughput_per_s, rel=1e-3)


@settings(deadline=None)
@given(rate=st.floats(0.05, 1.4), replicas=st.integers(1, 5))
def test_chances_add_up_and_carry_the_mean(rate: float, replicas: int) -> None:
    found = stationary(rate, shared(cores=3.0), replicas=replicas)
    assert found is not None
    for chances, mean in (
        (found.of_one_replica, found.in_flight / replicas),
        (found.of_all, found.in_flight),
    ):
        assert chances.sum() == pytest.approx(1)
        assert (np.arange(len(chances)) * chances).sum() == pytest.approx(mean, rel=1e-6)


def test_replicas_together_are_steadier_than_one_by_one() -> None:
    found = stationary(1.2, shared(cores=1.0), replicas=4)
    assert found is not None
    assert quantile(found.of_all, 0.95) < 4 * quantile(found.of_one_replica, 0.95)


@settings(deadline=None)
@given(rate=st.floats(0.05, 0.45), more=st.floats(1.0, 1.09))
def test_more_arrivals_mean_more_in_flight(rate: float, more: float) -> None:
    few, many = stationary(rate, shared()), stationary(rate * more, shared())
    assert few is not None
    assert many is not None
    assert many.in_flight >= few.in_flight
    assert quantile(many.of_one_replica, 0.95) >= quantile(few.of_one_replica, 0.95)


def played(rate: float, work: Shared, *, spread: float, runs: int, seed: int) -> list[float]:
    """Mean in flight in each of 20 stretches of a system played through event by event.

    Arrivals by chance; waiting and work of every run vary by ± `spread` around their means.
    """
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1 / rate, runs)).tolist()
    waits, works = (
        (mean * rng.uniform(1 - spread, 1 + spread, runs)).tolist()
        for mean in (work.think_s, work.demand_s)
    )
    ready = sorted(a + w for a, w in zip(arrivals, waits, strict=True))
    left: list[float] = []
    starts, ends, now = iter(arrivals), [], 0.0
    next_work = 0
    while next_work < runs or left:
        speed = min(1.0, work.cores / len(left)) if left else 1.0
        done = now + min(left, default=math.inf) / speed
        due = ready[next_work] if next_work < runs else math.inf
        at = min(done, due)
        left = [each - (at - now) * speed for each in left]
        now = at
        if due <= done:
            left.append(works[next_work])
            next_work += 1
        else:
            left.remove(min(left))
            ends.append(now)
    return _means(list(starts), ends, stretches=20)


def _means(starts: list[float], ends: list[float], *, stretches: int) -> list[float]:
    """Time averages of started and not ended, over equal stretches without the first tenth."""
    first, last = starts[len(starts) // 10], starts[-1]
    edges = np.linspace(first, last, stretches + 1)
    begun, over = np.array(starts), np.array(sorted(ends))

    def area(upto: float) -> float:
        return float(np.clip(upto - begun, 0, None).sum() - np.clip(upto - over, 0, None).sum())

    areas = [area(edge) for edge in edges]
    width = float(edges[1] - edges[0])
    return [(b - a) / width for a, b in pairwise(areas)]


@pytest.mark.parametrize(
    ("rate", "work", "spread"),
    [
        (0.35, Shared(demand_s=2.0, think_s=8.0, cores=0.99), 0.0),
        (0.35, Shared(demand_s=2.0, think_s=8.0, cores=0.99), 0.9),
        (0.14, Shared(demand_s=2.64, think_s=44.0, cores=0.99), 0.5),
        (1.2, Shared(demand_s=2.0, think_s=3.0, cores=3.5), 0.5),
    ],
)  # fmt: skip
def test_chance_itself_has_that_mean_however_durations_spread(
    rate: float, work: Shared, spread: float
) -> None:
    exact = stationary(rate, work)
    means = played(rate, work, spread=spread, runs=20_000, seed=7)
    error = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    assert exact is not None
    assert abs(float(np.mean(means)) - exact.in_flight) <= 3 * error
    assert error < 0.05 * exact.in_flight, "a test that could not fail"
