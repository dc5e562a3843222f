"""How many there were at once, from the stamps of each: nothing that lasted is missed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from harness.facts.observations import Values

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most at once, and since when, in epoch seconds; 0 and `None` where there was nothing."""

    most: int = 0
    at_s: float | None = None


def peak(spans: Iterable[Span]) -> Peak:
    """The most spans that overlap; one that ends as another begins does not overlap it.

    Args:
        spans: begin and end of each, in epoch seconds.
    """
    changes = [change for begin, end in spans for change in ((begin, 1), (end, -1))]
    found, there = Peak(), 0
    for at_s, change in sorted(changes):
        there += change
        if there > found.most:
            found = Peak(most=there, at_s=at_s)
    return found


def in_progress(runs: Sequence[Values]) -> list[Span]:
    """From being taken off the queue to the end: STARTING, STARTED and CANCELING.

    Args:
        runs: observations as `Bench.note_runs` writes them; a run that was never taken has none.
    """
    return [
        (run["dequeued_s"], _first(run["ended_s"])) for run in runs if run["dequeued_s"] is not None
    ]


def waiting(runs: Sequence[Values], at_s: float) -> int:
    """How many of the runs were in the queue then: also those that were cancelled there."""
    return sum(
        1
        for run in runs
        if run["enqueued_s"] is not None
        and run["enqueued_s"] <= at_s < _first(run["dequeued_s"], run["ended_s"])
    )


def first_steps(runs: Sequence[Values]) -> list[Span]:
    """Begin and end of the first step of each run, where its steps follow one another."""
    return [
        (run["step_starts"][0], run["step_ends"][0] if run["step_ends"] else inf)
        for run in runs
        if run["step_starts"]
    ]


def _first(*stamps: float | None) -> float:
    """The first that is known; never, where none is."""
    return next((stamp for stamp in stamps if stamp is not None), inf)
