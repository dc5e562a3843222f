"""A search by its name, as a campaign gives it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.search.adaptive import adaptive
from harness.analysis.search.base import Aim, NextProbe, Observation
from harness.analysis.search.bisect import bisect
from harness.analysis.search.ladder import ladder
from harness.analysis.search.shared import shared
from harness.analysis.search.soak import soak
from harness.campaign.plan import Campaign, CellPlan


def search_for(
    campaign: Campaign,
    cell: CellPlan,
    *,
    guess: int | None = None,
    at_most: int | None = None,
    max_steps: int | None = None,
    before: Sequence[Observation] = (),
) -> NextProbe:
    """The cell's search. Concurrency 1 comes first, but in a soak: slowdowns are judged against it.

    Args:
        campaign: says how to search.
        cell: says over what.
        guess: see `Aim`.
        at_most: see `Aim`.
        max_steps: where time allows fewer steps than the campaign does.
        before: what equal cells showed earlier in the campaign (`adaptive` only).
    """
    plan, grid = campaign.search, campaign.concurrencies(cell)
    aim = Aim(
        grid=grid if grid[0] == 1 or plan.strategy == "soak" else (1, *grid),
        confidence=plan.confidence,
        max_steps=plan.max_steps if max_steps is None else min(max_steps, plan.max_steps),
        guess=guess,
        at_most=at_most,
    )
    if plan.strategy == "ladder":
        return ladder(
            aim, repetitions=plan.repetitions, stop_after_failures=plan.stop_after_failures
        )
    if plan.strategy == "soak":
        return soak(aim)
    if plan.strategy == "bisect":
        return bisect(aim)
    if plan.always or before:
        return shared(aim, always=plan.always, before=before)
    return adaptive(aim)
