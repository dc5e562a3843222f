"""How far equal cells differ, and what that says of a comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.comparison.noise import (
    LEAST_SD,
    Reading,
    Scatter,
    comparable,
    noise_floor,
    scatter_of,
    together,
    with_others,
)

pytestmark = pytest.mark.unit


def readings(table: list[list[float | None]]) -> list[Reading]:
    """A row for each version, a column for each round; `None` is missing."""
    return [
        Reading(version=f"v{v}", round=n, log=log)
        for v, row in enumerate(table)
        for n, log in enumerate(row, start=1)
        if log is not None
    ]


def test_two_versions_in_rounds_scatter_as_their_differences_do() -> None:
    one, other = [0.1, 0.3, 0.2, 0.6], [0.2, 0.1, 0.5, 0.4]
    found = scatter_of(readings([one, other]))
    assert found is not None
    assert found.variance == pytest.approx(np.var(np.subtract(one, other), ddof=1) / 2)
    assert (found.free, found.pairs) == (3, 12)


@given(
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
    st.lists(st.floats(-1, 1), min_size=4, max_size=4),
)
def test_what_versions_and_rounds_have_in_common_is_no_noise(
    versions: list[float], rounds: list[float]
) -> None:
    table: list[list[float | None]] = [[v + r for r in rounds] for v in versions]
    found = scatter_of(readings(table))
    assert found is not None
    assert found.sd == pytest.approx(LEAST_SD)
    assert found.free == 6


def test_apart_from_rounds_all_that_equal_cells_differ_by_is_noise() -> None:
    one, other = [0.1, 0.3, 0.2, 0.6], [0.2, 0.1, 0.5]
    found = scatter_of(readings([[*one], [*other]]), in_rounds=False)
    assert found is not None
    squares = 3 * np.var(one, ddof=1) + 2 * np.var(other, ddof=1)
    assert found.variance == pytest.approx(squares / 5)
    assert (found.free, found.pairs) == (5, 9)


def test_cells_and_rounds_may_be_missing() -> None:
    found = scatter_of(readings([[0.1, None, 0.2, 0.4], [0.3, 0.5, None, 0.1]]))
    assert found is not None
    assert found.free == 1


@pytest.mark.parametrize(
    "table",
    [[], [[0.1]], [[0.1], [0.2]], [[0.1, 0.2]], [[0.1, None], [None, 0.2]]],
)
def test_without_equal_cells_there_is_nothing_to_tell(table: list[list[float | None]]) -> None:
    assert scatter_of(readings(table)) is None


def test_an_a_a_pair_is_two_equal_cells_of_one_round() -> None:
    pair = [Reading(version="1.13.28", round=1, log=log) for log in (0.1, 0.3)]
    found = scatter_of(pair)
    assert found is not None
    assert (found.variance, found.free, found.pairs) == (pytest.approx(0.02), 1, 1)


def test_a_count_is_no_surer_than_one_run() -> None:
    five = [
        Reading(version=v, round=n, log=math.log(5 / 30), grain=0.2) for v in "ab" for n in (1, 2)
    ]
    found = scatter_of(five)
    assert found is not None
    assert found.sd == pytest.approx(0.2 / math.sqrt(12))


def test_other_loads_have_a_say_only_for_more_care() -> None:
    own = Scatter(variance=0.0004, free=3, pairs=12)
    noisier = with_others(own, Scatter(variance=0.0016, free=15, pairs=0))
    assert (noisier.variance, noisier.free, noisier.pairs) == (pytest.approx(0.001), 6, 12)
    calmer = with_others(own, Scatter(variance=0.0001, free=15, pairs=0))
    assert (calmer.variance, calmer.free) == (0.0004, 6)
    assert with_others(own, None) == own
    few = with_others(own, Scatter(variance=0.0016, free=1, pairs=0))
    assert (few.variance, few.free) == (pytest.approx(0.0007), 4)


def test_several_count_by_their_degrees_of_freedom() -> None:
    both = together(
        [Scatter(variance=0.01, free=1, pairs=1), Scatter(variance=0.04, free=2, pairs=3)]
    )
    assert both == Scatter(variance=pytest.approx(0.03), free=3, pairs=4)
    assert together([]) is None


def test_a_load_with_noise_of_another_size_has_no_say() -> None:
    calm = Scatter(variance=0.001**2, free=3, pairs=12)
    assert comparable(calm, Scatter(variance=0.005**2, free=3, pairs=12))
    assert not comparable(calm, Scatter(variance=0.03**2, free=3, pairs=12))
    assert comparable(Scatter(variance=0.03**2, free=3, pairs=12), calm)


def test_the_floor_is_what_a_a_comparisons_stay_within() -> None:
    """Against A/A comparisons simulated with a known noise."""
    floor = noise_floor(Scatter(variance=0.03**2, free=100_000, pairs=1), share=2 / 4)
    assert floor.ratio is not None
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 0.03, (2, 20_000, 4)).mean(axis=2)
    inside = np.abs(one - other) <= math.log1p(floor.ratio)
    assert inside.mean() == pytest.approx(0.95, abs=0.005)


def test_a_floor_from_few_cells_is_wider() -> None:
    few, many = (
        noise_floor(Scatter(variance=0.0009, free=free, pairs=1), share=0.5) for free in (3, 300)
    )
    assert few.ratio is not None
    assert many.ratio is not None
    wider = math.log1p(few.ratio) / math.log1p(many.ratio)
    assert wider == pytest.approx(stats.t.ppf(0.975, 3) / stats.t.ppf(0.975, 300))


def test_an_unknown_noise_has_no_floor() -> None:
    floor = noise_floor(None, share=2.0)
    assert (floor.ratio, floor.cell_sd, floor.source) == (None, None, "none")
