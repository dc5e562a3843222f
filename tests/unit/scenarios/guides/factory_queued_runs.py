"""Observed runs of the queue, made by hand."""

from __future__ import annotations

from typing import Any

from harness.facts.observations import Observation


def queued_run(
    group: str, begin: float | None, end: float | None, *, enqueued: float = 0.0, **changes: Any
) -> Observation:
    """A run of one step that is taken off the queue at `begin`, starts a second later and ends at
    `end`; without a `begin` it stays in the queue.
    """
    started = None if begin is None else begin + 1
    values = {
        "group": group, "created_s": enqueued, "enqueued_s": enqueued, "dequeued_s": begin,
        "started_s": started, "ended_s": end, "step_starts": [] if started is None else [started],
        "step_ends": [] if started is None or end is None else [end],
    }  # fmt: skip
    return Observation(what="run", at_s=0.0, values={**values, **changes})


def seen(what: str, **values: Any) -> Observation:
    """Any other observation."""
    return Observation(what=what, at_s=0.0, values=values)
