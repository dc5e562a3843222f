"""How many runs a campaign can launch at most, before anything is started."""

from __future__ import annotations

import math

from harness.campaign.estimate import most_steps, steps_of
from harness.campaign.plan import LISTED, Campaign, CellPlan


def most_runs(campaign: Campaign) -> int:
    """Runs of all cells together, at most: every step at the highest concurrency it may have.

    A run is taken to last `load.run_s`, or not at all less than a second where that is not known:
    an open or closed model then sends no more than that.
    """
    return sum(_of_cell(campaign, cell) for cell in campaign.cells())


def peak_of(campaign: Campaign) -> int:
    """Runs in flight at once, at most; of open arrivals those offered, or what a deployment that
    exists may be given.
    """
    grids = (campaign.concurrencies(cell) for cell in campaign.cells())
    most = max(*campaign.search.always, *(max(grid) for grid in grids), 1)
    if campaign.external is not None and campaign.load.model in ("uniform", "poisson"):
        return campaign.external.peak  # more than were offered may be there, but never more than so
    return most


def _of_cell(campaign: Campaign, cell: CellPlan) -> int:
    if campaign.search.strategy in LISTED:
        loads = [concurrency for _, concurrency, _ in steps_of(campaign, cell)]
    else:
        highest = max(*campaign.concurrencies(cell), *campaign.search.always)
        loads = [1, *[highest] * (most_steps(campaign) - 1)]
    return campaign.warmup_runs + sum(_of_step(campaign, load) for load in loads)


def _of_step(campaign: Campaign, concurrency: int) -> int:
    if campaign.load.model == "burst":
        return concurrency
    times, run_s = campaign.step, max(1.0, campaign.load.run_s or 1.0)
    sending_s = times.ramp_s + times.settle_s + times.hold_s
    return concurrency * math.ceil(sending_s / run_s)
