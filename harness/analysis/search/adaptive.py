"""Gallop up, then repeat at the boundary until both ends of the answer are sure.

Every probe goes where it tells most: at first far ahead, as far as the margins allow; then at the
two concurrencies between which the threshold most probably lies, the less measured one first. The
last step that fits goes to what can be shipped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe
from harness.analysis.search.boundary import Belief, believe, whole
from harness.units import show_span

NEAR = -0.15
"""A margin above this (86 % of the limit) is near enough to the boundary to stop galloping."""

LEAST_LEAP, FARTHEST_LEAP = 1.5, 3.0
BLIND_LEAP = 2.0


def adaptive(aim: Aim) -> NextProbe:
    """The default search."""

    def next_probe(seen: Sequence[Observation]) -> Probe | Finished:
        if not seen:
            return Probe(concurrency=aim.grid[0], reason="first: what a run takes with no other")
        if not any(each.counts for each in seen) and len(seen) >= 2:
            return Finished(reason="no step could be judged")
        belief = believe(whole(aim.grid[-1]), seen, tolerant=True)
        answer = _settled(belief, aim, seen)
        if answer:
            return Finished(reason=answer)
        if len(seen) >= aim.max_steps:
            return Finished(reason=f"{len(seen)} steps are spent; {_state(belief)}")
        return _gallop(aim, seen) or _secure(aim, seen, belief) or _confirm(aim, seen, belief)

    return next_probe


def _settled(belief: Belief, aim: Aim, seen: Sequence[Observation]) -> str:
    """The answer, once its ends are as sure as asked for, were tried, and the lower one passed.

    A lower end that failed by a hair may be believed to hold, but cannot be shipped.
    """
    place = _place(belief, aim.grid)
    ends = aim.grid[max(place, 0) : place + 2]
    tried = {each.concurrency for each in seen}
    passed = {each.concurrency for each in seen if each.verdict == "pass"}
    held = belief.holds(aim.grid[place]) if place >= 0 else 1.0
    more = belief.holds(aim.grid[place + 1]) if place + 1 < len(aim.grid) else 0.0
    if min(held, 1 - more) < aim.confidence or not tried.issuperset(ends):
        return ""
    if place >= 0 and aim.grid[place] not in passed:
        return ""
    if place < 0:
        return f"not even {aim.grid[0]} holds (P = {1 - more:.2f})"
    if place + 1 == len(aim.grid):
        return f"{aim.grid[place]}, the highest allowed, holds (P = {held:.2f})"
    return (
        f"{aim.grid[place]} holds (P = {held:.2f}), {aim.grid[place + 1]} does not ({1 - more:.2f})"
    )


def _place(belief: Belief, grid: Sequence[int]) -> int:
    """Index of the highest concurrency that more probably holds than not; −1 for none."""
    return sum(belief.holds(each) >= 0.5 for each in grid) - 1


def _state(belief: Belief) -> str:
    return f"the threshold lies at {show_span(*belief.interval(0.9))} (P = 0.90)"


def _gallop(aim: Aim, seen: Sequence[Observation]) -> Probe | None:
    """The next leap, or `None` once the boundary is near or behind."""
    counted = [each for each in seen if each.counts]
    if not counted or any(each.verdict == "fail" for each in counted):
        return None
    top = max(counted, key=lambda each: each.concurrency)
    if top.concurrency == aim.grid[-1]:
        return None
    if aim.guess is not None and top.concurrency < aim.guess and len(seen) <= 2:
        goal = _at_most(aim.grid, aim.guess)
        if goal > top.concurrency:
            return Probe(concurrency=goal, reason=f"the model expects {aim.guess}")
    margin = max(top.margins.values(), default=None)
    if margin is not None and margin > NEAR:
        return None
    leap = BLIND_LEAP if margin is None else min(max(math.exp(-margin), LEAST_LEAP), FARTHEST_LEAP)
    goal = _at_least(aim.grid, max(top.concurrency + 1, round(top.concurrency * leap)))
    if aim.at_most is not None and top.concurrency < aim.at_most < goal:
        goal = _at_least(aim.grid, aim.at_most)
        return Probe(concurrency=goal, reason=f"a larger server held no more than {aim.at_most}")
    return Probe(concurrency=goal, reason=f"gallop: {_distance(top)} at {top.concurrency}")


def _distance(top: Observation) -> str:
    if not top.margins:
        return "everything held"
    name, margin = max(top.margins.items(), key=lambda item: item[1])
    return f"{name} was at {math.exp(margin):.0%} of its limit"


def _secure(aim: Aim, seen: Sequence[Observation], belief: Belief) -> Probe | None:
    """The last step of all goes to what can be shipped, if that was never seen to hold.

    An answer must have been tried. Without this a short search may end knowing well where the
    threshold is, and with nothing near it that passed.
    """
    if len(seen) + 1 < aim.max_steps:
        return None
    passed = max((each.concurrency for each in seen if each.verdict == "pass"), default=0)
    sure = [each for each in aim.grid if belief.holds(each) >= aim.confidence]
    if not sure or sure[-1] <= passed:
        return None
    return Probe(
        concurrency=sure[-1],
        reason=f"last step: {sure[-1]} holds with P = {belief.holds(sure[-1]):.2f} and was not "
        "seen to hold yet",
    )


def _confirm(aim: Aim, seen: Sequence[Observation], belief: Belief) -> Probe:
    """One of the two neighbours of the boundary."""
    place = max(_place(belief, aim.grid), 0)
    pair = aim.grid[place : place + 2]
    often = Counter(each.concurrency for each in seen)
    chosen = min(pair, key=lambda concurrency: often[concurrency])
    between = show_span(*belief.interval(aim.confidence))
    return Probe(
        concurrency=chosen,
        reason=f"boundary: the threshold lies at {between} (P = {aim.confidence:.2f}), "
        f"{chosen} holds with P = {belief.holds(chosen):.2f}",
    )


def _at_least(grid: Sequence[int], wanted: int) -> int:
    return next((each for each in grid if each >= wanted), grid[-1])


def _at_most(grid: Sequence[int], wanted: int) -> int:
    return max((each for each in grid if each <= wanted), default=grid[0])
