from __future__ import annotations

from dataclasses import replace

import pytest
from factory_model import make_summary

from harness.analysis.measures.steps import Counts, ServerUse
from harness.analysis.model.closed_system import Shared, balance
from harness.analysis.model.knee import Load, knee, knee_of

pytestmark = pytest.mark.unit

SHARED = Shared(demand_s=2.0, think_s=8.0, cores=1.0)
"""10 s alone, at most 0.5 runs/s: the lines cross at 5 runs."""


def loads(*levels: int, cpu: bool = True) -> list[Load]:
    found = [balance(n, SHARED) for n in levels]
    return [
        Load(
            runs=at.runs,
            throughput_per_s=at.throughput_per_s,
            cpu_ratio=at.throughput_per_s * SHARED.demand_s if cpu else None,
        )
        for at in found
    ]


@pytest.mark.parametrize("cpu", [True, False], ids=["cpu known", "cpu not known"])
def test_the_knee_is_where_the_two_bounds_cross(cpu: bool) -> None:
    found = knee(loads(1, 4, 12, 16, 20, cpu=cpu), unloaded_s=10.0)
    assert found.status == "bracketed"
    assert found.runs == pytest.approx(5.0, rel=0.03)
    assert found.max_throughput_per_s == pytest.approx(0.5, rel=0.03)


def test_the_knee_does_not_move_with_the_grid() -> None:
    grids = [(1, 2, 3, 10, 14, 20), (1, 4, 8, 12, 16, 20), (2, 6, 18)]
    found = [knee(loads(*grid), unloaded_s=10.0).runs for grid in grids]
    assert all(runs == pytest.approx(5.0, rel=0.06) for runs in found)


def test_a_ladder_that_ends_before_saturation_brackets_no_knee() -> None:
    found = knee(loads(1, 2, 3), unloaded_s=10.0)
    assert found.status == "not_bracketed"
    assert found.runs is None
    assert "3 runs" in found.reason


def test_two_saturated_steps_have_no_interval_three_have_one_around_the_knee() -> None:
    two = knee(loads(1, 16, 20), unloaded_s=10.0)
    assert two.n == 2
    assert two.low is None
    rates = (0.46, 0.50, 0.54)
    three = knee(
        [Load(runs=20, throughput_per_s=rate, cpu_ratio=1.0) for rate in rates], unloaded_s=10.0
    )
    assert three.low == pytest.approx(10 * (0.5 - 4.303 * 0.04 / 3**0.5), rel=1e-3)
    assert three.high == pytest.approx(10 * (0.5 + 4.303 * 0.04 / 3**0.5), rel=1e-3)


def test_nothing_known_is_said_to_be_unknown() -> None:
    assert knee(loads(1, 20), unloaded_s=None).status == "unknown"
    assert knee([], unloaded_s=10.0).status == "unknown"


def test_the_steps_of_a_cell_are_read_from_their_summaries() -> None:
    full = ServerUse(cpu_ratio=1.0)
    steps = [
        make_summary(1, kind="unloaded", response_s=(10.0, 11.0)),
        make_summary(8, response_s=(16.0, 18.0), server=full),
    ]
    found = knee_of(steps)
    assert found.runs == pytest.approx(10.0 * 8 / 16.0)
    assert found.n == 1


def test_steps_that_lost_runs_or_did_not_wait_for_them_tell_no_throughput() -> None:
    full = ServerUse(cpu_ratio=1.0)
    alone = make_summary(1, kind="unloaded")
    lost = make_summary(8, server=full, counts=Counts(completed=9, failed=0, lost=1, unfinished=0))
    open_ = make_summary(8, server=full)
    open_ = replace(open_, step=replace(open_.step, load_model="poisson"))
    assert knee_of([alone, lost, open_]).status == "not_bracketed"
    assert knee_of([lost]).status == "unknown"
