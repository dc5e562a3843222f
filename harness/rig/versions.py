"""Which versions a campaign really means."""

from __future__ import annotations

from collections.abc import Callable

from harness.campaign.plan import LATEST, Campaign
from harness.rig.target.releases import latest_release


def pinned(campaign: Campaign, *, say: Callable[[str], None]) -> Campaign:
    """The campaign with `latest` replaced by its number, so that its record says what it was.

    Where the campaign names that number too, it stays once, and `say` is told. The index is asked
    only if there is a `latest`.

    Raises:
        EnvironmentProblem: the index cannot be read.
    """
    named = {*campaign.dagster, campaign.baseline, *campaign.builds.values()}
    if LATEST not in named:
        return campaign
    newest = latest_release()

    def number(entry: str) -> str:
        return newest if entry == LATEST else entry

    say(f"The latest Dagster is {newest}")
    versions = tuple(dict.fromkeys(number(entry) for entry in campaign.dagster))
    if len(versions) < len(campaign.dagster):
        say(f"The campaign names {newest} and latest: it is measured once")
    return campaign.model_copy(
        update={
            "dagster": versions,
            "baseline": campaign.baseline and number(campaign.baseline),
            "builds": {label: number(source) for label, source in campaign.builds.items()},
        }
    )
