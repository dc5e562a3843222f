"""What a page lacks, and why: cells never begun, cut off, failed, or without a single step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.picture.types import CellPicture
from harness.facts.model import broke_off
from harness.report.context import CellRecord, PageContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something missing. `cell`: its id, empty for the campaign as a whole. `grave`: the answer
    itself suffers, not only a chart."""

    cell: str
    text: str
    grave: bool


def page_gaps(
    findings: Findings, pictures: Sequence[CellPicture], context: PageContext
) -> tuple[Gap, ...]:
    """Everything missing, the campaign's own first, then by cell in the order of the findings."""
    records = {record.cell: record for record in context.records}
    drawn = {picture.cell: picture for picture in pictures}
    found = list(_of_campaign(findings, context))
    for cell in findings.cells:
        found += _of_cell(cell, records.get(cell.id), drawn.get(cell.id))
    return tuple(found)


def _of_campaign(findings: Findings, context: PageContext) -> Iterator[Gap]:
    begun = {cell.id for cell in findings.cells} | {record.cell for record in context.records}
    missing = [cell for cell in context.planned if cell not in begun]
    if not findings.cells:
        yield Gap(cell="", text="No cell has left a record, so nothing can be said.", grave=True)
    why = _why_no_more(context.records)
    for cell in missing if findings.cells else ():
        yield Gap(cell="", text=f"The cell {cell} was planned and never begun{why}.", grave=True)


def _why_no_more(records: Sequence[CellRecord]) -> str:
    last = records[-1] if records else None
    if last is None or not broke_off(last.ended):
        return ""
    return f": the one before it ended ({last.ended.rstrip('.')})"


def _of_cell(
    cell: CellFinding, record: CellRecord | None, picture: CellPicture | None
) -> Iterator[Gap]:
    """A picture says best what its cell lacks; without one, the record does."""
    cut_off = record is not None and (not record.sealed or broke_off(record.ended))
    grave = cut_off or not cell.steps
    told = picture.missing if picture is not None and picture.missing else ()
    told = told or tuple(_of_record(cell, record))
    for position, text in enumerate(told):
        yield Gap(cell=cell.id, text=text, grave=grave and position == 0)
    if picture is None and cell.steps:
        yield Gap(cell=cell.id, text="Nothing was drawn over time for this cell.", grave=False)


def _of_record(cell: CellFinding, record: CellRecord | None) -> Iterator[str]:
    if record is not None and not record.sealed:
        yield "The cell was not finished: its record ends where the harness was stopped."
    if record is not None and broke_off(record.ended):
        yield f"The cell ended before its search did ({record.ended.rstrip('.')})."
    if not cell.steps:
        yield "No step was judged."


def by_cell(gaps: Sequence[Gap]) -> Mapping[str, tuple[Gap, ...]]:
    """The gaps of each cell, by its id; the campaign's own under the empty string."""
    cells = dict.fromkeys(gap.cell for gap in gaps)
    return {cell: tuple(gap for gap in gaps if gap.cell == cell) for cell in cells}
