"""The campaign of a results folder, as it was planned."""

from __future__ import annotations

from pathlib import Path

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.table import ResultsFacts


def stored_plan(path: Path, stored: ResultsFacts) -> Campaign:
    """The campaign that a results folder was measured for.

    Args:
        path: the results folder.
        stored: what was read from it.

    Raises:
        StoredDataError: its `campaign.yaml` is none that this version knows.
    """
    return plan_from(path, stored.campaign_text)


def plan_from(path: Path, text: str) -> Campaign:
    """The same from the text of its `campaign.yaml`, before there are facts.

    Raises:
        StoredDataError: it is no campaign that this version knows.
    """
    source = ResultsFolder(path).campaign_yaml
    try:
        return load_campaign(text, source=str(source))
    except CampaignError as error:
        # What helps against a wrong plan, a dry run, does not help against a damaged record.
        raise StoredDataError(
            f"{source} is no campaign that this version knows.",
            evidence=error.evidence,
            hint="Restore the file from a copy, or use the harness that measured it.",
        ) from error
