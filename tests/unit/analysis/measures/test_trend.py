"""Slopes that are there are found; noise, also noise that repeats itself, is not called a slope."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from factory import Rung, make_facts
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import theilslopes

from harness.analysis.measures.trend import backlog_trend, inflation_of, theil_sen, trend_of
from harness.analysis.measures.windows import in_flight_at
from harness.facts.model import Run

pytestmark = pytest.mark.unit

Series = NDArray[np.float64]
CLOCK = np.arange(40.0)


def repeating(rng: np.random.Generator, n: int, share: float) -> Series:
    """Noise of variance 1 of which each value keeps a share of the one before."""
    shocks, values = rng.normal(0, 1, n), np.zeros(n)
    values[0] = shocks[0]
    for place in range(1, n):
        values[place] = share * values[place - 1] + np.sqrt(1 - share**2) * shocks[place]
    return values


def arrivals_in_flight(rng: np.random.Generator, *, rate: float, stay_s: float) -> Series:
    """Runs in flight over 40 s of an open model that has been steady for long."""
    sent = np.sort(rng.uniform(-100, 40, rng.poisson(rate * 140)))
    ended = sent + stay_s * rng.lognormal(0, 0.2, len(sent))
    runs = [
        Run(step=1, user=0, run_id=None, intended_s=s, sent_s=s, ended_s=e, status="SUCCESS")
        for s, e in zip(sent.tolist(), ended.tolist(), strict=True)
    ]
    return in_flight_at(runs, CLOCK + 0.5)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.integers(-5, 5).map(float), min_size=3, max_size=30),
    gaps=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=30, max_size=30),
    confidence=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_the_slope_and_its_interval_are_those_of_scipy(
    values: list[float], gaps: list[float], confidence: float
) -> None:
    times = np.cumsum(gaps[: len(values)])
    assume(times[-1] > times[0])
    with np.errstate(invalid="ignore"):
        expected = theilslopes(values, times, confidence)
    assume(np.isfinite(expected.low_slope))
    found = theil_sen(np.array(values), times, confidence=confidence)
    assert found.slope_per_s == pytest.approx(expected.slope)
    assert found.low_per_s == pytest.approx(expected.low_slope)
    assert found.high_per_s == pytest.approx(expected.high_slope)
    assert found.n == len(values)


def test_the_interval_is_wider_where_values_repeat_each_other() -> None:
    repeated = np.repeat(np.random.default_rng(3).normal(0, 1, 10), 4)
    plain, honest = theil_sen(repeated, CLOCK), trend_of(repeated, CLOCK)
    assert honest.slope_per_s == plain.slope_per_s
    assert honest.low_per_s < plain.low_per_s
    assert honest.high_per_s > plain.high_per_s


def test_more_confidence_asks_for_a_wider_interval() -> None:
    values = np.random.default_rng(3).normal(0, 1, 40)
    found = [trend_of(values, CLOCK, confidence=sure) for sure in (0.8, 0.95, 0.99)]
    for narrow, wide in pairwise(found):
        assert wide.low_per_s < narrow.low_per_s
        assert wide.high_per_s > narrow.high_per_s


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8])
def test_the_inflation_is_that_of_the_autocorrelation(share: float) -> None:
    found = inflation_of(repeating(np.random.default_rng(5), 4000, share))
    assert found == pytest.approx((1 + share) / (1 - share), rel=0.12)


def test_the_inflation_is_not_biased_in_short_series() -> None:
    rng = np.random.default_rng(11)
    found = [inflation_of(repeating(rng, 15, 0.5)) for _ in range(1000)]
    assert float(np.median(found)) == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize("values", [[2.0] * 10, [1.0, 2.0], [1.0, -1.0] * 10])
def test_what_does_not_repeat_itself_is_not_inflated(values: list[float]) -> None:
    assert inflation_of(np.array(values)) == 1.0


def test_a_slope_that_is_there_is_found_in_noise_that_repeats_itself() -> None:
    rng = np.random.default_rng(2)
    series = [0.5 * CLOCK + repeating(rng, 40, 0.5) for _ in range(100)]
    found = [trend_of(values, CLOCK) for values in series]
    assert all(trend.low_per_s > 0 for trend in found)
    assert float(np.median([trend.slope_per_s for trend in found])) == pytest.approx(0.5, abs=0.01)


def test_the_slope_itself_does_not_pass_for_repetition() -> None:
    rng, wider = np.random.default_rng(4), []
    for _ in range(100):
        values = 0.5 * CLOCK + rng.normal(0, 1, 40)
        plain, honest = theil_sen(values, CLOCK), trend_of(values, CLOCK)
        widths = [each.high_per_s - each.low_per_s for each in (plain, honest)]
        wider.append(widths[1] / widths[0])
    assert float(np.median(wider)) < 1.3


def test_a_steady_open_model_is_seldom_said_to_grow() -> None:
    rng = np.random.default_rng(8)
    series = [arrivals_in_flight(rng, rate=1.0, stay_s=8.0) for _ in range(400)]
    plain = sum(theil_sen(values, CLOCK).low_per_s > 0 for values in series)
    honest = sum(trend_of(values, CLOCK).low_per_s > 0 for values in series)
    assert honest / 400 <= 0.05
    assert plain / 400 > 0.10, "which is why the interval is widened"


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(min_value=-3, max_value=3))
def test_the_backlog_trend_finds_the_slope_that_is_there(slope: float) -> None:
    rung = Rung(concurrency=3, pool_queue=200.0, pool_growth_per_s=slope, hold_s=20.0)
    facts = make_facts([rung])
    hold = facts.steps[0].phase("hold")
    assert hold is not None
    trend = backlog_trend(facts.runs, facts.samples, hold=hold)
    assert trend is not None
    assert trend.slope_per_s == pytest.approx(slope, abs=0.02)
    assert trend.low_per_s <= trend.slope_per_s <= trend.high_per_s


def test_a_long_hold_is_averaged_before_its_pairs_are_compared() -> None:
    facts = make_facts([Rung(concurrency=1, hold_s=600.0)])
    hold = facts.steps[0].phase("hold")
    assert hold is not None
    trend = backlog_trend(facts.runs, facts.samples, hold=hold)
    assert trend is not None
    assert trend.n == 120
    assert np.isfinite([trend.low_per_s, trend.high_per_s]).all()
