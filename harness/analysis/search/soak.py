"""Hold one concurrency for as many segments as were asked for, whatever they show."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe


def soak(aim: Aim) -> NextProbe:
    """`max_steps` segments at the only concurrency of the grid."""
    held = aim.grid[0]

    def next_probe(seen: Sequence[Observation]) -> Probe | Finished:
        if len(seen) >= aim.max_steps:
            return Finished(reason=f"the soak is over: {len(seen)} segments")
        return Probe(concurrency=held, reason=f"segment {len(seen) + 1} of {aim.max_steps}")

    return next_probe
