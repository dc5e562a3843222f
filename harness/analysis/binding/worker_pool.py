"""The gRPC worker threads."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.binding.look import Look
from harness.analysis.binding.looking import Figures
from harness.analysis.binding.score import (
    Score,
    Sign,
    both,
    combined,
    free,
    growth,
    percent,
    ramp,
    told,
)
from harness.units import show_seconds

SOME, MOST = 0.05, 0.5
"""Of the readings; from one half on the median is above zero, which is the objective's limit."""

FULL_SOME, FULL_MOST = 0.2, 0.8
PROBE_SLOWER = (3.0, 30.0)
"""A cheap request takes milliseconds; the wait for a worker takes as long as starting a run."""

PROBE_FLOOR_S = 0.1
SPAWN_SLOWER = (1.2, 2.0)
IMPORT_STEADY = 1.2


def worker_pool(figures: Figures, *, outside: float) -> Score:
    """How much speaks for the workers.

    A server without CPU queues requests too, and so does one that waits for its database: what is
    seen counts in full only while the server has CPU and nothing outside it gave out.

    Args:
        figures: what is known.
        outside: the score of `control_plane`.
    """
    signs = list(_signs(figures))
    raw = combined(signs)
    return Score(
        limit="worker_pool",
        value=raw * free(figures.at) * (1 - outside / 2),
        evidence=told(signs),
        against=_against(figures, raw),
        blind="" if _seen(figures.at) else "the worker pool cannot be judged: it was not read",
    )


def probe_growth(figures: Figures) -> float:
    """How far a cheap request became slower, as the wait for a worker would make it; 0 to 1."""
    at, below = figures.at, figures.below
    if at.probes_lost:
        return 1.0
    if at.probe_s is None or at.probe_s < PROBE_FLOOR_S or below is None:
        return 0.0
    return ramp(growth(at.probe_s, below.probe_s), *PROBE_SLOWER)


def _seen(look: Look) -> bool:
    return look.waiting_share is not None or look.full_share is not None or bool(look.threads)


def _signs(figures: Figures) -> Iterator[Sign]:
    at, below = figures.at, figures.below
    if at.waiting_share is not None:
        median = "" if at.waiting is None else f" (median {at.waiting:g})"
        text = f"requests waited for a worker in {at.waiting_share:.0%} of the readings{median}"
        yield Sign(
            weight=0.8,
            degree=ramp(at.waiting_share, SOME, MOST),
            text=both(figures, text, percent(below.waiting_share if below else None)),
        )
    if at.full_share is not None:
        text = f"all {at.workers:g} workers were busy in {at.full_share:.0%} of the readings"
        yield Sign(
            weight=0.5,
            degree=ramp(at.full_share, FULL_SOME, FULL_MOST),
            text=both(figures, text, percent(below.full_share if below else None)),
        )
    yield from _stacks(figures)
    yield from _waits(figures)


def _stacks(figures: Figures) -> Iterator[Sign]:
    at = figures.at
    held = at.held_threads
    if not held or not at.workers:
        return
    doing = ", ".join(
        f"{key} {number:.1f}" for key, number in at.threads.items() if number and key != "idle"
    )
    yield Sign(
        weight=0.5,
        degree=ramp(held / at.workers, FULL_SOME, 0.95),
        text=both(figures, f"{held:.1f} of {at.workers:g} workers were held ({doing})", None),
    )


def _waits(figures: Figures) -> Iterator[Sign]:
    at, below = figures.at, figures.below
    slower = probe_growth(figures)
    if slower:
        lost = f"{at.probes_lost} cheap requests had no answer" if at.probes_lost else ""
        took = "" if at.probe_s is None else f"a cheap request took {show_seconds(at.probe_s)}"
        before = below.probe_s if below else None
        yield Sign(
            weight=0.4,
            degree=slower,
            text=both(
                figures,
                ", ".join(part for part in (took, lost) if part),
                None if before is None else show_seconds(before),
            ),
        )
    if below is None or at.spawn_s is None or below.spawn_s is None:
        return
    importing = growth(at.import_s, below.import_s)
    if importing is not None and importing <= IMPORT_STEADY:
        text = (
            f"{show_seconds(at.spawn_s)} to a run's process (median), importing no slower: "
            "a wait, no lack of CPU"
        )
        yield Sign(
            weight=0.4,
            degree=ramp(growth(at.spawn_s, below.spawn_s), *SPAWN_SLOWER),
            text=both(figures, text, show_seconds(below.spawn_s)),
        )


def _against(figures: Figures, raw: float) -> str:
    at = figures.at
    if raw >= 0.4:
        return "worker_pool: requests waited, but so they do at a server that lacks something else"
    if at.waiting_share is None:
        return "worker_pool: no sign of requests waiting"
    full = "" if at.full_share is None else f", all workers busy in {at.full_share:.0%}"
    return f"worker_pool: requests waited in {at.waiting_share:.0%} of the readings{full}"
