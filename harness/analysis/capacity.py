"""From judged steps to a capacity: the highest concurrency that surely holds, with its interval.

Success is taken to be monotonic in load. What is reported as `concurrency` was itself tried and
passed, and the belief over all steps (`search.boundary`) says how probable it is that it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.analysis.search.base import Observation
from harness.analysis.search.boundary import Belief, believe, whole

Status = Literal["bracketed", "above_max", "below_min", "invalid"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The highest concurrency at which every objective held.

    `bracketed`: it held at `concurrency` and broke at `first_failing`. `above_max`: nothing
    broke, so it is `concurrency` or more. `below_min`: not even the lowest tried holds;
    `concurrency` is 0. `invalid`: the facts do not support a capacity; `concurrency` is `None`.

    Attributes:
        low, high: the shortest interval that holds the true capacity with probability
            `confidence`, widened to `concurrency`; `high` is `None` where nothing bounds it.
        probability: that `concurrency` really holds.
        confirmed: whether it was tried, passed, and is as sure as `confidence` (with the
            indifference zone of `search.boundary.believe`).
        broken_slo: the objective that broke first above it.
        steps: how many judged steps the answer rests on.
    """

    concurrency: int | None
    low: int | None
    high: int | None
    first_failing: int | None
    status: Status
    binding: str | None = None
    broken_slo: str | None = None
    evidence: tuple[str, ...] = ()
    probability: float | None = None
    confidence: float = CONFIDENCE
    confirmed: bool = False
    steps: int = 0


def capacity_of(
    observations: Iterable[Observation],
    *,
    broken: Iterable[tuple[int, str]] = (),
    confidence: float = CONFIDENCE,
) -> Capacity:
    """The capacity these steps support, its binding limit not yet named.

    Args:
        observations: of the cell's measured steps, any order.
        broken: (concurrency, hardest broken objective) of the failing steps.
        confidence: how probable interval and `concurrency` are to be.
    """
    everything = list(observations)
    seen = [each for each in everything if each.counts]
    if not seen:
        return _nothing(confidence, "no step could be judged")
    tried = sorted({each.concurrency for each in seen})
    grid = whole(tried[-1])
    tolerant, exact = believe(grid, seen, tolerant=True), believe(grid, seen)
    passed = sorted({each.concurrency for each in seen if each.verdict == "pass"})
    low, high = exact.interval(confidence)
    found = Capacity(
        concurrency=None, low=low, high=high, first_failing=None, status="invalid",
        confidence=confidence, steps=len(seen),
    )  # fmt: skip
    if not passed or tolerant.holds(tried[0]) < 0.5:
        return _below(found, tried[0], exact, broken)
    sure = [each for each in passed if tolerant.holds(each) >= confidence]
    concurrency = sure[-1] if sure else passed[0]
    found = replace(
        found,
        concurrency=concurrency,
        low=min(low, concurrency),
        probability=exact.holds(concurrency),
        confirmed=bool(sure),
        evidence=() if sure else (_doubt(concurrency, tolerant, confidence),),
    )
    return _seen_to_the_end(_bracket(found, seen, tolerant, broken), everything)


def _bracket(
    found: Capacity, seen: Sequence[Observation], belief: Belief, broken: Iterable[tuple[int, str]]
) -> Capacity:
    """Name what failed above: the lowest that failed and more probably fails than holds."""
    failed = sorted({each.concurrency for each in seen if each.verdict == "fail"})
    above = [each for each in failed if each > (found.concurrency or 0)]
    failing = [each for each in above if belief.holds(each) < 0.5] or above[-1:]
    if not failing:
        return replace(found, status="above_max")
    first = failing[0]
    return replace(
        found, status="bracketed", first_failing=first, broken_slo=_slo_at(first, broken)
    )


def _seen_to_the_end(found: Capacity, everything: Sequence[Observation]) -> Capacity:
    """Where nothing broke, a higher step without a verdict leaves the answer open."""
    blind = sorted({e.concurrency for e in everything} - {e.concurrency for e in everything
                                                          if e.counts})  # fmt: skip
    above = [str(each) for each in blind if each > (found.concurrency or 0)]
    if found.status != "above_max" or not above:
        return found
    why = f"no valid verdict at {', '.join(above)}"
    return replace(found, confirmed=False, evidence=(*found.evidence, why))


def _below(
    found: Capacity, lowest: int, belief: Belief, broken: Iterable[tuple[int, str]]
) -> Capacity:
    """Not even the lowest concurrency tried holds."""
    return replace(
        found,
        concurrency=0,
        low=0,
        high=max(lowest - 1, found.high or 0),
        first_failing=lowest,
        status="below_min",
        broken_slo=_slo_at(lowest, broken),
        probability=1.0,
        confirmed=1 - belief.holds(lowest) >= found.confidence,
    )


def _slo_at(concurrency: int, broken: Iterable[tuple[int, str]]) -> str | None:
    return next((name for at, name in broken if at == concurrency), None)


def _doubt(concurrency: int, belief: Belief, confidence: float) -> str:
    return (
        f"{concurrency} is not confirmed: it holds with P = {belief.holds(concurrency):.2f}, "
        f"{confidence:.2f} was wanted"
    )


def _nothing(confidence: float, why: str) -> Capacity:
    return Capacity(
        concurrency=None, low=None, high=None, first_failing=None, status="invalid",
        evidence=(why,), confidence=confidence,
    )  # fmt: skip


def with_binding(
    capacity: Capacity, limit: str | None, evidence: Sequence[str] = (), *, sure: bool = True
) -> Capacity:
    """Name the limit that binds.

    Where it is the control plane, what fed the server gave out before the server did: that is no
    threshold of the server, and the capacity becomes invalid. Where that is not `sure`, it stays.
    """
    named = replace(capacity, binding=limit, evidence=(*capacity.evidence, *evidence))
    if limit != "control_plane" or not sure:
        return named
    return replace(
        named,
        concurrency=None,
        low=capacity.concurrency or None,
        high=None,
        status="invalid",
        confirmed=False,
        probability=None,
        evidence=(*named.evidence, "the server was not what gave out: not its threshold"),
    )
