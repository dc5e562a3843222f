"""What grows is found with its slope, and noise is seldom taken for growth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from harness.analysis.measures.trend import TREND_MIN_BINS
from harness.analysis.soaking.growth import Point, Subject, growth_of, warmed
from harness.analysis.soaking.types import Growth

pytestmark = pytest.mark.unit

MEMORY = Subject(what="memory", of="code-server-1", unit="MiB", limit=2048.0)
HANDLES = Subject(what="file handles", of="code-server-1", unit="")
SEGMENT_H = 1 / 12


def points(values: Sequence[float], *, peak: float = 0.0) -> list[Point]:
    """Five minutes apart; the highest reading lies `peak` above the median."""
    return [
        Point(at_s=1e9 + 3600 * SEGMENT_H * number, value=value, top=value + peak)
        for number, value in enumerate(values)
    ]


def noisy(
    truth: Callable[[float], float], *, seed: int, n: int = 24, sd: float = 5.0, again: float = 0.0
) -> list[Point]:
    """A truth by hours, with normal noise of which `again` is kept from one segment to the next."""
    chance = np.random.default_rng(seed)
    noise, values = 0.0, []
    for number in range(n):
        noise = again * noise + math.sqrt(1 - again**2) * chance.normal(0, sd)
        values.append(truth(number * SEGMENT_H) + noise)
    return points(values)


def leak(hour: float) -> float:
    return 500 + 30 * hour


def flat(_: float) -> float:
    return 500.0


def warm_in(hour: float) -> float:
    return 500 + 80 * (1 - math.exp(-hour / 0.25))


def per_hour(growth: Growth) -> tuple[float, float, float]:
    slope = growth.per_hour
    assert slope is not None
    return slope.low, slope.value, slope.high


class TestALeak:
    def test_is_found_with_a_slope_an_hour_whose_interval_covers_the_truth(self) -> None:
        found = [growth_of(MEMORY, noisy(leak, seed=seed)) for seed in range(200)]
        courses = Counter(each.course for each in found)
        assert courses["grows"] >= 190
        assert set(courses) <= {"grows", "unclear"}
        covered = sum(low <= 30 <= high for low, _, high in map(per_hour, found))
        assert covered >= 180
        assert np.median([value for _, value, _ in map(per_hour, found)]) == pytest.approx(
            30, rel=0.05
        )

    def test_of_which_neighbours_repeat_each_other_is_covered_too(self) -> None:
        found = [growth_of(MEMORY, noisy(leak, seed=seed, n=48, again=0.5)) for seed in range(200)]
        assert sum(low <= 30 <= high for low, _, high in map(per_hour, found)) >= 175

    def test_reaches_its_limit_when_the_truth_does(self) -> None:
        left_h = (2048 - leak(48 * SEGMENT_H)) / 30
        seen = 0
        for seed in range(100):
            reach = growth_of(MEMORY, noisy(leak, seed=seed, n=48)).reach
            assert reach is not None
            assert reach.hours is not None
            assert reach.earliest is not None
            assert reach.latest is not None
            assert reach.earliest <= reach.hours <= reach.latest
            assert reach.hours == pytest.approx(left_h, rel=0.15)
            seen += reach.earliest - 1 <= left_h <= reach.latest + 1
        assert seen >= 90

    def test_in_much_noise_is_not_said_to_be_over(self) -> None:
        """Half of the segments cannot see it; that is no reason to call it levelled off."""
        found = [growth_of(MEMORY, noisy(leak, seed=seed, sd=15)) for seed in range(200)]
        courses = Counter(each.course for each in found)
        assert courses["grows"] + courses["unclear"] >= 190
        assert courses["unclear"] > 50
        unclear = next(each for each in found if each.course == "unclear")
        assert unclear.per_hour is not None
        assert unclear.per_hour.n == 24
        assert unclear.reach is not None
        assert unclear.reach.hours is None
        assert unclear.reach.earliest is not None

    def test_without_noise_is_told_exactly(self) -> None:
        found = growth_of(MEMORY, points([500 + 5 * n for n in range(20)], peak=48))
        assert found.course == "grows"
        assert per_hour(found) == pytest.approx((60, 60, 60))
        assert (found.first, found.last) == (510, 585)
        assert found.reach is not None
        # By the highest reading of the last quarter, 595 + 48: a limit is met by a peak.
        assert found.reach.hours == pytest.approx((2048 - 643) / 60)
        assert found.reach.limit == 2048

    def test_that_is_beyond_its_limit_has_reached_it(self) -> None:
        found = growth_of(MEMORY, points([2000 + 5 * n for n in range(20)]))
        assert found.reach is not None
        assert found.reach.hours == 0

    def test_of_something_without_a_limit_reaches_none(self) -> None:
        found = growth_of(HANDLES, points([20.0 + n for n in range(20)]))
        assert (found.course, found.reach) == ("grows", None)


class TestNoLeak:
    @pytest.mark.parametrize(("n", "again"), [(12, 0.0), (24, 0.0), (48, 0.0), (48, 0.5)])
    def test_is_steady_but_for_about_as_many_as_the_interval_says(
        self, n: int, again: float
    ) -> None:
        """Of 95 % intervals around nothing one in twenty lies aside, half of them above."""
        seeds = 400
        courses = Counter(
            growth_of(MEMORY, noisy(flat, seed=seed, n=n, again=again)).course
            for seed in range(seeds)
        )
        assert courses["grows"] <= 0.025 * seeds
        assert courses["grows"] + courses["unclear"] + courses["levels off"] <= 0.06 * seeds
        assert courses["shrinks"] <= 0.06 * seeds
        assert courses["steady"] >= 0.9 * seeds

    def test_says_how_early_the_limit_could_be_reached_but_not_that_it_is(self) -> None:
        found = growth_of(MEMORY, noisy(flat, seed=4))
        assert found.course == "steady"
        assert found.reach is not None
        assert (found.reach.hours, found.reach.latest) == (None, None)
        assert found.reach.earliest is not None
        assert found.reach.earliest > 100

    def test_of_equal_readings_never_reaches_anything(self) -> None:
        found = growth_of(MEMORY, points([500.0] * 12))
        assert found.course == "steady"
        assert per_hour(found) == (0, 0, 0)
        assert found.reach is not None
        assert (found.reach.hours, found.reach.earliest, found.reach.latest) == (None, None, None)

    def test_what_becomes_less_shrinks(self) -> None:
        found = growth_of(MEMORY, points([900.0 - 3 * n for n in range(12)]))
        assert found.course == "shrinks"
        assert found.reach is not None
        assert (found.reach.hours, found.reach.earliest) == (None, None)


class TestWarmIn:
    @staticmethod
    def rise(hour: float) -> float:
        """60 MiB over the first two of five hours, and no more."""
        return 500 + 30 * min(hour, 2.0)

    def test_what_flattens_levels_off(self) -> None:
        found = [growth_of(MEMORY, noisy(self.rise, seed=n, n=60, sd=10)) for n in range(200)]
        courses = Counter(each.course for each in found)
        assert courses["levels off"] >= 180
        assert courses["grows"] <= 10

    @pytest.mark.parametrize(("n", "sd"), [(24, 2.0), (40, 10.0), (40, 20.0), (100, 2.0)])
    def test_filling_caches_are_not_taken_for_a_leak(self, n: int, sd: float) -> None:
        found = [growth_of(MEMORY, noisy(warm_in, seed=seed, n=n, sd=sd)) for seed in range(200)]
        assert sum(each.course == "grows" for each in found) <= 10

    def test_the_slope_is_then_that_of_the_second_half(self) -> None:
        found = growth_of(MEMORY, noisy(self.rise, seed=1, n=60, sd=10))
        assert found.course == "levels off"
        low, _, high = per_hour(found)
        assert low <= 0 <= high
        assert found.per_hour is not None
        assert found.per_hour.n == 30
        assert found.reach is not None
        assert found.reach.hours is None

    def test_few_segments_are_not_halved(self) -> None:
        values = [500, 540, 520, 580, 560, 600, 590, 580, 595, 585, 590]
        assert growth_of(MEMORY, points(values)).course == "grows"

    @pytest.mark.parametrize(
        ("given", "left"), [(0, 0), (1, 0), (7, 6), (10, 9), (11, 9), (30, 27)]
    )
    def test_the_first_tenth_is_left_out_and_one_at_least(self, given: int, left: int) -> None:
        kept = warmed(list(range(given)))
        assert list(kept) == list(range(given))[given - left :]


@pytest.mark.parametrize("n", range(TREND_MIN_BINS))
def test_of_too_few_segments_nothing_is_known(n: int) -> None:
    found = growth_of(MEMORY, points([500.0 + 50 * number for number in range(n)]))
    assert found == Growth(what="memory", of="code-server-1", unit="MiB", course="not known")


def test_enough_segments_are_five() -> None:
    assert growth_of(MEMORY, points([500.0 + 50 * n for n in range(5)])).course == "grows"
