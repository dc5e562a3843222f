"""What a night would do, for whoever sets one up: nothing is started, and nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator

from harness.campaign.budget import fit
from harness.campaign.estimate import estimate_s
from harness.campaign.outline import outline
from harness.campaign.plan import LATEST, Campaign
from harness.errors import HarnessError
from harness.facts.layout import parse_results_name
from harness.report.phrases import count_of
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Order, told
from harness.scenarios.nightly.preparing import kept_folders, unfinished
from harness.scenarios.nightly.telling import summary_path
from harness.units import GIB, show_bytes, show_seconds


def preview(order: Order) -> Iterator[str]:
    """The plan after shortening, what it would be held against, what would be removed.

    Raises:
        CampaignError: the campaign does not fit into the budget.
    """
    plan, shortened = order.campaign, tuple[str, ...]()
    if order.budget_s is not None:
        plan, shortened = fit(plan, order.budget_s)
    yield from outline(plan)
    yield from _time(order, plan, shortened)
    if LATEST in (*plan.dagster, *plan.builds.values()):
        yield "latest: the newest release when the night begins"
    yield from _compared(order, plan)
    yield from _left(order, plan)
    yield from _room(order)
    yield f"Summary: {summary_path(order.root, plan.name)}, and beside it .md and .xml (JUnit)"
    yield f"Webhook: {'one is told' if order.webhook is not None else 'none'}"


def _time(order: Order, plan: Campaign, shortened: tuple[str, ...]) -> Iterator[str]:
    if order.budget_s is None:
        yield "Budget: none; it takes as long as it takes"
        return
    about, budget = show_seconds(estimate_s(plan)), show_seconds(order.budget_s)
    yield f"Budget: {budget}, it takes about {about}"
    yield from (f"  shortened: {sentence}" for sentence in shortened)


def _compared(order: Order, plan: Campaign) -> Iterator[str]:
    yield "Held against:"
    if plan.baseline_version is not None:
        yield f"  Dagster {plan.baseline_version} in the same night"
    if order.pinned is not None:
        there = "" if order.pinned.is_dir() else ", which are not there"
        yield f"  the pinned results {order.pinned.name}{there}"
    nights = _earlier(order)
    wishes = order.campaign.nightly
    before = f"{count_of(nights, 'earlier night')} in {order.root}"
    yield f"  {before}, the last {wishes.nights} of them at most"
    yield f"Turns red for: {', '.join(joints.gating(wishes.gates))}; OOM kills, failed runs"


def _earlier(order: Order) -> int:
    root = order.root
    names = [parse_results_name(path.name) for path in root.iterdir()] if root.is_dir() else []
    return sum(named is not None and named[1] == order.campaign.name for named in names)


def _left(order: Order, plan: Campaign) -> Iterator[str]:
    found = unfinished(order, plan, now_s=joints.now_s())
    if found is not None:
        yield found.sentence


def _room(order: Order) -> Iterator[str]:
    wishes = order.campaign.nightly
    free, wanted = joints.free_bytes(order.root), wishes.min_free_gib * GIB
    yield f"Room: {show_bytes(free)} free, {show_bytes(wanted)} needed"
    try:
        old = joints.prunable(
            order.root,
            now_s=joints.now_s(),
            keep_days=wishes.keep_facts_days,
            kept=kept_folders(order),
        )
    except HarnessError as error:
        yield f"Raw facts: {told(error)}"
        return
    days = f"{wishes.keep_facts_days:g} days"
    if not old:
        yield f"Raw facts to remove: none is older than {days}"
        return
    yield f"Raw facts to remove, older than {days}:"
    yield from (f"  {path.name}" for path in old)
