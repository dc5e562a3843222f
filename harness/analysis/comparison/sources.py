"""One side of a comparison before it is compared: a Dagster version within a campaign."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.comparison.types import Side
from harness.analysis.findings.types import CellFinding, Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The cells of one Dagster version (or build) in one campaign.

    `label`: what to call it. `folder`: the name of the results folder. `dagster`: as the campaign
    names it. `findings`: of the whole campaign, all versions: what its equal cells say of the
    noise counts for every pair of them.
    """

    label: str
    folder: str
    dagster: str
    findings: Findings

    @property
    def cells(self) -> tuple[CellFinding, ...]:
        """Its cells, in the order they were measured."""
        return tuple(cell for cell in self.findings.cells if cell.dagster == self.dagster)

    @property
    def side(self) -> Side:
        """What is told of it. Of software only what all its cells agree on."""
        said = [cell.software for cell in self.cells]
        common = {
            name: value
            for name, value in (said[0] if said else {}).items()
            if all(each.get(name) == value for each in said)
        }
        return Side(label=self.label, dagster=self.dagster, folder=self.folder, software=common)


def sources_in(folder_name: str, findings: Findings) -> tuple[Source, ...]:
    """One source for each Dagster version with cells: the campaign's baseline first, then in the
    order the campaign names them.
    """
    planned = [str(each) for each in findings.campaign.get("dagster") or ()]
    baseline = findings.campaign.get("baseline")
    first = [str(baseline)] if baseline else []
    measured = [cell.dagster for cell in findings.cells]
    order = dict.fromkeys([*first, *planned, *measured])
    return tuple(
        Source(label=version, folder=folder_name, dagster=version, findings=findings)
        for version in order
        if version in measured
    )


def planned_baseline(findings: Findings) -> str:
    """The version the others are compared with: as planned, whether it was measured or not."""
    planned = [str(each) for each in findings.campaign.get("dagster") or ()]
    measured = [cell.dagster for cell in findings.cells]
    return str(findings.campaign.get("baseline") or "") or next(iter([*planned, *measured]), "")


def unmeasured(folder_name: str, findings: Findings) -> tuple[Source, ...]:
    """The versions that were planned and have no cell: nothing is known of them, and that is told.

    The baseline is none of them.
    """
    planned = [str(each) for each in findings.campaign.get("dagster") or ()]
    known = {cell.dagster for cell in findings.cells} | {planned_baseline(findings)}
    return tuple(
        Source(label=version, folder=folder_name, dagster=version, findings=findings)
        for version in dict.fromkeys(planned)
        if version not in known
    )


def same_campaign(one: Source, other: Source) -> bool:
    """Whether both were measured in one campaign, so that their rounds belong together."""
    if one.folder != other.folder:
        return False
    return one.findings is other.findings or one.findings == other.findings
