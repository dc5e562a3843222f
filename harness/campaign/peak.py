"""What a deployment that exists may be given at once, held against what a campaign would give it.

Not one of the rules of a campaign file: by those, results that were measured before are read too.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.campaign.plan import Campaign
from harness.errors import CampaignError


def refuse_above_peak(campaign: Campaign) -> None:
    """Hold every concurrency a campaign may ask for against `external.peak`.

    Raises:
        CampaignError: one is higher; its evidence names each place.
    """
    if campaign.external is None:
        return
    peak = campaign.external.peak
    above = [f"{place}: {most}" for place, most in _asked(campaign) if most > peak]
    if above:
        raise CampaignError(
            f"The campaign {campaign.name} asks for more runs at once than the deployment may be "
            f"given: external.peak is {peak}.",
            evidence="\n".join(above),
            hint=f"Ask for {peak} at most (--set search.highest={peak}, harness soak --runs "
            f"{peak}), or raise the peak where that is agreed (--peak N, external.peak).",
        )


def _asked(campaign: Campaign) -> Iterator[tuple[str, int]]:
    """(key, its highest concurrency) of everything that asks for some."""
    search = campaign.search
    if any(workload.concurrencies is None for workload in campaign.workloads):
        named = search.concurrencies is not None or search.strategy in ("ladder", "soak")
        yield f"search.{'concurrencies' if named else 'highest'}", max(search.grid)
    if search.always:
        yield "search.always", max(search.always)
    for index, workload in enumerate(campaign.workloads):
        if workload.concurrencies is not None:
            yield f"workloads.{index}.concurrencies", max(workload.concurrencies)
