"""The pictures of a whole campaign: what a page can carry is split over its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.measures.windows import CellRecord, hold_of
from harness.analysis.picture.budget import (
    DEFAULT,
    DEFAULT_TOTAL,
    LEAST_POINTS,
    Budget,
    Total,
    shares,
)
from harness.analysis.picture.cell import Window, picture_of
from harness.analysis.picture.types import CellPicture

LINES_OF_A_REPLICA = 10
LINES_OF_A_CELL = 2


def pictures_of(
    records: Sequence[CellRecord], findings: Findings, *, total: Total = DEFAULT_TOTAL
) -> tuple[CellPicture, ...]:
    """A picture of every cell, in the order of the records.

    Args:
        records: the cells' facts.
        findings: judged from them; they say which part of each step counted.
        total: for all cells together. Every line keeps `LEAST_POINTS` and every cell its failed
            runs, so a campaign of very many cells goes beyond it.
    """
    judged = {cell.id: cell for cell in findings.cells}
    return tuple(
        _picture(record, judged.get(record.cell.id), own)
        for record, own in zip(records, budgets(records, total), strict=True)
    )


def _picture(record: CellRecord, finding: CellFinding | None, budget: Budget) -> CellPicture:
    windows = judged_windows(record, finding)
    return picture_of(record, judged=windows, finding=finding, budget=budget)


def budgets(records: Sequence[CellRecord], total: Total) -> tuple[Budget, ...]:
    """What each cell may have: readings by its steps, so that all steps are drawn as finely."""
    runs = shares([len(record.runs) for record in records], total.runs)
    steps = [max(1, len(record.steps)) for record in records]
    lines = [LINES_OF_A_CELL + LINES_OF_A_REPLICA * record.cell.replicas for record in records]
    weight = sum(count * own for count, own in zip(steps, lines, strict=True))
    return tuple(
        Budget(
            points=min(DEFAULT.points, max(LEAST_POINTS, total.points * count // weight)), runs=most
        )
        for count, most in zip(steps, runs, strict=True)
    )


def judged_windows(record: CellRecord, finding: CellFinding | None) -> Mapping[int, Window]:
    """By step index, start and end of the judged window in epoch seconds."""
    holds = {step.index: hold_of(step) for step in record.steps}
    windows = {}
    for step in finding.steps if finding else ():
        hold = holds.get(step.index)
        if hold is not None and step.steady is not None:
            windows[step.index] = (hold.start_s + step.steady.cut_s, hold.end_s)
    return windows
