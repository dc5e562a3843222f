"""What feeds the server: webserver, daemon, database, the machine, our own generator."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.binding.looking import Figures
from harness.analysis.binding.score import (
    Score,
    Sign,
    both,
    combined,
    free,
    ramp,
    told,
)
from harness.analysis.binding.worker_pool import MOST, SOME, probe_growth
from harness.units import show_seconds

SERVICE_BUSY, SERVICE_FULL = 0.7, 0.9
"""Cores. Webserver and daemon are one Python process each: a core is all they can use."""

HOST_BUSY, HOST_FULL = 0.8, 0.9
GENERATOR_BUSY, GENERATOR_FULL = 0.6, 0.8
"""Of the machine's CPUs; of the one core the generator can use (see `analysis.validity`)."""

QUEUED_SOME, QUEUED_MOST = 0.2, 0.8
"""Of the readings. A daemon that keeps up still leaves a run queued until its next look."""

TAKEN = 0.95
"""Of `max_concurrent_runs`: the limit is reached, but for the moment of a change."""

FRONT_FLOOR_S = 0.5
FRONT_SHARE = (0.2, 0.6)
"""Of the time that launching took longer than in the step below."""

DATABASE_SHARE = (0.3, 0.7)
"""Of the workers that are held: they wait for the database."""

_DOUBTS = {
    "support_throttled": 0.7,
    "database_full": 0.7,
    "webserver_slow": 0.3,
    "host_steal": 0.4,
    "generator_late": 0.4,
}
"""Warnings of the step that say the same, and how much."""


def control_plane(figures: Figures) -> Score:
    """How much speaks for what feeds the server.

    What is seen counts in full only while the server has CPU left: one that is full keeps its
    helpers busy as well.
    """
    signs = list(_signs(figures))
    return Score(
        limit="control_plane",
        value=combined(signs) * free(figures.at),
        evidence=told(signs),
        against=_against(figures),
        blind=_blind(figures),
    )


def _signs(figures: Figures) -> Iterator[Sign]:
    yield from _services(figures)
    yield from _machine(figures)
    if figures.queued_feed:
        yield from _queue(figures)
    yield from _front(figures)
    at = figures.at
    for code, weight in _DOUBTS.items():
        told_of = at.doubt(code)
        if told_of is not None:
            yield Sign(weight=weight, degree=1, text=both(figures, told_of, None))
    held = at.held_threads
    if held:
        waiting = at.threads.get("database", 0.0)
        text = f"{waiting:.1f} of the {held:.1f} workers held waited for the database"
        yield Sign(
            weight=0.5, degree=ramp(waiting / held, *DATABASE_SHARE), text=both(figures, text, None)
        )


def _services(figures: Figures) -> Iterator[Sign]:
    below = figures.below
    for name, cores in sorted(figures.at.services.items()):
        before = below.services.get(name) if below else None
        yield Sign(
            weight=0.9,
            degree=ramp(cores, SERVICE_BUSY, SERVICE_FULL),
            text=both(
                figures,
                f"{name} used {cores:.2f} cores",
                None if before is None else f"{before:.2f}",
            ),
        )


def _machine(figures: Figures) -> Iterator[Sign]:
    at, below, cpus = figures.at, figures.below, figures.host_cpus
    if at.host_cores is not None and cpus:
        before = below.host_cores if below else None
        yield Sign(
            weight=0.9,
            degree=ramp(at.host_cores / cpus, HOST_BUSY, HOST_FULL),
            text=both(
                figures,
                f"{at.host_cores:.1f} of the machine's {cpus:g} CPUs were in use",
                None if before is None else f"{before:.1f}",
            ),
        )
    if at.generator_cores is not None:
        before = below.generator_cores if below else None
        yield Sign(
            weight=0.9,
            degree=ramp(at.generator_cores, GENERATOR_BUSY, GENERATOR_FULL),
            text=both(
                figures,
                f"the load generator used {at.generator_cores:.2f} of its one core",
                None if before is None else f"{before:.2f}",
            ),
        )


def _queue(figures: Figures) -> Iterator[Sign]:
    """Runs wait in Dagster although the server's workers have nothing to do."""
    at, below = figures.at, figures.below
    if at.queued_share is None:
        return
    limit = figures.cell.max_concurrent_runs
    reached = limit is not None and at.taken is not None and at.taken >= TAKEN * limit
    why = (
        f"max_concurrent_runs is {limit} and {at.taken:g} runs had been let through"
        if reached
        else "the daemon let them through too slowly"
    )
    idle_workers = 1 - ramp(at.waiting_share, SOME, MOST)
    median = "" if at.queued is None else f" (median {at.queued:g})"
    before = below.queued_share if below else None
    yield Sign(
        weight=0.9 if reached else 0.8,
        degree=ramp(at.queued_share, QUEUED_SOME, QUEUED_MOST) * idle_workers,
        text=both(
            figures,
            f"runs waited in Dagster's queue in {at.queued_share:.0%} of the readings{median}: "
            f"{why}",
            None if before is None else f"{before:.0%}",
        ),
    )


def _front(figures: Figures) -> Iterator[Sign]:
    """Accepting takes longer, while neither the server's spawning nor a cheap request does."""
    at, below = figures.at, figures.below
    if at.front_s is None or at.front_s < FRONT_FLOOR_S or below is None or below.front_s is None:
        return
    longer_s = at.front_s - below.front_s
    inside_s = _longer_s(at.spawn_s, below.spawn_s) + _longer_s(at.import_s, below.import_s)
    share = longer_s / (longer_s + inside_s) if longer_s > 0 else 0.0
    text = f"{show_seconds(at.front_s)} of accepting a launch passed before the server"
    yield Sign(
        weight=0.5,
        degree=ramp(share, *FRONT_SHARE) * (1 - probe_growth(figures)),
        text=both(figures, text, show_seconds(below.front_s)),
    )


def _longer_s(at: float | None, below: float | None) -> float:
    return 0.0 if at is None or below is None else max(0.0, at - below)


def _against(figures: Figures) -> str:
    at, seen = figures.at, []
    if at.services:
        name, cores = max(at.services.items(), key=lambda pair: pair[1])
        seen.append(f"the busiest helper, {name}, used {cores:.2f} cores")
    if at.host_cores is not None and figures.host_cpus:
        seen.append(f"{at.host_cores:.1f} of the machine's {figures.host_cpus:g} CPUs were in use")
    if at.generator_cores is not None:
        seen.append(f"the generator {at.generator_cores:.2f} core")
    return f"control_plane: {', '.join(seen) or 'no sign of it'}"


def _blind(figures: Figures) -> str:
    at, unseen = figures.at, []
    if not at.services:
        unseen.append("the CPU of webserver, daemon and database was not read")
    if at.host_cores is None or not figures.host_cpus:
        unseen.append("whether the machine was full is not known")
    if figures.queued_feed and at.queued_share is None:
        unseen.append("Dagster's queue was not read")
    return f"the control plane cannot be judged in full: {', '.join(unseen)}" if unseen else ""
