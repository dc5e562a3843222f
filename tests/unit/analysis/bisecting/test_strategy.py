"""Which round comes next, and what may be said after each."""

from __future__ import annotations

import math

import pytest
from factory_bisecting import (
    METRIC,
    Machine,
    bisect,
    question_of,
    releases_of,
    round_of,
    step,
)

from harness.analysis.bisecting.belief import believe
from harness.analysis.bisecting.conclude import conclude
from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.hypotheses import drift_prior, hypotheses
from harness.analysis.bisecting.strategy import Measure, Stop, next_round
from harness.analysis.bisecting.types import Rules

pytestmark = pytest.mark.unit

NINE = releases_of(9)


def known(*rounds: dict[str, float], **more: object) -> Evidence:
    """Rounds over nine releases."""
    made = tuple(round_of(number, values) for number, values in enumerate(rounds, start=1))
    return Evidence(releases=NINE, rounds=made, **more)  # type: ignore[arg-type]


BETTER = {"1.12.0": 100.0, "1.12.8": 120.0}
AGAIN = {"1.12.0": 99.0, "1.12.8": 119.5}


def test_both_ends_come_first_twice_whatever_the_first_round_said() -> None:
    assert next_round(known()) == Measure(releases=(), reason="do the two ends differ at all?")
    (order,) = {type(next_round(known(BETTER)))}
    assert order is Measure
    assert next_round(known(BETTER)).releases == ()  # type: ignore[union-attr]


def test_then_the_middle_one() -> None:
    order = next_round(known(BETTER, AGAIN))
    assert isinstance(order, Measure)
    assert order.releases == ("1.12.4",)
    assert "P = 0.50" in order.reason


def test_of_two_that_tell_nearly_the_same_the_one_whose_image_is_there() -> None:
    order = next_round(known(BETTER, AGAIN), ready=("1.12.5", "1.12.1"))
    assert isinstance(order, Measure)
    assert order.releases == ("1.12.5",)


def test_an_image_that_is_there_is_no_reason_to_learn_little() -> None:
    order = next_round(known(BETTER, AGAIN), ready=("1.12.1",))
    assert isinstance(order, Measure)
    assert order.releases == ("1.12.4",)


def test_what_is_skipped_is_not_asked_for_a_neighbour_is() -> None:
    order = next_round(known(BETTER, AGAIN, skipped={"1.12.4": "does not start"}))
    assert isinstance(order, Measure)
    assert order.releases in (("1.12.3",), ("1.12.5",))


def test_only_chosen_releases_are_candidates() -> None:
    order = next_round(known(BETTER, AGAIN, candidates=frozenset(("1.12.1", "1.12.6"))))
    assert isinstance(order, Measure)
    assert order.releases == ("1.12.6",)


def test_a_release_without_a_place_stays_in_hand() -> None:
    noisy = {"1.12.0": 95.0, "1.12.8": 127.0}
    middle = {"1.12.0": 105.0, "1.12.4": 112.0, "1.12.8": 120.0}
    order = next_round(known(BETTER, noisy, middle))
    assert order == Measure(releases=("1.12.4",), reason="not placed yet")


def test_a_release_with_a_place_does_not() -> None:
    middle = {"1.12.0": 100.0, "1.12.4": 100.2, "1.12.8": 120.0}
    order = next_round(known(BETTER, AGAIN, middle))
    assert isinstance(order, Measure)
    assert order.releases == ("1.12.6",)


def test_a_drift_of_the_machine_from_round_to_round_moves_nothing() -> None:
    slower = {release: value * 3 for release, value in AGAIN.items()}
    plain, drifted = believe(known(BETTER, AGAIN)), believe(known(BETTER, slower))
    assert drifted.nothing == pytest.approx(plain.nothing)
    assert drifted.levels[8].low == pytest.approx(plain.levels[8].low)


def test_ends_that_are_alike_end_it() -> None:
    alike = {"1.12.0": 100.0, "1.12.8": 100.4}
    order = next_round(known(alike, alike, alike))
    assert order == Stop(reason="the two ends do not differ")


def test_ends_that_cannot_be_told_apart_end_it_too() -> None:
    rounds = [{"1.12.0": 100.0, "1.12.8": 106.0 + 16 * (-1) ** n} for n in range(4)]
    order = next_round(known(*rounds), Rules(most_ends=4))
    assert isinstance(order, Stop)
    assert order.reason == "after 4 rounds the two ends cannot be told apart"


def test_an_end_without_a_value_is_tried_again_and_then_given_up() -> None:
    lame = [round_of(n, {"1.12.0": 100.0}, releases=("1.12.0", "1.12.8"),
                     why={"1.12.8": "no line through the steps' memory"})
            for n in range(1, 5)]  # fmt: skip
    assert isinstance(next_round(Evidence(releases=NINE, rounds=tuple(lame[:3]))), Measure)
    order = next_round(Evidence(releases=NINE, rounds=tuple(lame)))
    assert isinstance(order, Stop)
    assert "1.12.8: no line through the steps' memory" in order.reason


def test_two_neighbours_need_no_more_than_their_own_rounds() -> None:
    done = bisect(Machine(levels=[0.0, math.log(1.2)], noise=0.01, seed=1))
    assert done.finding.status == "found"
    assert done.finding.steps[0].unmeasured == ()
    assert len(done.orders) == 2


def test_a_larger_tolerance_calls_more_the_same() -> None:
    assert isinstance(next_round(known(BETTER, AGAIN), Rules(tolerance=0.5)), Stop)


def test_skipped_releases_are_named_with_the_step_they_lie_in() -> None:
    machine = Machine(levels=step(9, 4), noise=0.01, seed=3, broken=("1.12.3", "1.12.4"))
    found = bisect(machine).finding
    assert found.status == "found"
    (moved,) = found.steps
    assert (moved.after, moved.upto) == ("1.12.2", "1.12.5")
    assert moved.unmeasured == ("1.12.3", "1.12.4")
    assert {each.release for each in found.skipped} <= {"1.12.3", "1.12.4"}
    assert found.skipped[0].why == "it does not start"


def test_the_neighbours_of_the_step_have_two_rounds_each_before_it_is_named() -> None:
    done = bisect(Machine(levels=step(40, 17), noise=0.005, seed=2))
    rounds = {each.release: each.rounds for each in done.finding.measured}
    assert done.named == ("1.12.16", "1.12.17")
    assert min(rounds["1.12.16"], rounds["1.12.17"]) >= 2


def test_what_is_said_of_each_release() -> None:
    found = bisect(Machine(levels=step(40, 17), noise=0.01, seed=2)).finding
    like = {each.release: each.like for each in found.measured}
    assert like["1.12.16"] == like["1.12.0"] == "good"
    assert like["1.12.17"] == like["1.12.39"] == "bad"
    assert found.ends is not None
    assert found.ends.low < 1.15 < found.ends.high
    assert found.noise == pytest.approx(0.01, rel=0.5)
    (moved,) = found.steps
    assert moved.size.low < 1.15 < moved.size.high
    assert moved.probability > 0.95


def test_between_two_steps_is_neither_like_good_nor_like_bad() -> None:
    levels = [math.log(1.1) * (place >= 9) + math.log(1.08) * (place >= 30) for place in range(40)]
    found = bisect(Machine(levels=levels, noise=0.005, seed=1)).finding
    between = {each.release for each in found.measured if each.like == "between"}
    assert {"1.12.9", "1.12.29"} <= between
    assert found.single_p < 0.01


def test_before_the_first_round_nothing_is_claimed() -> None:
    found = conclude(Evidence(releases=NINE), question_of(NINE))
    assert (found.status, found.ends, found.noise) == ("cannot_tell", None, None)
    assert found.steps == ()
    assert found.measured == ()


def test_a_bisection_cut_short_says_where_it_still_may_be() -> None:
    middle = {"1.12.0": 100.0, "1.12.4": 100.2, "1.12.8": 120.0}
    found = conclude(known(BETTER, AGAIN, middle), question_of(NINE), ended="no time is left")
    assert (found.status, found.ended) == ("cannot_tell", "no time is left")
    (moved,) = found.steps
    assert (moved.after, moved.upto) == ("1.12.4", "1.12.8")
    assert moved.unmeasured == ("1.12.5", "1.12.6", "1.12.7")


@pytest.mark.parametrize("places", [(0, 1), (0, 2), (0, 4, 9), (0, 1, 2, 3, 11, 39)])
def test_all_that_may_have_happened_adds_up_to_one_before_anything_is_measured(
    places: tuple[int, ...],
) -> None:
    steps = sum(float(family.prior.sum()) for family in hypotheses(places))
    assert steps + drift_prior(places)[0] == pytest.approx(1.0)


def test_measuring_one_more_release_makes_nothing_more_probable_by_itself() -> None:
    ends, more = hypotheses((0, 39)), hypotheses((0, 13, 39))
    inside = {gaps: p for family in more for gaps, p in zip(family.gaps, family.prior, strict=True)}
    whole = float(ends[1].prior[0])
    assert sum(p for gaps, p in inside.items() if gaps) == pytest.approx(whole)
    assert inside[(1,)] > inside[(0,)]


def test_the_metric_is_quoted() -> None:
    assert conclude(known(BETTER), question_of(NINE)).question.metric == METRIC
