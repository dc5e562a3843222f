"""The campaign a command line of `harness run` means, also where it is to be found out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.campaign.plan import Campaign
from harness.cli.campaign_files import campaign_of
from harness.cli.dagster_versions import version_overrides
from harness.cli.external_options import Deployed, external_overrides
from harness.cli.own_code_options import OwnCode, own_overrides
from harness.rig.protocols import Listener

NOWHERE = Deployed()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed: a campaign file or a preset, and what is to be changed of it."""

    campaign: Path | None
    preset: str
    dagster: tuple[str, ...]
    target: str
    changes: tuple[str, ...]
    own: OwnCode
    deployed: Deployed = NOWHERE

    @property
    def location(self) -> str:
        """The code location of a deployment; empty where none is named."""
        return self.deployed.location if self.deployed else ""

    @property
    def is_own(self) -> bool:
        """Whether what runs is the user's, and has to be looked into first."""
        return bool(self.own or self.deployed)

    @property
    def is_bare(self) -> bool:
        """Whether nobody chose a campaign, so that its times are ours to choose."""
        return self.campaign is None and not self.preset


def planned(wanted: Wanted, found: tuple[str, ...] = ()) -> Campaign:
    """The campaign; what the user changes comes last, over what was `found` out.

    Raises:
        CampaignError: it cannot be read, or says what cannot be meant.
        BadParameter: options that contradict each other.
    """
    overrides = [
        *own_overrides(wanted.own, wanted.location), *external_overrides(wanted.deployed), *found,
        *version_overrides(wanted.dagster), *wanted.changes,
    ]  # fmt: skip
    if wanted.target and not wanted.deployed:
        overrides.append(f"target={wanted.target}")
    default = "compare" if len(wanted.dagster) > 1 else "quick"
    return campaign_of(wanted.campaign, wanted.preset, overrides=overrides, default=default)


def planned_for_own_code(wanted: Wanted, plan: Campaign, listener: Listener) -> Campaign:
    """The campaign once the code was looked into: its Dagster, its jobs, how long steps take.

    Raises:
        CampaignError, EnvironmentProblem, TargetFailed: as `harness.scenarios.own_code`.
    """
    from harness.scenarios.own_code import (
        dagster_of,
        deployed_dagster,
        deployed_settings,
        overrides,
        surveyed,
    )

    found: tuple[str, ...] = ()
    # What a campaign file says of size and workers is its author's word; a preset's is nobody's.
    if plan.external and wanted.campaign is None:
        told = deployed_settings(plan.external)
        if plan.external.size:
            told.pop("profiles", None)
        found = tuple(overrides(told))
    if not wanted.dagster and (wanted.own.image or plan.external):
        default = plan.dagster[0]
        release = (
            deployed_dagster(plan.external, default)
            if plan.external
            else dagster_of(wanted.own.image, default)
        )
        found = (*found, f"dagster=[{release}]")
    if found:
        plan = planned(wanted, found)
    settings = surveyed(plan, listener)
    if not wanted.is_bare:
        settings = {key: value for key, value in settings.items() if key.startswith("workloads")}
    return planned(wanted, (*found, *overrides(settings)))
