"""What a night was to measure and did not: a version that hangs must not pass for a good one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.findings.types import CellFinding, Findings
from harness.campaign.plan import Campaign, CellPlan
from harness.report.phrases import count_of


def gaps_in(findings: Findings, plan: Campaign) -> tuple[str, ...]:
    """Every load that all cells measure, for which a version has no valid step in any round.

    Looked at are the loads that some cell went to: what a search never came to is no gap. Of a
    version without a valid step there is one sentence.

    Args:
        findings: of the night.
        plan: what it was to measure.
    """
    measured = {cell.id: cell for cell in findings.cells}
    rounds: dict[str, list[CellPlan]] = {}
    for cell in plan.cells():
        rounds.setdefault(_kind(cell), []).append(cell)
    loads = _loads(findings, plan)
    return tuple(
        gap
        for planned in rounds.values()
        for gap in _gaps(planned, [measured[c.id] for c in planned if c.id in measured], loads)
    )


def _kind(cell: CellPlan) -> str:
    """The cell's id without its round: equal for equal cells."""
    return cell.id if cell.repetition is None else cell.id.removesuffix(f"_n{cell.repetition}")


def _loads(findings: Findings, plan: Campaign) -> list[int]:
    wanted = {1, *plan.search.always}
    tried = {step.concurrency for cell in findings.cells for step in cell.steps}
    return sorted(wanted & tried)


def _gaps(
    planned: Sequence[CellPlan], cells: Sequence[CellFinding], loads: Sequence[int]
) -> Iterator[str]:
    first = planned[0]
    name = f"Dagster {first.dagster}, {first.workload.name} on {first.profile.name}"
    valid = {step.concurrency for cell in cells for step in cell.steps if step.verdict != "invalid"}
    if not valid:
        yield f"{name}: no valid step in {count_of(len(planned), 'round')}"
        return
    for load in loads:
        if load not in valid:
            at = count_of(load, "run")
            yield f"{name}: no valid step at {at} in {count_of(len(planned), 'round')}"
