"""Making a campaign fit into the time there is, by rule.

What makes nights comparable is kept longest: the equal loads, then the first workloads. How long a
step holds its load is never touched, because another hold would be another measurement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from harness.campaign.estimate import estimate_s, estimate_steps
from harness.campaign.plan import Campaign
from harness.errors import CampaignError
from harness.units import show_seconds

FEWEST_REPETITIONS = 3
"""Of each cell: with two, a launch that is 10 % slower is found in one night in half of the trials
only (`benchmarks/nights.py`)."""

FEWEST_STEPS = 4
"""Of a search without equal loads: the unloaded one and three that can tell a boundary."""

LEAST_SEARCH = 2
"""Steps that `Search.max_steps` allows at the least: what is shortened further cannot be read."""

Shorter = Iterator[tuple[Campaign, str]]
"""Ever shorter campaigns, each with what was done to it."""


def fit(campaign: Campaign, budget_s: float) -> tuple[Campaign, tuple[str, ...]]:
    """Shorten a campaign until it is expected to take `budget_s` seconds at most.

    In this order, each only as far as needed: fewer repetitions; fewer steps a cell, down to the
    equal loads (a ladder: fewer repetitions of each rung); workloads left out from the end.

    Returns:
        The campaign, and a sentence for each rule that was applied; the same and none where it
        fits as it is.

    Raises:
        CampaignError: it does not fit however it is shortened; says the least it needs.
    """
    plan, said = campaign, list[str]()
    for rule in (_fewer_repetitions, _fewer_steps, _fewer_workloads):
        if estimate_s(plan) <= budget_s:
            break
        plan, sentence = _shortened(plan, rule, budget_s)
        said += [sentence] if sentence else []
    if estimate_s(plan) > budget_s:
        raise _too_long(campaign, plan, budget_s)
    return plan, tuple(said)


def _shortened(
    plan: Campaign, rule: Callable[[Campaign], Shorter], budget_s: float
) -> tuple[Campaign, str]:
    """The first that fits, else the shortest; no sentence where the rule has nothing to take."""
    found, said = plan, ""
    for shorter, what in rule(plan):
        found = shorter
        times = show_seconds(estimate_s(shorter)), show_seconds(estimate_s(plan))
        said = f"{what}: about {times[0]} in all instead of {times[1]}."
        if estimate_s(shorter) <= budget_s:
            break
    return found, said


def _fewer_repetitions(plan: Campaign) -> Shorter:
    for count in range(plan.repetitions - 1, FEWEST_REPETITIONS - 1, -1):
        said = f"{count} instead of {plan.repetitions} repetitions of every cell"
        yield plan.model_copy(update={"repetitions": count}), said


def _fewer_steps(plan: Campaign) -> Shorter:
    search = plan.search
    if search.strategy == "ladder":
        for count in range(search.repetitions - 1, 0, -1):
            said = f"{count} instead of {search.repetitions} repetitions of every rung"
            yield _searching(plan, repetitions=count), said
        return
    now = max(estimate_steps(plan, cell) for cell in plan.cells())
    equal = sorted({1, *search.always}) if search.always else []
    fewest = max(len(equal), LEAST_SEARCH) if equal else FEWEST_STEPS
    for count in range(now - 1, fewest - 1, -1):
        only = f"only the equal loads {_listed(equal)}, " if count == len(equal) else ""
        said = f"{only}at most {count} instead of {now} steps a cell"
        yield _searching(plan, max_steps=count), said[0].upper() + said[1:]


def _fewer_workloads(plan: Campaign) -> Shorter:
    for count in range(len(plan.workloads) - 1, 0, -1):
        left_out = [workload.name for workload in plan.workloads[count:]]
        kept = plan.workloads[:count]
        yield plan.model_copy(update={"workloads": kept}), f"Without {_listed(left_out)}"


def _searching(plan: Campaign, **changes: int) -> Campaign:
    return plan.model_copy(update={"search": plan.search.model_copy(update=changes)})


def _listed(parts: list[int] | list[str]) -> str:
    words = [str(part) for part in parts]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _too_long(asked: Campaign, shortest: Campaign, budget_s: float) -> CampaignError:
    least_s = estimate_s(shortest)
    return CampaignError(
        f"Campaign {asked.name} does not fit into {show_seconds(budget_s)}.",
        evidence=f"It takes about {show_seconds(estimate_s(asked))}, and shortened as far as the "
        f"rules allow about {show_seconds(least_s)}.",
        hint=f"Give it that at least (--budget {math.ceil(least_s / 60)}m, or "
        "nightly.budget_minutes), or measure fewer versions, profiles or settings.",
    )
