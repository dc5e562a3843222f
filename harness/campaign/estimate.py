"""How long a campaign takes, and which steps a cell climbs, before anything is started.

How long a run takes is not known here, unless the campaign says so (`load.run_s`). Otherwise
`ramp_s` stands for it, which is meant to span one run (see `StepTimes`); a workload whose runs are
much longer than the ramp takes longer than estimated, by about the difference a step.
"""

from __future__ import annotations

import math
from typing import Literal

from harness.campaign.plan import LISTED, Campaign, CellPlan

START_S = 15.0
"""Database, server, webserver and their location up and loadable, images being there already."""

STOP_S = 3.0
"""Logs saved, everything taken down."""

LAUNCH_S = 3.0
"""What a run takes beside its work: spawn, imports (about 2 CPU-seconds), noticing its end."""

WARMUP_LIMIT_S = 60.0
"""The rig sends no further warm-up run after this long."""

DRAIN_SHARE = 0.8
"""Of a run: the last one in flight has this much still to go when the hold ends. The mean over
the steps of the committed baselines (6.6 s where the ramp is 8 s)."""

StepKind = Literal["unloaded", "load"]
StepKey = tuple[StepKind, int, int]
"""(kind, concurrency, repetition from 1)."""


def steps_of(campaign: Campaign, cell: CellPlan) -> list[StepKey]:
    """The steps of a whole ladder or soak in order, each concurrency with all its repetitions.

    On a ladder concurrency 1 always comes first, whether it is named or not, and is of the kind
    `unloaded`: the slowdown of all others is judged against it.
    """
    ladder = campaign.concurrencies(cell)
    if campaign.search.strategy == "soak":
        segments = range(1, campaign.search.max_steps + 1)
        return [("load", ladder[0], segment) for segment in segments]
    concurrencies = ladder if ladder[0] == 1 else (1, *ladder)
    repetitions = range(1, campaign.search.repetitions + 1)
    return [
        ("unloaded" if concurrency == 1 else "load", concurrency, repetition)
        for concurrency in concurrencies
        for repetition in repetitions
    ]


def estimate_steps(campaign: Campaign, cell: CellPlan) -> int:
    """How many steps a cell is expected to take, the unloaded one among them.

    A ladder, a soak: all of them. `bisect` and `adaptive`: the unloaded step and ⌈log2 n⌉ to come
    down to one of the n concurrencies of the grid. `adaptive` then repeats at the boundary:
    2 · ln(1 ÷ (1 − confidence)) times, a rule of thumb (every agreeing repetition multiplies the
    odds by about the same factor): 6 for 0.95, 4 for 0.8. Never more than `most_steps`.
    """
    search = campaign.search
    if search.strategy in LISTED:
        return len(steps_of(campaign, cell))
    expected = 1 + math.ceil(math.log2(len(campaign.concurrencies(cell))))
    if search.strategy == "adaptive":
        expected += math.ceil(2 * math.log(1 / (1 - search.confidence)))
    return min(expected, most_steps(campaign))


def most_steps(campaign: Campaign) -> int:
    """How many steps `max_steps` and `max_minutes` allow a cell: two at least. Not for ladders.

    `max_minutes` counts from the first step after the warm-up, and a step that would not end
    within it is not begun.
    """
    search = campaign.search
    if search.max_minutes is None:
        return search.max_steps
    fit = math.floor(search.max_minutes * 60 / estimate_step_s(campaign))
    return max(2, min(search.max_steps, fit))


def estimate_step_s(campaign: Campaign, kind: StepKind = "load") -> float:
    """One step: ramp, settle, hold and a typical drain, which is never above its limit.

    A burst has neither ramp nor settle; the unloaded step is closed and has, in every model.
    """
    times, run_s = campaign.step, _run_s(campaign)
    drain_s = min(times.drain_s, max(LAUNCH_S, DRAIN_SHARE * run_s))
    if campaign.load.model == "burst" and kind == "load":
        return times.hold_s + drain_s
    return times.ramp_s + times.settle_s + times.hold_s + drain_s


def estimate_cell_s(campaign: Campaign, cell: CellPlan) -> float:
    """Start, warm-up, idle watch, the expected steps, stop; in seconds."""
    steps = estimate_steps(campaign, cell)
    unloaded = {"ladder": campaign.search.repetitions, "soak": 0}.get(campaign.search.strategy, 1)
    return (
        _around_steps_s(campaign)
        + unloaded * estimate_step_s(campaign, "unloaded")
        + (steps - unloaded) * estimate_step_s(campaign)
    )


def longest_cell_s(campaign: Campaign, cell: CellPlan) -> float:
    """The same at most: until the search has spent its steps or its minutes."""
    search = campaign.search
    if search.strategy in LISTED:
        return estimate_cell_s(campaign, cell)
    later_s = (search.max_steps - 1) * estimate_step_s(campaign)
    steps_s = estimate_step_s(campaign, "unloaded") + later_s
    minutes = search.max_minutes
    return _around_steps_s(campaign) + min(steps_s, math.inf if minutes is None else minutes * 60)


def estimate_s(campaign: Campaign) -> float:
    """All cells, one after the other; in seconds."""
    return sum(estimate_cell_s(campaign, cell) for cell in campaign.cells())


def longest_s(campaign: Campaign) -> float:
    """The same at most; in seconds."""
    return sum(longest_cell_s(campaign, cell) for cell in campaign.cells())


def _around_steps_s(campaign: Campaign) -> float:
    """Start, warm-up, idle watch and stop of a cell."""
    run_s = _run_s(campaign) + LAUNCH_S
    # Warm-up runs go one by one; the last one sent within the limit is waited for.
    warmup_s = min(campaign.warmup_runs * run_s, WARMUP_LIMIT_S + run_s)
    return START_S + warmup_s + campaign.idle_s + STOP_S


def _run_s(campaign: Campaign) -> float:
    """What the work of one run takes."""
    return campaign.step.ramp_s if campaign.load.run_s is None else campaign.load.run_s
