"""A search of a cell that is measured several times: equal loads first, then one belief for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.search.adaptive import adaptive
from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe


def shared(aim: Aim, *, always: Sequence[int], before: Sequence[Observation]) -> NextProbe:
    """Measure `always` in every cell, then go on where its equals left the boundary.

    Args:
        aim: of this cell; `max_steps` counts its own steps.
        always: concurrencies to measure first, whatever they show; 1 comes before them.
        before: what equal cells showed earlier in the campaign.
    """
    whole = adaptive(replace(aim, max_steps=aim.max_steps + len(before)))

    def next_probe(seen: Sequence[Observation]) -> Probe | Finished:
        tried = {each.concurrency for each in seen}
        missing = [each for each in dict.fromkeys((1, *always)) if each not in tried]
        if missing == [1, *missing[1:]]:
            return Probe(concurrency=1, reason="first: what a run takes with no other")
        if missing:
            return Probe(concurrency=missing[0], reason="equal load: measured in every cell")
        if len(seen) >= aim.max_steps:
            return Finished(reason=f"{len(seen)} steps, {len(before)} of its equals before")
        return whole([*before, *seen])

    return next_probe
