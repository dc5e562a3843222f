"""How long a campaign takes, and which steps a cell climbs, before anything is started.

Estimates are for whole ladders; one that stops at a failing step takes less. How long a run takes
is not known here. `ramp_s` is meant to span one run (see `StepTimes`), so it stands for that; a
workload whose runs are much longer than the ramp takes longer than estimated, by about the
difference a step.
"""

from __future__ import annotations

from typing import Literal

from harness.campaign.plan import Campaign, CellPlan

START_S = 15.0
"""Database, server, webserver and their location up and loadable, images being there already."""

STOP_S = 3.0
"""Logs saved, everything taken down."""

LAUNCH_S = 3.0
"""What a run takes beside its work: spawn, imports (about 2 CPU-seconds), noticing its end."""

WARMUP_LIMIT_S = 60.0
"""The rig sends no further warm-up run after this long."""

DRAIN_SHARE = 0.6
"""Of `ramp_s`: the last run in flight has this much still to go when the hold ends."""

StepKey = tuple[Literal["unloaded", "load"], int, int]
"""(kind, concurrency, repetition from 1)."""


def steps_of(campaign: Campaign, cell: CellPlan) -> list[StepKey]:
    """The steps of a whole ladder in order, each concurrency with all its repetitions.

    Concurrency 1 always comes first, whether the ladder names it or not, and is of the kind
    `unloaded`: the slowdown of all others is judged against it.
    """
    ladder = campaign.concurrencies(cell)
    concurrencies = ladder if ladder[0] == 1 else (1, *ladder)
    repetitions = range(1, campaign.search.repetitions + 1)
    return [
        ("unloaded" if concurrency == 1 else "load", concurrency, repetition)
        for concurrency in concurrencies
        for repetition in repetitions
    ]


def estimate_step_s(campaign: Campaign) -> float:
    """One step: ramp, settle, hold and a typical drain, which is never above its limit."""
    times = campaign.step
    drain_s = min(times.drain_s, max(LAUNCH_S, DRAIN_SHARE * times.ramp_s))
    return times.ramp_s + times.settle_s + times.hold_s + drain_s


def estimate_cell_s(campaign: Campaign, cell: CellPlan) -> float:
    """Start, warm-up, idle watch, the whole ladder, stop; in seconds."""
    run_s = campaign.step.ramp_s + LAUNCH_S
    # Warm-up runs go one by one; the last one sent within the limit is waited for.
    warmup_s = min(campaign.warmup_runs * run_s, WARMUP_LIMIT_S + run_s)
    climb_s = len(steps_of(campaign, cell)) * estimate_step_s(campaign)
    return START_S + warmup_s + campaign.idle_s + climb_s + STOP_S


def estimate_s(campaign: Campaign) -> float:
    """All cells, one after the other; in seconds."""
    return sum(estimate_cell_s(campaign, cell) for cell in campaign.cells())
