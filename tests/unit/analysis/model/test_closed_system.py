from __future__ import annotations

import numpy as np
import pytest
from factory_model import Truth, responses
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.model.closed_system import Shared, balance

pytestmark = pytest.mark.unit

shares = st.builds(
    Shared,
    demand_s=st.floats(0.01, 20),
    think_s=st.one_of(st.just(0.0), st.floats(0.01, 200)),
    cores=st.floats(0.2, 8),
)


def mean_value_analysis(runs: int, *, demand_s: float, think_s: float) -> tuple[float, float]:
    """(response, throughput) by the textbook recursion for one core (Reiser & Lavenberg)."""
    at_cpu, response_s, rate = 0.0, 0.0, 0.0
    for n in range(1, runs + 1):
        response_s = demand_s * (1 + at_cpu)
        rate = n / (response_s + think_s)
        at_cpu = rate * response_s
    return response_s + think_s, rate


def test_one_run_alone_takes_its_waiting_and_its_cpu_time() -> None:
    assert balance(1, Shared(demand_s=2, think_s=8, cores=1)).response_s == pytest.approx(10)
    assert balance(1, Shared(demand_s=2, think_s=8, cores=4)).response_s == pytest.approx(10)
    assert balance(1, Shared(demand_s=2, think_s=8, cores=0.5)).response_s == pytest.approx(12)


@pytest.mark.parametrize("runs", [1, 2, 5, 40, 500])
def test_on_one_core_it_is_exact_mean_value_analysis(runs: int) -> None:
    response_s, rate = mean_value_analysis(runs, demand_s=2.1, think_s=8.0)
    found = balance(runs, Shared(demand_s=2.1, think_s=8.0, cores=1.0))
    assert found.response_s == pytest.approx(response_s)
    assert found.throughput_per_s == pytest.approx(rate)


@pytest.mark.parametrize("cores", [0.5, 1.0, 1.5, 2.0])
def test_it_tells_the_means_of_a_system_played_through(cores: float) -> None:
    truth = Truth(cores=cores)
    seen = float(np.mean(responses(truth, 6)))
    found = balance(6, Shared(demand_s=truth.demand_s, think_s=truth.think_s, cores=cores))
    assert found.response_s == pytest.approx(seen, rel=0.05)


@given(shared=shares, runs=st.integers(1, 120))
def test_it_stays_within_the_asymptotic_bounds(shared: Shared, runs: int) -> None:
    found, alone = balance(runs, shared), balance(1, shared)
    most = min(runs / alone.response_s, shared.cores / shared.demand_s)
    assert found.throughput_per_s <= most * (1 + 1e-9)
    assert found.response_s == pytest.approx(shared.think_s + shared.demand_s * found.stretch)


@given(shared=shares, runs=st.integers(1, 120))
def test_one_more_run_never_shortens_the_response(shared: Shared, runs: int) -> None:
    assert balance(runs + 1, shared).response_s >= balance(runs, shared).response_s * (1 - 1e-9)
    assert (
        balance(runs + 1, shared).throughput_per_s
        >= balance(runs, shared).throughput_per_s * (1 - 1e-9)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "changes"),
    [(0, {}), (1, {"demand_s": 0.0}), (1, {"cores": 0.0}), (1, {"think_s": -1.0})],
)
def test_what_has_no_steady_state_is_refused(runs: int, changes: dict[str, float]) -> None:
    shared = Shared(**{"demand_s": 1.0, "think_s": 1.0, "cores": 1.0, **changes})
    with pytest.raises(ValueError, match="no steady state"):
        balance(runs, shared)


def test_runs_that_never_wait_use_no_more_cores_than_there_are_runs() -> None:
    busy = Shared(demand_s=2, think_s=0, cores=4)
    assert balance(1, busy).response_s == pytest.approx(2)
    assert balance(4, busy).response_s == pytest.approx(2)
    assert balance(8, busy).response_s == pytest.approx(4)
