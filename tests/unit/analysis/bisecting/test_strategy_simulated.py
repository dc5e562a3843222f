"""Seeded machines whose truth is known: how often the strategy names it, and at what price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, median, quantiles

import numpy as np
import pytest
from factory_bisecting import Machine, Outcome, bisect, step

from harness.analysis.bisecting.types import Round

pytestmark = pytest.mark.unit

RELEASES = 40


def steps_somewhere(trials: int, noise: float) -> list[tuple[int, Outcome]]:
    """Where it really moved, and what was found."""
    places = np.random.default_rng(1).integers(1, RELEASES, trials)
    return [
        (int(at), bisect(Machine(levels=step(RELEASES, int(at)), noise=noise, seed=seed)))
        for seed, at in enumerate(places)
    ]


def test_one_step_of_15_percent_in_4_percent_noise_is_found_with_few_releases() -> None:
    done = steps_somewhere(60, noise=0.04)
    right = [each.named == (f"1.12.{at - 1}", f"1.12.{at}") for at, each in done]
    assert mean(right) >= 0.9
    assert mean(each.measured for _, each in done) < 8.5
    assert quantiles([each.measured for _, each in done], n=10)[-1] < 10


def test_what_is_named_with_confidence_is_right_as_often_as_that() -> None:
    done = steps_somewhere(40, noise=0.06)
    named = [(at, each.named) for at, each in done if each.named]
    right = [pair == (f"1.12.{at - 1}", f"1.12.{at}") for at, pair in named]
    assert len(named) >= 25
    assert mean(right) >= 0.95


def test_a_quiet_metric_takes_one_round_a_release() -> None:
    done = steps_somewhere(20, noise=0.01)
    assert all(each.named == (f"1.12.{at - 1}", f"1.12.{at}") for at, each in done)
    assert median(len(each.orders) for _, each in done) < 10


def test_where_nothing_moved_there_is_nothing_to_bisect() -> None:
    done = [
        bisect(Machine(levels=[0.0] * RELEASES, noise=0.04, seed=seed)).finding.status
        for seed in range(120)
    ]
    assert mean(status in ("same", "cannot_tell") for status in done) >= 0.95
    assert done.count("found") + done.count("several") <= 1


def test_a_drift_has_no_culprit() -> None:
    line = [math.log(1.15) * place / (RELEASES - 1) for place in range(RELEASES)]
    done = [bisect(Machine(levels=line, noise=0.04, seed=seed)) for seed in range(20)]
    assert mean(each.named is not None for each in done) <= 0.05
    assert mean(each.finding.status == "gradual" for each in done) >= 0.8


def test_of_two_steps_the_larger_is_named_first() -> None:
    levels = [math.log(1.1) * (place >= 9) + math.log(1.05) * (place >= 30) for place in range(40)]
    done = [bisect(Machine(levels=levels, noise=0.01, seed=seed)) for seed in range(12)]
    assert {each.finding.status for each in done} == {"several"}
    assert {each.named for each in done} == {("1.12.8", "1.12.9")}
    assert {(each.finding.steps[1].after, each.finding.steps[1].upto) for each in done} == {
        ("1.12.29", "1.12.30")
    }


def test_what_rose_and_fell_again_within_is_no_single_step() -> None:
    levels = [math.log(1.3) * (8 <= place < 25) + math.log(1.1) * (place >= 25)
              for place in range(40)]  # fmt: skip
    done = [bisect(Machine(levels=levels, noise=0.01, seed=seed)) for seed in range(8)]
    assert {each.finding.status for each in done} == {"several"}
    assert {each.named for each in done} == {("1.12.7", "1.12.8")}


class Spoiled(Machine):
    """The first round of the first candidate is off by as much as the step."""

    spoiled = False

    def measure(self, number: int, order: Sequence[str]) -> Round:
        done = super().measure(number, order)
        between = set(order) - {self.releases[0], self.releases[-1]}
        if between and not self.spoiled:
            self.spoiled = True
            done.values[between.pop()] *= 1.15
        return done


def test_a_round_gone_wrong_is_found_out() -> None:
    done = [bisect(Spoiled(levels=step(40, 30), noise=0.03, seed=seed)) for seed in range(15)]
    named = [each.named for each in done if each.named]
    assert named.count(("1.12.29", "1.12.30")) == len(named) >= 12
