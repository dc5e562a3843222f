from __future__ import annotations

from dataclasses import replace

import pytest
from factory_model import found, make_model
from factory_sizing import (
    SLOS,
    cpu_known,
    heavy_known,
    make_demand,
    make_known,
    make_source,
    make_terms,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.cell_model import Figure
from harness.analysis.model.closed_system import balance
from harness.analysis.sizing.known import known_of
from harness.analysis.sizing.options import MOST_USED, Terms, all_options
from harness.analysis.sizing.types import Option
from harness.campaign.profiles import FARGATE

pytestmark = pytest.mark.unit

IO = make_known()
LADDER = [FARGATE[name] for name in ("0.25vcpu-1gb", "0.5vcpu-2gb", "1vcpu-2gb", "4vcpu-8gb")]
SMALL = [FARGATE[name] for name in ("0.5vcpu-1gb", "1vcpu-2gb", "1vcpu-4gb", "2vcpu-4gb")]


def one(terms: Terms, profile: str = "1vcpu-2gb", replicas: int = 1) -> Option:
    options = all_options(terms, [FARGATE[profile]], max_replicas=replicas)
    return next(each for each in options if each.replicas == replicas)


def terms(runs_per_hour: float = 200.0, **changes: object) -> Terms:
    return make_terms(make_demand(runs_per_hour), IO, **changes)


def test_an_option_that_holds_has_every_figure() -> None:
    option = one(terms())
    # 0.139 runs/s of 2 CPU-s: the mean at one core is rho / (1 - rho), and 8 s of waiting.
    load = 200 / 3600 * 2.5 * 2.0
    assert option.holds is True
    assert option.in_flight == pytest.approx(load / (1 - load) + load / 2 * 8)
    assert option.utilisation == pytest.approx(load)
    assert option.in_flight_p95 == option.replica_p95 == option.blast_worst
    assert option.blast_mean == option.in_flight
    assert option.memory_mib == pytest.approx(100 + 100 * (option.replica_p95 or 0))
    assert option.max_concurrent_runs == option.capacity_low
    assert option.headroom == pytest.approx(1 - (option.replica_p95 or 0) / option.capacity)
    assert option.per_month == pytest.approx((0.04 + 2 * 0.004) * 730)
    assert option.per_1000_runs == pytest.approx(option.per_month / 146)
    assert option.basis == "predicted"
    assert "hold" in option.reason


def test_more_than_the_cpu_can_do_has_no_figure_and_says_so() -> None:
    option = one(terms(2000))
    assert option.holds is False
    assert option.in_flight is option.in_flight_p95 is option.wait_s_p95 is None
    assert option.reason == "the runs need 2.78 cores, there are 1.00"
    assert option.binding == "launch_cpu"
    assert option.utilisation == pytest.approx(2.78, rel=0.01)


def test_runs_whose_own_work_is_most_of_the_cpu_name_that() -> None:
    known = make_known("cpu", model=make_model(run_cpu_s=Figure(value=5.0)))
    option = one(make_terms(make_demand(2000, ("cpu", 1.0, 8.0)), known))
    assert option.binding == "run_cpu"


def test_memory_at_p95_decides_by_itself() -> None:
    heavy = make_terms(make_demand(200, ("heavy", 1.0, 8.0)), heavy_known())
    assert one(heavy).reason.endswith("are allowed")
    assert one(heavy).binding == "memory"
    assert one(heavy, "1vcpu-8gb").holds is True


def test_a_full_cpu_is_refused_even_where_every_objective_would_hold() -> None:
    loose = {**SLOS, "launch_s_p95": 600.0, "slowdown_p95": 60.0}
    rate = 0.9 / 2.0 * 3600 / 2.5
    option = one(make_terms(make_demand(rate), IO, slos=loose), "1vcpu-8gb")
    assert option.holds is False
    assert option.reason == f"the CPU is 90% used, {MOST_USED:.0%} are allowed here"


def test_every_replica_must_hold_its_own_p95() -> None:
    # Together four hold 16 and have 14 at p95; one of them has 5 where it holds 4.
    option = one(terms(700), "0.5vcpu-1gb", replicas=4)
    assert (option.in_flight_p95, option.capacity_low) == (14, 16)
    assert option.holds is False
    assert option.reason == "a replica has up to 5 in flight (p95), 4 hold"
    assert option.headroom == pytest.approx(1 - 5 / 4)


def test_an_unknown_memory_leaves_the_answer_open() -> None:
    known = make_known(model=make_model(bytes_per_run=None, base_bytes=None))
    option = one(make_terms(make_demand(), known))
    assert (option.holds, option.memory_mib) == (None, None)
    assert "memory a run is not known" in option.reason


def test_a_size_that_was_measured_answers_for_itself() -> None:
    source = make_source(capacity=found(5, low=4, high=6, binding="launch_cpu", confirmed=True))
    known = known_of([source])
    measured = one(make_terms(make_demand(), known, measured_for=known))
    assert (measured.basis, measured.capacity) == ("measured", 5)
    assert (measured.capacity_low, measured.capacity_high) == (4, 6)
    assert measured.max_concurrent_runs == 5
    assert any("was measured: test: cell-io" in words for words in measured.evidence)
    two = one(make_terms(make_demand(), known, measured_for=known), replicas=2)
    larger = one(make_terms(make_demand(), known, measured_for=known), "1vcpu-3gb")
    assert two.basis == larger.basis == "predicted"


@pytest.mark.parametrize(
    ("run_s", "basis"), [(8.0, "measured"), (8.7, "measured"), (7.1, "predicted")]
)
def test_other_durations_were_not_measured(run_s: float, basis: str) -> None:
    known = known_of([make_source(capacity=found(5))])
    demand = make_demand(200, ("io", 1.0, run_s))
    assert one(make_terms(demand, known, measured_for=known)).basis == basis


def test_measured_not_to_hold_even_one_is_an_answer() -> None:
    capacity = found(0, low=0, high=0, status="below_min", broken_slo="launch_s_p95")
    known = known_of([make_source(capacity=capacity)])
    option = one(make_terms(make_demand(), known, measured_for=known))
    assert (option.holds, option.capacity, option.basis) == (False, 0, "measured")
    assert option.reason == "launch_s_p95 broke with one run already"
    assert option.max_concurrent_runs is option.max_workers is None


def test_workers_follow_the_rule_with_every_slot_taken() -> None:
    option = one(terms(), "4vcpu-8gb")
    full = balance(option.max_concurrent_runs or 0, terms().blend.shared(4.0))
    busy = full.throughput_per_s * 0.9 * 2.0 * full.stretch
    assert option.max_workers is not None
    assert busy + 3 <= option.max_workers < busy + 4


def test_workers_are_not_known_without_phases() -> None:
    known = make_known(model=make_model(hold_share=None))
    assert one(make_terms(make_demand(), known)).max_workers is None


def test_the_wait_in_the_queue_is_at_the_limit_that_is_shipped() -> None:
    known = known_of([make_source(capacity=found(2, low=2, high=2))])
    tight = one(make_terms(make_demand(), known, measured_for=known))
    assert tight.max_concurrent_runs == 2
    assert (tight.wait_s_p95 or 0) > 10
    assert one(terms(), "4vcpu-8gb").wait_s_p95 == 0


def test_options_come_in_order_of_price() -> None:
    options = all_options(terms(), SMALL, max_replicas=3)
    prices = [each.per_month for each in options]
    assert prices == sorted(prices)
    assert len(options) == 12


def test_without_an_objective_there_is_nothing_to_hold() -> None:
    with pytest.raises(ValueError, match="foreseen"):
        all_options(replace(terms(), slos={}), SMALL, max_replicas=1)


def cheapest(runs_per_hour: float, burst: float) -> float:
    asked = make_terms(make_demand(runs_per_hour, burst=burst), IO)
    options = all_options(asked, LADDER, max_replicas=4)
    return next((each.per_month for each in options if each.holds), float("inf"))


@settings(deadline=None, max_examples=15)
@given(rate=st.floats(10, 8000), more=st.floats(1.0, 3.0), burst=st.sampled_from([1.0, 2.5, 6.0]))
def test_more_demand_never_costs_less(rate: float, more: float, burst: float) -> None:
    assert cheapest(rate * more, burst) >= cheapest(rate, burst) - 1e-9


@settings(deadline=None, max_examples=15)
@given(rate=st.floats(50, 2000), replicas=st.integers(1, 4), vcpu=st.sampled_from([0.5, 1, 2]))
def test_more_memory_never_stops_holding(rate: float, replicas: int, vcpu: float) -> None:
    sizes = sorted(
        (each for each in FARGATE.values() if each.vcpu == vcpu), key=lambda each: each.memory_mib
    )
    held = [one(terms(rate), each.name, replicas).holds for each in sizes]
    assert held == sorted(held, key=bool)


@settings(deadline=None, max_examples=10)
@given(order=st.permutations([("io", 0.5, 45.0), ("cpu", 0.3, 20.0), ("heavy", 0.2, 8.0)]))
def test_the_order_of_a_mix_changes_nothing(order: list[tuple[str, float, float]]) -> None:
    known = [IO, cpu_known(), heavy_known()]
    first = make_terms(make_demand(200, ("io", 0.5, 45.0), ("cpu", 0.3, 20.0), ("heavy", 0.2, 8.0)),
                       *known)  # fmt: skip
    other = make_terms(make_demand(200, *order), *known)
    assert all_options(first, SMALL, max_replicas=2) == all_options(other, SMALL, max_replicas=2)
