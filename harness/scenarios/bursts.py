"""A burst of three times the recommended limit, through the run queue, as a campaign.

What `guard` and `verify` have in common; `burst_outcomes` reads what came of it. Every run is
sent at once (cron at minute 0); with `max_concurrent_runs` the queue lets through what the server
holds, and the others wait.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.analysis.findings.types import CellFinding
from harness.campaign.plan import Campaign, Load, Queue, Search, Slos, StepTimes, Workload
from harness.errors import CampaignError

BURST_FACTOR = 3
MOST_RUNS = 500
"""In one step, and so in one burst (`Concurrency` in `campaign.plan`)."""

MOST_THREADS = 100
SLACK_S = 10.0
LONGEST_HOLD_S = 900.0
LONGEST_DRAIN_S = 7200.0
UNKNOWN_RESPONSE_S = 60.0


def limit_of(finding: CellFinding) -> int:
    """The recommended `max_concurrent_runs`, for as many replicas as were measured.

    Raises:
        CampaignError: nothing is recommended for this cell.
    """
    settings = finding.recommendation
    if settings.max_concurrent_runs is None:
        raise CampaignError(
            f"No limit is recommended for {finding.id}: there is nothing to put to the test.",
            evidence=" ".join(settings.why),
            hint="Measure the cell again, so that it has a capacity.",
        )
    shared = settings.max_concurrent_runs * finding.replicas // (settings.replicas or 1)
    return max(1, shared)


def burst_of(limit: int) -> int:
    """How many runs are sent at once: three times the limit.

    Raises:
        CampaignError: one step cannot send that many.
    """
    runs = BURST_FACTOR * limit
    if runs > MOST_RUNS:
        raise CampaignError(
            f"A burst of {BURST_FACTOR} × {limit} runs is more than one step can send.",
            evidence=f"One step sends at most {MOST_RUNS} runs.",
            hint=f"Limits of up to {MOST_RUNS // BURST_FACTOR} can be put to the test.",
        )
    return runs


def burst_campaign(
    campaign: Campaign,
    finding: CellFinding,
    *,
    name: str,
    limits: tuple[int | None, ...],
    max_workers: int,
    slos: Slos,
) -> Campaign:
    """One cell's server, workload and size again, under one burst, with each of these limits.

    The daemon launches as many at a time as it can, or its own pace would take the burst out of
    the burst.

    Args:
        campaign: that the cell was measured in.
        finding: of the cell.
        name: what to put behind the campaign's name.
        limits: `max_concurrent_runs`, one cell each; `None` is no limit.
        max_workers: of every cell.
        slos: that can hold while runs wait in the queue.

    Raises:
        CampaignError: the cell is not of this campaign, or no limit is recommended for it.
    """
    runs = burst_of(limit_of(finding))
    changes: dict[str, Any] = {
        "name": f"{campaign.name[: 60 - len(name) - 1]}-{name}",
        "description": f"{runs} runs at once at {finding.id}, with and without the limit."
        if len(limits) > 1
        else f"{runs} runs at once at {finding.id}, as recommended.",
        "feed": "queued",
        "max_workers": (max_workers,),
        "max_concurrent_runs": limits,
        "queue": Queue(dequeue_interval_s=1, dequeue_threads=min(MOST_THREADS, runs)),
        "load": Load(model="burst", seed=campaign.load.seed),
        "step": _times(campaign, finding),
        "search": Search(strategy="ladder", concurrencies=(runs,)),
        "slos": slos,
    }
    return cell_campaign(campaign, finding, changes)


def cell_campaign(campaign: Campaign, finding: CellFinding, changes: Mapping[str, Any]) -> Campaign:
    """One cell of a campaign again, with changes.

    Raises:
        CampaignError: the cell is not of this campaign.
    """
    alone = {
        "target": finding.target if finding.target in ("compose", "process") else campaign.target,
        "profiles": tuple(p for p in campaign.profiles if p.name == finding.profile.name),
        "workloads": (_workload(campaign, finding),),
        **_version(campaign, finding),
        "max_workers": (finding.max_workers,),
        "replicas": (finding.replicas,),
        "max_concurrent_runs": (finding.max_concurrent_runs,),
        "faults": (),
    }
    copy = campaign.model_copy(update={**alone, **changes})
    # model_copy does not check; what is measured is to be a campaign that loads again.
    return Campaign.model_validate(copy.model_dump())


def _version(campaign: Campaign, finding: CellFinding) -> dict[str, object]:
    """The cell's version alone, once."""
    builds = {name: what for name, what in campaign.builds.items() if name == finding.dagster}
    return {"dagster": (finding.dagster,), "builds": builds, "baseline": None, "repetitions": 1}


def _workload(campaign: Campaign, finding: CellFinding) -> Workload:
    found = next((w for w in campaign.workloads if w.name == finding.workload), None)
    profiles = {profile.name for profile in campaign.profiles}
    if found is None or finding.profile.name not in profiles:
        raise CampaignError(
            f"{finding.id} is not a cell of the campaign {campaign.name}.",
            evidence=f"Its workload is {finding.workload}, its profile {finding.profile.name}.",
        )
    return found.model_copy(update={"concurrencies": None})


def _times(campaign: Campaign, finding: CellFinding) -> StepTimes:
    """Long enough for the burst to pass the limit in as many waves as it takes, and one more."""
    waves_s = (BURST_FACTOR + 1) * _response_s(finding) + SLACK_S
    return StepTimes(
        ramp_s=campaign.step.ramp_s,
        settle_s=campaign.step.settle_s,
        hold_s=min(LONGEST_HOLD_S, max(campaign.step.hold_s, float(math.ceil(waves_s)))),
        drain_s=min(LONGEST_DRAIN_S, max(campaign.step.drain_s, float(math.ceil(2 * waves_s)))),
    )


def _response_s(finding: CellFinding) -> float:
    """What a run takes with the limit full: the slowest p95 that passed there."""
    seen = [
        step.response_s.p95
        for step in finding.steps
        if step.verdict == "pass"
        and step.concurrency == finding.capacity.concurrency
        and step.response_s.p95 is not None
    ]
    return max(seen, default=UNKNOWN_RESPONSE_S)
