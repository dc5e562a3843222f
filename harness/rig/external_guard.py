"""The one gate before load goes to a deployment that others use, whichever command sends it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.campaign.peak import refuse_above_peak
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import CampaignError
from harness.rig.preflight import check_fit


def check_load_is_allowed(campaign: Campaign, *, owned: bool) -> None:
    """Nothing to check of a campaign whose servers are our own.

    Args:
        campaign: what is about to be measured.
        owned: whoever asks said that they may put load on what exists.

    Raises:
        CampaignError: nobody said so, or it is more at once than that deployment may be given.
    """
    if campaign.external is None:
        return
    if not owned:
        raise CampaignError(
            "Load on something that exists is only sent by whoever may.",
            evidence=f"The campaign {campaign.name} goes to {campaign.external.webserver}.",
            hint="harness run, resume and soak with --i-own-this measure it; other commands do "
            "not.",
        )
    refuse_above_peak(campaign)


def overcommits(campaign: Campaign, cells: Sequence[CellPlan], *, allow_overcommit: bool) -> bool:
    """Whether these cells ask for more than the host of their servers has; a deployment that
    exists is on none of ours.

    Raises:
        EnvironmentProblem: as `check_fit`.
    """
    if campaign.target == "external":
        return False
    return check_fit(cells, allow_overcommit=allow_overcommit, target=campaign.target)
