"""Thinning loses no peak, no trough, no end and no gap, whatever the readings are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.picture.thinning import EDGE_SHARE, Curve, curve_of, kept

pytestmark = pytest.mark.unit

spaces = st.lists(st.sampled_from([0.2, 0.2, 0.2, 0.21, 0.5, 30.0]), min_size=1, max_size=400)
most = st.integers(min_value=8, max_value=120)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Readings at about 5 Hz, with gaps, over few or many levels."""
    times = np.cumsum(draw(spaces))
    levels = st.integers(0, draw(st.sampled_from([1, 3, 10_000])))
    values = draw(st.lists(levels, min_size=len(times), max_size=len(times)))
    return curve_of(times, np.array(values, dtype=np.float64))


@given(curves(), most)
def test_what_stays_is_part_of_what_was_in_its_order_and_no_more_than_allowed(
    curve: Curve, most: int
) -> None:
    indexes = kept(curve, most)
    assert len(indexes) <= most + 1
    assert (np.diff(indexes) > 0).all()
    assert indexes[0] == 0
    assert indexes[-1] == len(curve) - 1


@given(curves(), most)
def test_the_highest_and_the_lowest_stay(curve: Curve, most: int) -> None:
    values = curve.values[kept(curve, most)]
    assert values.max() == curve.values.max()
    assert values.min() == curve.values.min()


@given(curves(), most)
def test_around_every_reading_something_as_high_and_something_as_low_stays(
    curve: Curve, most: int
) -> None:
    """Around: nearer than one bucket is wide. No two neighbours are equal here."""
    values = 2 * curve.values + np.arange(len(curve)) % 2
    uneven = Curve(curve.times, values, curve.after_gap)
    indexes = kept(uneven, most)
    width = -(-len(curve) // max(1, (most - 2 - most // EDGE_SHARE) // 2))
    for place in range(len(curve)):
        beside = values[indexes[np.abs(indexes - place) < width]]
        assert beside.min() <= values[place] <= beside.max()


@given(curves(), most)
def test_no_gap_is_drawn_over_and_none_is_made(curve: Curve, most: int) -> None:
    indexes = kept(curve, most)
    thinned = curve.at(indexes)
    between = [
        bool(curve.after_gap[first + 1 : last + 1].any()) for first, last in pairwise(indexes)
    ]
    assert thinned.after_gap.tolist() == [False, *between]


@given(curves(), most, st.lists(st.floats(0, 200), max_size=6))
def test_the_peak_of_every_stretch_stays(curve: Curve, most: int, starts: list[float]) -> None:
    bounds = np.sort(np.array(starts, dtype=np.float64))
    indexes = kept(curve, most, stretches_s=bounds)
    assert len(indexes) <= most + len(starts) + 1
    stretch = np.searchsorted(bounds, curve.times, side="right")
    for own in np.unique(stretch):
        left = curve.values[indexes][stretch[indexes] == own]
        assert left.max() == curve.values[stretch == own].max()


def test_what_stands_still_costs_two_readings_and_is_drawn_as_it_was() -> None:
    values = np.zeros(1000)
    values[[100, 500, 501, 900]] = [3.0, 5.0, 4.0, -1.0]
    curve = curve_of(np.arange(1000.0), values)
    indexes = kept(curve, 20)
    assert len(indexes) <= 20
    assert np.interp(curve.times, curve.times[indexes], values[indexes]) == pytest.approx(values)


def test_a_few_readings_stay_as_they_are() -> None:
    curve = curve_of(np.arange(8.0), np.zeros(8))
    assert kept(curve, 8).tolist() == list(range(8))


def test_nothing_stays_nothing() -> None:
    curve = curve_of(np.empty(0), np.empty(0))
    assert kept(curve, 100).tolist() == []


def test_late_looks_are_no_gap_and_missing_ones_are() -> None:
    times = np.array([0.0, 0.2, 0.4, 2.3, 2.5, 2.7, 5.0, 5.2])
    assert curve_of(times, np.zeros(8)).after_gap.nonzero()[0].tolist() == [6]


def test_a_slow_device_has_longer_gaps() -> None:
    times = np.array([0.0, 10.0, 20.0, 60.0, 70.0, 121.0])
    assert curve_of(times, np.zeros(6)).after_gap.nonzero()[0].tolist() == [5]


def test_a_question_without_an_answer_is_a_gap_however_short() -> None:
    curve = curve_of(np.arange(4.0), np.zeros(4), lost_s=np.array([1.5]))
    assert curve.after_gap.tolist() == [False, False, True, False]


def test_a_reading_that_is_no_number_is_a_gap() -> None:
    curve = curve_of(np.arange(4.0), np.array([1.0, np.nan, 2.0, 3.0]))
    assert curve.times.tolist() == [0.0, 2.0, 3.0]
    assert curve.after_gap.tolist() == [False, True, False]
