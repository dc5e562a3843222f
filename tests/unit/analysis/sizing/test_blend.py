from __future__ import annotations

import math

import pytest
from factory_model import MIB, exact, make_model
from factory_sizing import cpu_known, heavy_known, make_demand, make_known
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.model.cell_model import Figure
from harness.analysis.sizing.blend import adapted, blend_of, ingredient
from harness.analysis.sizing.demand import Z95

pytestmark = pytest.mark.unit


def test_as_long_as_measured_changes_nothing() -> None:
    for known in (make_known(), cpu_known()):
        assert adapted(known, known.run_s)[0] == known.model


def test_a_longer_run_that_waits_waits_longer() -> None:
    model, said = adapted(make_known(), 45.0)
    assert model.z_s.value == pytest.approx(45.0)
    assert model.cpu_s == 2.0
    assert "its CPU stays" in said


def test_a_longer_run_that_computes_computes_longer() -> None:
    model, said = adapted(cpu_known(), 120.0)
    assert model.run_cpu_s.value == pytest.approx(120.0)
    assert model.z_s.value == 0
    assert model.launch_cpu_s.value == 2.0
    assert "60-fold" in said


def test_the_end_of_the_launch_is_not_work() -> None:
    # 2 s of an execution of 4 s are the launch's own CPU after the start: only 2 s can stretch.
    known = make_known(
        "cpu",
        model=make_model(run_cpu_s=exact(2.0), z_s=exact(0.0), launch_cpu_s=exact(4.0)),
        run_s=4.0,
    )
    model, _ = adapted(known, 6.0)
    assert model.run_cpu_s.value == pytest.approx(4.0)
    assert adapted(known, 1.0)[0].run_cpu_s.value == 0


def test_waiting_never_falls_below_what_lies_before_the_start() -> None:
    known = make_known(model=make_model(launch_wait_s=0.5, z_s=exact(8.5)))
    assert adapted(known, 0.1)[0].z_s.value == pytest.approx(0.6)
    assert adapted(known, 0.0)[0].z_s.low == pytest.approx(0.5)


def test_intervals_go_with_the_values() -> None:
    known = make_known(model=make_model(z_s=Figure(value=8, low=7, high=9, n=3)))
    assert adapted(known, 18.0)[0].z_s == Figure(value=18, low=17, high=19, n=3)
    unsure = make_known(model=make_model(z_s=Figure(value=8)))
    assert adapted(unsure, 18.0)[0].z_s == Figure(value=18)


def test_a_mix_is_weighted_by_shares() -> None:
    demand = make_demand(200, ("io", 0.75, 8.0), ("cpu", 0.25, 2.0))
    blend = blend_of(demand, [make_known(), cpu_known()], {})
    assert blend.launch_cpu_s == pytest.approx(2.0)
    assert blend.run_cpu_s == pytest.approx(0.5)
    assert blend.shared(1.0).think_s == pytest.approx(6.0)
    assert blend.shared(1.0).cores == 1.0


def test_the_order_of_the_parts_does_not_matter() -> None:
    parts = [("io", 0.7, 45.0), ("cpu", 0.2, 120.0), ("heavy", 0.1, 8.0)]
    known = [make_known(), cpu_known(), heavy_known()]
    first = blend_of(make_demand(200, *parts), known, {})
    assert blend_of(make_demand(200, *reversed(parts)), known[::-1], {}) == first


def test_memory_of_one_kind_is_a_line() -> None:
    blend = blend_of(make_demand(), [make_known()], {})
    assert blend.memory_bytes(0) == pytest.approx(100 * MIB)
    assert blend.memory_bytes(9) == pytest.approx(1000 * MIB)


def test_memory_of_a_mix_has_the_chance_of_heavy_runs_in_it() -> None:
    demand = make_demand(200, ("io", 0.5, 8.0), ("heavy", 0.5, 8.0))
    blend = blend_of(demand, [make_known(), heavy_known()], {})
    expected = 100 + 16 * 550 + Z95 * 4 * 450
    assert blend.memory_bytes(16) == pytest.approx(expected * MIB)


@given(runs=st.integers(0, 200), share=st.floats(0.01, 0.99))
def test_one_more_run_never_takes_less_memory(runs: int, share: float) -> None:
    demand = make_demand(200, ("io", share, 8.0), ("heavy", 1 - share, 8.0))
    blend = blend_of(demand, [make_known(), heavy_known()], {})
    below, above = blend.memory_bytes(runs), blend.memory_bytes(runs + 1)
    assert below is not None
    assert above is not None
    assert above >= below


def test_memory_that_is_given_replaces_what_was_measured() -> None:
    blend = blend_of(make_demand(), [make_known()], {"io": 350.0})
    assert blend.memory_bytes(2) == pytest.approx(800 * MIB)
    assert any("not measured" in words for words in blend.ingredients[0].words)


def test_what_one_kind_does_not_know_the_mix_does_not_know() -> None:
    unknown = make_known("cpu", model=make_model(bytes_per_run=None, hold_share=None))
    demand = make_demand(200, ("io", 0.5, 8.0), ("cpu", 0.5, 8.0))
    blend = blend_of(demand, [make_known(), unknown], {})
    assert blend.memory_bytes(1) is None
    assert blend.hold_s(1.0) is None


def test_a_worker_is_held_longer_where_cpu_seconds_are() -> None:
    one = ingredient(make_known(), share=1.0)
    blend = blend_of(make_demand(), [make_known()], {})
    assert blend.hold_s(1.0) == pytest.approx(0.9 * 2.0)
    assert blend.hold_s(2.0) == pytest.approx(0.9 * 4.0)
    assert math.isclose(one.share, 1.0)


def test_the_worse_end_costs_more_and_holds_less() -> None:
    model = make_model(launch_cpu_s=Figure(value=2, low=1.5, high=2.5, n=4))
    blend = blend_of(make_demand(), [make_known(model=model)], {})
    assert blend.end(worse=True).launch_cpu_s == 2.5
    assert blend.end(worse=False).launch_cpu_s == 1.5
