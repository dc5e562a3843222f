"""What to measure next, and when to stop: bisection that knows its tool is noisy.

First both ends, until they surely differ or surely do not. Then one release at a time, each round
together with both ends, where it tells most about the place of the step; a release stays in hand
until it is placed. Places are probabilities, so a wrong one is found out later and measured again
(probabilistic bisection: Waeber, Frazier & Henderson 2013). Where what was measured fits no single
step, the largest of several is followed first.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from scipy.special import ndtr

from harness.analysis.bisecting.belief import Belief, believe
from harness.analysis.bisecting.evidence import Evidence, gaps_of
from harness.analysis.bisecting.status import (
    CLEAR_SEVERAL,
    LEAST_ENDS,
    by_rise,
    by_size,
    differs,
    ends_of,
    is_closed,
    status_of,
    sure_of,
)
from harness.analysis.bisecting.types import USUAL, Rules, Status

CONFIRMED = 2
"""Rounds of each neighbour of the step before it is named."""

LONELY = 0.8
"""How probable a single step must be for these rounds to do."""

IN_VAIN = 2
"""Rounds of the ends that may fail to give a value before it is given up."""

SEEN_OFTEN = 3
"""Rounds of its neighbours before a second step is looked for that may be none."""

SMALL = 0.25
"""Of the largest step: what is smaller is told, and not narrowed."""

NOTHING_TOLD = 0.01
"""Bits below which a round tells nothing."""

SURE = "the answer is sure"
SURE_OF_ALL = "every large step is between two neighbours"
TOLD_ALL = "more rounds of these releases would tell nothing"

NEARLY = 0.9
"""Of the most telling release: what tells so much is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Measure both ends and these between them, and why."""

    releases: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nothing more to measure, and why."""

    reason: str


def next_round(
    evidence: Evidence, rules: Rules = USUAL, ready: Collection[str] = ()
) -> Measure | Stop:
    """The next round.

    Args:
        evidence: all rounds so far.
        rules: how sure to be.
        ready: releases that cost little, because their image is there; they are taken where two
            tell nearly the same.
    """
    ends = evidence.rounds_of(evidence.releases[0], evidence.releases[-1])
    if ends < LEAST_ENDS:
        return _ends_first(evidence)
    belief = believe(evidence)
    status = status_of(belief, rules)
    if status == "same":
        return Stop(reason="the two ends do not differ")
    if not differs(belief, rules) and len(evidence.places) == 2:
        return _ends_again(ends, belief, rules)
    return _between(belief, status, rules, ready)


def _between(
    belief: Belief, status: Status, rules: Rules, ready: Collection[str]
) -> Measure | Stop:
    """What to measure once the ends differ."""
    in_hand = _in_hand(belief, rules)
    if in_hand is not None:
        return Measure(releases=(in_hand,), reason="not placed yet")
    if status == "gradual":
        return Stop(reason="it moved little by little, or in more steps than can be told apart")
    if belief.several > CLEAR_SEVERAL:
        return _follow_several(belief, rules)
    return _halve(belief, rules, ready)


def _ends_first(evidence: Evidence) -> Measure | Stop:
    if len(evidence.rounds) < LEAST_ENDS + IN_VAIN:
        return Measure(releases=(), reason="do the two ends differ at all?")
    why = dict(entry for each in evidence.rounds for entry in each.why.items())
    said = "; ".join(f"{release}: {reason}" for release, reason in why.items())
    return Stop(reason=f"in {len(evidence.rounds)} rounds an end gave no value ({said})")


def _ends_again(ends: int, belief: Belief, rules: Rules) -> Measure | Stop:
    if ends >= rules.most_ends:
        return Stop(reason=f"after {ends} rounds the two ends cannot be told apart")
    return Measure(releases=(), reason=f"do the two ends differ? P = {1 - belief.nothing:.2f}")


def _in_hand(belief: Belief, rules: Rules) -> str | None:
    """The release of the last round, while it has no place."""
    evidence = belief.evidence
    ends = (evidence.releases[0], evidence.releases[-1])
    between = [each for each in evidence.rounds[-1].releases if each not in ends]
    if len(between) != 1 or not evidence.may_measure(evidence.index[between[0]]):
        return None
    release = between[0]
    if evidence.tries_of(release) >= rules.most_rounds:
        return None
    at = evidence.index[release]
    if at in evidence.places and _is_placed(belief, at, rules):
        return None
    return release


def _is_placed(belief: Belief, at: int, rules: Rules) -> bool:
    """Whether it surely is before what moved, behind it, or between two things that did."""
    column = belief.evidence.places.index(at)
    if belief.several <= CLEAR_SEVERAL:
        before = belief.chance(lambda gaps: len(gaps) == 1 and gaps[0] >= column)
        behind = belief.chance(lambda gaps: len(gaps) == 1 and gaps[0] < column)
        return max(before, behind) >= rules.odds * min(before, behind)
    left, right = column - 1, column
    only_left = belief.chance(lambda gaps: left in gaps and right not in gaps)
    only_right = belief.chance(lambda gaps: right in gaps and left not in gaps)
    neither = belief.chance(lambda gaps: left not in gaps and right not in gaps)
    both = 1 - only_left - only_right - neither
    return max(only_left, only_right, neither, both) >= sure_of(rules)


def _halve(belief: Belief, rules: Rules, ready: Collection[str]) -> Measure | Stop:
    """Where a round tells most about the place of the one step."""
    evidence = belief.evidence
    places = evidence.places
    shares = [belief.alone(gap) / belief.single for gap in range(len(places) - 1)]
    best = max(range(len(shares)), key=lambda gap: shares[gap])
    if is_closed(belief, best) and status_of(belief, rules) == "found":
        least = CONFIRMED if belief.single >= LONELY else rules.most_rounds
        return _confirm(belief, best, rules, least=least) or Stop(reason=SURE)
    told = dict(_telling(belief, shares, rules))
    if told and max(told.values()) >= NOTHING_TOLD:
        at = _choose(told, evidence, ready)
        chance = _behind(places, shares, at)
        return Measure(
            releases=(evidence.releases[at],),
            reason=f"it moved before this one with P = {chance:.2f}",
        )
    again = _confirm(belief, best, rules, least=rules.most_rounds)
    return again or Stop(reason=TOLD_ALL)


def _telling(belief: Belief, shares: list[float], rules: Rules) -> Iterator[tuple[int, float]]:
    """Bits that one round of each release tells about the place, where it may be measured."""
    evidence = belief.evidence
    apart = abs(math.log(ends_of(belief).ratio))
    wrong = float(ndtr(-apart / (2 * belief.noise * math.sqrt(1.5))))
    for at in range(1, len(evidence.releases) - 1):
        spent = evidence.tries_of(evidence.releases[at]) >= rules.most_rounds
        if evidence.may_measure(at) and not spent:
            behind = _behind(evidence.places, shares, at)
            seen = behind * (1 - wrong) + (1 - behind) * wrong
            yield at, _bits(seen) - _bits(wrong)


def _behind(places: tuple[int, ...], shares: list[float], at: int) -> float:
    """How probable it is that the step is at this release or before it."""
    return sum(
        share * min(max(at - low, 0), high - low) / (high - low)
        for (low, high), share in zip(gaps_of(places), shares, strict=True)
    )


def _bits(p: float) -> float:
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


def _choose(told: dict[int, float], evidence: Evidence, ready: Collection[str]) -> int:
    """The most telling one; of those that tell nearly as much, one that costs no new image."""
    most = max(told.values())
    near = [at for at, bits in told.items() if bits >= NEARLY * most]
    return max(
        near,
        key=lambda at: (at in evidence.places, evidence.releases[at] in ready, told[at], -at),
    )


def _confirm(belief: Belief, gap: int, rules: Rules, *, least: int) -> Measure | None:
    """Both neighbours of a step side by side, unless each has so many rounds."""
    evidence = belief.evidence
    ends = (0, len(evidence.releases) - 1)
    low, high = gaps_of(evidence.places)[gap]
    beside = [at for at in (low, high) if at not in ends and evidence.may_measure(at)]
    few = [at for at in beside if evidence.tries_of(evidence.releases[at]) < least]
    if not few:
        return None
    able = [at for at in beside if evidence.tries_of(evidence.releases[at]) < rules.most_rounds]
    named = tuple(evidence.releases[at] for at in able)
    return Measure(releases=named, reason="the neighbours of the step, side by side")


def _follow_several(belief: Belief, rules: Rules) -> Measure | Stop:
    """The largest step that can still be narrowed; then the least sure one once more."""
    drifts = belief.drift > CLEAR_SEVERAL * belief.several
    gaps = by_rise(belief) if drifts else _worth_it(belief)
    for gap in gaps:
        # One odd round looks like a step: new releases are not measured for that.
        doubtful = not drifts and belief.inside(gap) < rules.confidence
        again = _confirm(belief, gap, rules, least=SEEN_OFTEN) if doubtful else None
        order = again or _middle_of(belief, gap, rules)
        if order:
            return order
    sure = all(belief.inside(gap) >= rules.confidence for gap in gaps)
    for gap in sorted(gaps, key=belief.inside):
        again = _confirm(belief, gap, rules, least=CONFIRMED if sure else rules.most_rounds)
        if again:
            return again
    return Stop(reason=SURE_OF_ALL if sure else TOLD_ALL)


def _worth_it(belief: Belief) -> list[int]:
    """The steps that are not small beside the largest one, which comes first."""
    gaps = by_size(belief, belief.best(2))
    sizes = belief.sizes(belief.best(2))
    largest = abs(math.log(sizes[gaps[0]].ratio))
    return [gap for gap in gaps if abs(math.log(sizes[gap].ratio)) >= SMALL * largest]


def _middle_of(belief: Belief, gap: int, rules: Rules) -> Measure | None:
    """The release nearest to the middle of a gap, of those that can still be measured."""
    evidence = belief.evidence
    low, high = gaps_of(evidence.places)[gap]
    fresh = [
        at
        for at in evidence.open_between(low, high)
        if evidence.tries_of(evidence.releases[at]) < rules.most_rounds
    ]
    if not fresh:
        return None
    at = min(fresh, key=lambda each: (abs(2 * each - low - high), each))
    return Measure(
        releases=(evidence.releases[at],), reason="it moved more than once; here it moved most"
    )
