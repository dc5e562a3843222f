"""Counters become rates: over a second, across a restart, never across a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.measures.windows import counted
from harness.analysis.picture.rates import growth_of, rate_of
from harness.facts.model import Phase

pytestmark = pytest.mark.unit

AT_5_HZ = 1000 + np.arange(0, 60, 0.2)


def test_an_even_counter_has_an_even_rate() -> None:
    curve = rate_of(AT_5_HZ, (AT_5_HZ - 1000) * 0.75)
    assert curve.values == pytest.approx(0.75)
    assert np.diff(curve.times) == pytest.approx(1.0)
    assert not curve.after_gap.any()


def test_a_counter_that_begins_anew_does_not_fall() -> None:
    counter = np.where(AT_5_HZ < 1030, AT_5_HZ - 1000, AT_5_HZ - 1030) * 0.5
    assert rate_of(AT_5_HZ, counter).values == pytest.approx(0.5, abs=0.11)
    assert (rate_of(AT_5_HZ, counter).values >= 0).all()


def test_across_a_gap_there_is_no_rate() -> None:
    times = AT_5_HZ[(AT_5_HZ < 1020) | (AT_5_HZ > 1035)]
    counter = np.where(times < 1030, 100 + (times - 1000) * 0.5, 3 + (times - 1035) * 0.25)
    curve = rate_of(times, counter)
    assert not ((curve.times > 1020) & (curve.times < 1035)).any()
    assert curve.after_gap.sum() == 1
    assert curve.values[curve.times < 1020] == pytest.approx(0.5)
    assert curve.values[curve.times > 1035] == pytest.approx(0.25)


def test_a_share_is_growth_by_growth_and_0_where_nothing_passed() -> None:
    passed = np.where(AT_5_HZ < 1030, AT_5_HZ - 1000, 30.0) * 10
    curve = rate_of(AT_5_HZ, passed * 0.4, over=passed)
    assert curve.values[curve.times < 1029] == pytest.approx(0.4)
    assert curve.values[curve.times > 1031] == pytest.approx(0.0)


def test_looks_once_a_second_are_rates_of_a_second() -> None:
    times = np.arange(0.0, 20.0)
    assert rate_of(times, times * 2).values == pytest.approx(2.0)


@pytest.mark.parametrize("size", [0, 1])
def test_too_few_looks_have_no_rate(size: int) -> None:
    assert len(rate_of(np.arange(float(size)), np.zeros(size))) == 0


def test_a_look_that_read_no_number_is_left_out() -> None:
    counter = AT_5_HZ.copy()
    counter[50] = np.nan
    assert rate_of(AT_5_HZ, counter).values == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=50))
def test_growth_is_what_judging_counts(values: list[float]) -> None:
    times, read = np.arange(float(len(values))), np.array(values)
    whole = Phase(name="hold", start_s=0.0, end_s=float(times[-1]))
    judged = counted(times, read, whole)
    assert judged is not None
    assert growth_of(read)[-1] == pytest.approx(judged.delta)
