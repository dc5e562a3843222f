"""The ratio of two sides, with its interval and its chance; and what ranks say of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.comparison.effect import Contrast, chance, contrast_of, effect_of
from harness.analysis.comparison.noise import Reading, Scatter, scatter_of
from harness.analysis.comparison.ranks import rank_test, smallest_p
from harness.analysis.comparison.types import CellValue, SideFigures

pytestmark = pytest.mark.unit

LOGS = st.lists(st.floats(-2, 2), min_size=2, max_size=8)
KNOWN = Scatter(variance=0.0009, free=9, pairs=24)


def side(values: Sequence[float | None], why: str = "") -> SideFigures:
    known = [value for value in values if value is not None]
    positive = bool(known) and min(known) > 0
    middle = math.exp(float(np.mean(np.log(known)))) if positive else None
    if known and min(known) == 0:
        middle = 0.0
    cells = tuple(
        CellValue(cell="c", round=n, order=n, value=value, why=why)
        for n, value in enumerate(values, start=1)
    )
    return SideFigures(values=cells, middle=middle, n=len(known))


def logs(values: Sequence[float], version: str) -> list[Reading]:
    return [Reading(version=version, round=n, log=log) for n, log in enumerate(values, start=1)]


def contrast(one: Sequence[float], other: Sequence[float], *, in_rounds: bool = True) -> Contrast:
    found = contrast_of(logs(one, "a"), logs(other, "b"), in_rounds=in_rounds)
    assert found is not None
    return found


@given(LOGS, st.data())
def test_pairs_are_what_a_paired_t_test_says(one: list[float], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.floats(-2, 2), min_size=len(one), max_size=len(one)))
    apart = np.subtract(other, one)
    assume(np.std(apart) > 0.01 and abs(np.mean(apart)) > 1e-6)
    found, scatter = contrast(one, other), scatter_of([*logs(one, "a"), *logs(other, "b")])
    assert (found.n, found.paired) == (len(one), True)
    assert chance(found, scatter) == pytest.approx(stats.ttest_rel(other, one).pvalue, abs=1e-9)
    effect = effect_of(found, scatter, side([1.0]), side([1.0]))
    wanted = stats.ttest_rel(other, one).confidence_interval(0.95)
    assert (effect.low, effect.high) == pytest.approx((math.exp(wanted.low), math.exp(wanted.high)))


@given(LOGS, LOGS)
def test_two_campaigns_are_what_students_t_test_says(one: list[float], other: list[float]) -> None:
    assume(min(np.std(one), np.std(other)) > 0.01)
    found = contrast(one, other, in_rounds=False)
    both = [*logs(one, "a"), *logs(other, "b")]
    assert (found.n, found.paired) == (min(len(one), len(other)), False)
    wanted = stats.ttest_ind(other, one).pvalue
    assert chance(found, scatter_of(both, in_rounds=False)) == pytest.approx(wanted, abs=1e-9)


def test_rounds_that_one_side_misses_are_left_out() -> None:
    before = [*logs([0.1, 0.2], "a"), Reading(version="a", round=4, log=0.4)]
    now = [Reading(version="b", round=n, log=log) for n, log in ((2, 0.3), (3, 9.0), (4, 0.6))]
    found = contrast_of(before, now, in_rounds=True)
    assert found is not None
    assert found.parts == pytest.approx((0.1, 0.2))
    assert found.share == pytest.approx(1.0)


def test_without_a_common_round_the_means_are_compared() -> None:
    now = [Reading(version="b", round=9, log=0.5)]
    found = contrast_of(logs([0.1, 0.3], "a"), now, in_rounds=True)
    assert found is not None
    assert (found.paired, found.shift) == (False, pytest.approx(0.3))
    assert contrast_of([], now, in_rounds=True) is None


@given(st.integers(1, 4), st.integers(2, 5), st.floats(-0.2, 0.2), st.floats(-0.5, 0.5), st.data())
def test_an_even_drift_cancels_in_pairs_of_rounds(
    halves: int, versions: int, drift: float, shift: float, data: st.DataObject
) -> None:
    """Every second round backwards (ABBA): the last version moved by `shift`, whatever drifts."""
    first = data.draw(st.integers(0, versions - 2))
    order = 0
    found: dict[int, list[Reading]] = {version: [] for version in range(versions)}
    for number in range(1, 2 * halves + 1):
        forwards = list(range(versions))
        for version in forwards if number % 2 else reversed(forwards):
            log = drift * order + (shift if version == versions - 1 else 0.0)
            found[version].append(Reading(version=str(version), round=number, log=log))
            order += 1
    moved = contrast_of(found[first], found[versions - 1], in_rounds=True)
    assert moved is not None
    assert moved.shift == pytest.approx(shift, abs=1e-9)


@given(LOGS, LOGS)
def test_the_other_way_round_is_the_inverse(one: list[float], other: list[float]) -> None:
    figures = side([1.0]), side([1.0])
    there = effect_of(contrast(one, other), KNOWN, *figures)
    back = effect_of(contrast(other, one), KNOWN, *figures)
    assert there.ratio is not None
    assert there.low is not None
    assert there.high is not None
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))
    assert chance(contrast(one, other), KNOWN) == pytest.approx(chance(contrast(other, one), KNOWN))


@given(LOGS, LOGS, st.floats(0.1, 10))
def test_a_side_in_another_unit_only_moves_the_ratio(
    one: list[float], other: list[float], factor: float
) -> None:
    figures = side([1.0]), side([1.0])
    plain = effect_of(contrast(one, other), KNOWN, *figures)
    scaled = contrast(one, [log + math.log(factor) for log in other])
    moved = effect_of(scaled, KNOWN, *figures)
    for before, now in zip(
        (plain.ratio, plain.low, plain.high), (moved.ratio, moved.low, moved.high), strict=True
    ):
        assert before is not None
        assert now == pytest.approx(before * factor)


def test_single_cells_have_a_ratio_and_no_interval() -> None:
    effect = effect_of(contrast([0.0], [0.1]), None, side([1.0]), side([1.1]))
    assert (effect.ratio, effect.low, effect.n) == (pytest.approx(math.exp(0.1)), None, 1)
    assert chance(contrast([0.0], [0.1]), None) is None


@pytest.mark.parametrize(
    ("baseline", "contender", "why"),
    [
        (side([0.0]), side([1.0]), "undefined: the baseline is 0"),
        (side([2.0, 0.0]), side([1.0]), "undefined: the baseline is 0"),
        (side([0.0]), side([0.0]), "undefined: the baseline is 0"),
        (side([None], "off"), side([1.0]), "undefined: the baseline is not known: off"),
        (side([1.0]), side([None], "off"), "undefined: the contender is not known: off"),
        (side([]), side([1.0]), "undefined: the baseline is not known: no cell has it"),
        (side([-1.0]), side([1.0]), "undefined: the baseline has a figure below 0"),
    ],
)
def test_without_a_baseline_the_ratio_is_undefined(
    baseline: SideFigures, contender: SideFigures, why: str
) -> None:
    effect = effect_of(None, KNOWN, baseline, contender)
    assert (effect.ratio, effect.low, effect.high, effect.why) == (None, None, None, why)


def test_a_contender_of_nothing_is_told_without_an_interval() -> None:
    effect = effect_of(None, KNOWN, side([1.0]), side([0.0]))
    assert (effect.ratio, effect.low, effect.high) == (0.0, None, None)
    assert effect.why


@pytest.mark.parametrize(("pairs", "smallest"), [(1, 1.0), (4, 0.125), (6, 0.03125)])
def test_the_smallest_p_of_pairs(pairs: int, smallest: float) -> None:
    found = contrast([0.0] * pairs, [0.1 + 0.01 * n for n in range(pairs)])
    assert smallest_p(found) == smallest
    wanted = stats.wilcoxon(found.parts or (), method="exact").pvalue
    assert rank_test(found, level=1.0).p == pytest.approx(wanted)
    assert wanted == pytest.approx(smallest)


def test_the_smallest_p_of_two_sides() -> None:
    found = contrast([0.1, 0.2, 0.3, 0.4], [1.1, 1.2, 1.3], in_rounds=False)
    ranks = rank_test(found, level=0.06)
    assert ranks.smallest_p == pytest.approx(2 / 35)
    assert (ranks.p, ranks.decides) == (pytest.approx(2 / 35), True)


def test_too_few_cells_cannot_decide() -> None:
    ranks = rank_test(contrast([0.0] * 4, [0.1, 0.2, 0.3, 0.4]), level=0.05)
    assert (ranks.p, ranks.smallest_p, ranks.decides) == (None, 0.125, False)
    assert rank_test(None, level=0.05).decides is False


def test_ties_leave_the_exact_distribution() -> None:
    assert not rank_test(contrast([0.0] * 8, [0.1] * 8), level=0.05).decides
    assert not rank_test(contrast([0.0] * 4, [0.0] * 4, in_rounds=False), level=0.5).decides
