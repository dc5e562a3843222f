"""Which campaigns are stored, what they found, and what changed: `index.html` of a results root.

Only findings are read, and `cell.json` where there are none: facts are large, campaigns are many.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from harness.analysis.changes import History
from harness.analysis.findings.rounds import pooled
from harness.analysis.findings.types import Findings
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder, index_html, parse_results_name, trends_html
from harness.facts.model import Cell
from harness.facts.store import read_cell_json
from harness.report.comparison.files import ComparisonFiles
from harness.report.context import CellRecord, FactLink, PageContext
from harness.report.index.page import render_index
from harness.report.index.rows import (
    CampaignRow,
    CellRow,
    Place,
    judged_row,
    unjudged_row,
    unreadable_row,
)
from harness.report.json_document import findings_from
from harness.report.standing import gaps_by_kind
from harness.scenarios.page_context import verdict_of


def write_index(root: Path) -> Path:
    """Write `index.html` of a results root anew; returns where it is.

    Raises:
        EnvironmentProblem: it cannot be written there.
    """
    path = index_html(root)
    trends = trends_html(root)
    known = trends.name if trends.exists() else ""
    write_text(path, render_index(rows_of(root), trends=known))
    return path


def refresh_index(results: Path) -> Path | None:
    """The index of the root a results folder lies in; `None` where that is no such root.

    Raises:
        EnvironmentProblem: it cannot be written there.
    """
    # As it was named, so that people read their own words; `.` has no name to tell by.
    folder = results if results.name else results.resolve()
    return None if parse_results_name(folder.name) is None else write_index(folder.parent)


def rows_of(root: Path) -> list[CampaignRow]:
    """Every results folder in `root`, newest first; unreadable ones are rows, too."""
    history = History()
    return [_row(place, root / place.folder, history) for place in _places(root)][::-1]


def _places(root: Path) -> Iterator[Place]:
    """Oldest first, because changes are told that way."""
    named = [(parse_results_name(path.name), path) for path in root.iterdir() if path.is_dir()]
    found = sorted((name, path) for name, path in named if name is not None)
    for (started_utc, campaign), path in found:
        yield Place(
            folder=path.name,
            campaign=campaign,
            started_utc=started_utc,
            links=tuple(_links(ResultsFolder(path))),
        )


def _links(folder: ResultsFolder) -> Iterator[FactLink]:
    files = (
        (folder.report_html, "report"),
        (ComparisonFiles(folder.path).html, "comparison"),
        (folder.report_md, "Markdown"),
        (folder.findings_json, "JSON"),
        (folder.junit_xml, "JUnit"),
    )
    yield from (FactLink(path=path.name, what=what) for path, what in files if path.exists())
    yield FactLink(path="", what="folder")


def _row(place: Place, path: Path, history: History) -> CampaignRow:
    folder = ResultsFolder(path)
    if not folder.findings_json.exists():
        return _unjudged(place, folder)
    try:
        return _judged(place, folder, history)
    except StoredDataError as error:
        problem = error.evidence
    except (OSError, ValueError, TypeError, AttributeError) as error:
        problem = f"findings.json is damaged: {error}."
    return unreadable_row(place, _cells(folder), f"{problem} {_anew(place)}")


def _judged(place: Place, folder: ResultsFolder, history: History) -> CampaignRow:
    findings = findings_from(json.loads(folder.findings_json.read_bytes()))
    plans = _plans(findings)
    context = _context(place, findings, planned=tuple(plan.id for plan in plans))
    measured = {cell.id for cell in findings.cells}
    whole = pooled(findings)
    return judged_row(
        place,
        whole,
        history.changes(place.folder, whole),
        verdict=verdict_of(whole, context),
        gaps=gaps_by_kind(context),
        missing=[_missing_cell(plan) for plan in plans if plan.id not in measured],
    )


def _missing_cell(plan: CellPlan) -> CellRow:
    again = f", round {plan.repetition}" if plan.repetition is not None else ""
    return CellRow(
        workload=plan.workload.name,
        profile=plan.profile.name,
        rest=f"Dagster {plan.dagster}, {plan.max_workers} workers, {plan.feed} feed{again}",
        note="not measured",
    )


def _anew(place: Place) -> str:
    return f"Made anew by: harness analyse {place.folder}"


def _unjudged(place: Place, folder: ResultsFolder) -> CampaignRow:
    """From what the cells say of themselves."""
    cells = _cells(folder)
    gap = f"Without findings.json; to judge what there is: harness report {place.folder}"
    if not cells:
        gap = "No cell was begun, or none can be read: there is nothing to judge."
    if not folder.environment_json.exists():
        gap = "environment.json is missing: this record cannot be judged."
    return unjudged_row(place, cells, [gap])


def _cells(folder: ResultsFolder) -> list[Cell]:
    """The cells that say what they are."""
    cells = []
    for each in folder.cell_folders():
        with suppress(StoredDataError):
            cells.append(read_cell_json(each))
    return cells


def _context(place: Place, findings: Findings, *, planned: tuple[str, ...]) -> PageContext:
    """As far as findings tell; a cell whose end is not told was never sealed."""
    return PageContext(
        title=place.campaign,
        folder=place.folder,
        version="",
        planned=planned,
        records=tuple(
            CellRecord(cell=cell.id, ended=cell.search.ended, sealed=bool(cell.search.ended))
            for cell in findings.cells
        ),
    )


def _plans(findings: Findings) -> list[CellPlan]:
    """All cells of the campaign; none where this version cannot read its plan."""
    try:
        return list(Campaign.model_validate(findings.campaign).cells())
    except ValidationError:
        return []
