"""What may be said after the rounds so far, and where the metric moved."""

from __future__ import annotations

import math

from harness.analysis.bisecting.belief import Belief
from harness.analysis.bisecting.evidence import gaps_of
from harness.analysis.bisecting.types import Rules, Size, Status, Step

LEAST_ENDS = 2
"""Rounds of both ends, one forwards and one backwards, before anything is said."""

LEAST_ON_A_LINE = 4
"""Releases between the ends before a drift is named: a line through few points is soon found."""

CLEAR_SEVERAL = 0.5
"""From here on what moved is looked for in more than one place."""


def status_of(belief: Belief, rules: Rules) -> Status:
    """The answer as far as it is known; see `Status`."""
    evidence = belief.evidence
    if evidence.rounds_of(evidence.releases[0], evidence.releases[-1]) < LEAST_ENDS:
        return "cannot_tell"
    if is_same(belief, rules):
        return "same"
    if not differs(belief, rules):
        return "cannot_tell"
    if belief.drift >= rules.confidence and _is_line(belief):
        return "gradual"
    if belief.several <= CLEAR_SEVERAL:
        return "found" if known_gap(belief, rules) is not None else "cannot_tell"
    largest = by_size(belief, belief.best(2))[:1]
    sure = all(belief.inside(gap) >= rules.confidence for gap in largest)
    return "several" if largest and sure and is_closed(belief, largest[0]) else "cannot_tell"


def sure_of(rules: Rules) -> float:
    """The odds of the rules as a probability."""
    return rules.odds / (1 + rules.odds)


def is_same(belief: Belief, rules: Rules) -> bool:
    """Whether there is nothing to look for.

    The tolerance speaks only until something between the ends was measured: what was worth looking
    for stays so, although its interval becomes narrow.
    """
    if belief.nothing >= sure_of(rules):
        return True
    if len(belief.evidence.places) > 2:
        return False
    ends = ends_of(belief)
    return 1 / (1 + rules.tolerance) <= ends.low and ends.high <= 1 + rules.tolerance


def differs(belief: Belief, rules: Rules) -> bool:
    """Whether the ends surely do."""
    return belief.nothing <= 1 - sure_of(rules)


def _is_line(belief: Belief) -> bool:
    """Whether enough points were measured to speak of one."""
    places = belief.evidence.places
    return len(places) - 2 >= LEAST_ON_A_LINE or not belief.evidence.open_between(0, places[-1])


def ends_of(belief: Belief) -> Size:
    """The newer end beside the older."""
    return belief.levels[belief.evidence.places[-1]]


def is_closed(belief: Belief, gap: int) -> bool:
    """Whether nothing in it can be measured any more."""
    return not belief.evidence.open_between(*gaps_of(belief.evidence.places)[gap])


def known_gap(belief: Belief, rules: Rules) -> int | None:
    """The closed gap in which something surely moved; `None` where there is none."""
    for gap in range(len(belief.evidence.places) - 1):
        if belief.inside(gap) >= rules.confidence and is_closed(belief, gap):
            return gap
    return None


def by_size(belief: Belief, gaps: tuple[int, ...]) -> list[int]:
    """The gaps of one hypothesis, that with the largest step first."""
    sizes = belief.sizes(gaps) if gaps else {}
    return sorted(gaps, key=lambda gap: -abs(math.log(sizes[gap].ratio)))


def by_rise(belief: Belief) -> list[int]:
    """All gaps, that with the largest difference between its ends first; for a drift."""
    levels = {0: 0.0} | {at: math.log(size.ratio) for at, size in belief.levels.items()}
    gaps = gaps_of(belief.evidence.places)
    return sorted(
        range(len(gaps)), key=lambda gap: -abs(levels[gaps[gap][1]] - levels[gaps[gap][0]])
    )


def steps_of(belief: Belief, rules: Rules, status: Status) -> tuple[Step, ...]:
    """Where it moved, the largest step first; as far as that is known."""
    if status in ("same", "gradual") or not differs(belief, rules):
        return ()
    if belief.several > CLEAR_SEVERAL:
        gaps = belief.best(2)
        sizes = belief.sizes(gaps) if gaps else {}
        return tuple(
            _step(belief, (gap, gap), sizes[gap], belief.inside(gap))
            for gap in by_size(belief, gaps)
        )
    first, last = _shortest(belief, rules.confidence)
    inside = belief.chance(lambda gaps: any(first <= gap <= last for gap in gaps))
    size = belief.sizes((first,))[first] if first == last else ends_of(belief)
    return (_step(belief, (first, last), size, inside),)


def _shortest(belief: Belief, confidence: float) -> tuple[int, int]:
    """The fewest neighbouring gaps that hold the one step so surely; of equals the surest."""
    places = belief.evidence.places
    shares = [belief.alone(gap) for gap in range(len(places) - 1)]
    spans: list[tuple[int, float, tuple[int, int]]] = []
    for first in range(len(shares)):
        for last in range(first, len(shares)):
            held = sum(shares[first : last + 1])
            if held >= confidence * sum(shares):
                spans.append((places[last + 1] - places[first], -held, (first, last)))
    return min(spans)[2]


def _step(belief: Belief, span: tuple[int, int], size: Size, probability: float) -> Step:
    evidence = belief.evidence
    low, high = evidence.places[span[0]], evidence.places[span[1] + 1]
    between = (at for at in range(low + 1, high) if at not in evidence.places)
    return Step(
        after=evidence.releases[low],
        upto=evidence.releases[high],
        size=size,
        probability=min(probability, 1.0),
        unmeasured=tuple(evidence.releases[at] for at in between),
    )
