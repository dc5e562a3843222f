"""What reports say beside the findings, gathered from a results folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import __version__
from harness.analysis.findings.document import Findings, exit_code
from harness.analysis.findings.rounds import pooled
from harness.campaign.plan import Campaign
from harness.errors import ExitCode
from harness.facts.layout import CellFolder, ResultsFolder, index_html, parse_results_name
from harness.facts.model import Cell, Limits
from harness.facts.table import ResultsFacts
from harness.report.comparison.files import ComparisonFiles
from harness.report.context import CellRecord, FactLink, PageContext
from harness.report.standing import gaps_by_cell
from harness.scenarios.kept_answers import kept_answers
from harness.units import show_bytes, show_cores


def context_of(path: Path, stored: ResultsFacts, campaign: Campaign) -> PageContext:
    """Whose record it is, how it came about, how far it got, and which files lie beside it."""
    folder = ResultsFolder(path)
    command = (stored.environment.get("harness") or {}).get("command") or ()
    return PageContext(
        title=stored.campaign,
        folder=as_typed(path),
        version=__version__,
        started_utc=stored.started_utc.isoformat() if stored.started_utc else None,
        command=tuple(map(str, command)),
        campaign_text=stored.campaign_text,
        journal=tuple(stored.journal),
        records=tuple(_record(facts.cell, folder) for facts in stored.cells),
        planned=tuple(plan.id for plan in campaign.cells()),
        verify=_trial(path / "verify.json"),
        guard=_trial(path / "guard.json"),
        answers=tuple(kept_answers(path)),
        links=tuple(_links(folder)),
        comparison=_comparison(path),
    )


def verdict_of(findings: Findings, context: PageContext) -> ExitCode:
    """What a program is told: as `exit_code`, but only a whole campaign passes.

    Cells that were planned and are missing, or broke off, leave the answer open. Equal cells in
    rounds are judged together: none of them was meant to find its capacity alone.
    """
    code = exit_code(pooled(findings))
    whole = not gaps_by_cell(context)
    return ExitCode.INCONCLUSIVE if code == ExitCode.PASS and not whole else code


def as_typed(path: Path) -> str:
    """The folder as a person here would name it; never a path of this machine alone."""
    if not path.is_absolute():
        return path.as_posix()
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name


def _record(cell: Cell, folder: ResultsFolder) -> CellRecord:
    own = folder.cell(cell.id)
    return CellRecord(
        cell=cell.id,
        ended=cell.ended,
        sealed=cell.sealed,
        notes=tuple(_notes(cell)),
        links=tuple(_cell_links(own, folder.path)),
    )


def _notes(cell: Cell) -> Iterator[tuple[str, str]]:
    """What was really there: limits, executor, devices, and what the target told of itself."""
    yield "limits enforced", _limits(cell.effective_limits)
    if cell.overcommitted:
        yield "overcommitted", "the profile is larger than what this machine could give"
    yield "executor", cell.executor
    if cell.sensors:
        yield "sensors", ", ".join(f"{name} {value}" for name, value in cell.sensors.items())
    yield "devices", ", ".join(cell.devices)
    yield from _flat("", cell.detail)


def _limits(limits: Limits | None) -> str:
    if limits is None:
        return "none"
    cores = "all CPUs" if limits.cpu_cores is None else show_cores(limits.cpu_cores)
    memory = "all memory" if limits.memory_bytes is None else show_bytes(limits.memory_bytes)
    return f"{cores}, {memory}" + (f", {limits.pids} processes" if limits.pids else "")


def _flat(prefix: str, detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in detail.items():
        label = f"{prefix} {name}".strip()
        if isinstance(value, Mapping):
            yield from _flat(label, value)
        elif isinstance(value, bool):
            yield label, "yes" if value else "no"
        elif value not in (None, "", []):
            yield label, str(value)


def _cell_links(cell: CellFolder, root: Path) -> Iterator[FactLink]:
    files = (
        (cell.cell_json, "what the cell was meant to be and what it really was"),
        (cell.steps_jsonl, "its steps"),
        (cell.runs_parquet, "one row a run"),
        (cell.samples_parquet, "one row a reading of a device"),
        (cell.events_jsonl, "OOM kills, deaths, restarts, remarks"),
        (cell.parts, "runs and samples as they were recorded, not merged"),
        (cell.logs, "logs of the server and what feeds it"),
    )
    yield from (_link(path, root, what) for path, what in files if path.exists())


def _links(folder: ResultsFolder) -> Iterator[FactLink]:
    """The derived files are linked unseen: they are written together."""
    facts = (
        (folder.campaign_yaml, "what was asked for"),
        (folder.environment_json, "the machine, the software, the command"),
        (folder.journal_jsonl, "why each step was chosen"),
    )
    yield from (_link(path, folder.path, what) for path, what in facts if path.exists())
    yield _link(folder.findings_json, folder.path, "these findings for a program")
    yield _link(folder.report_md, folder.path, "this report for a pull request or a chat")
    yield _link(folder.junit_xml, folder.path, "an objective a test case, for CI")
    if parse_results_name(folder.path.resolve().name) is not None:
        index = index_html(Path("..")).as_posix()
        yield FactLink(path=index, what="all campaigns")


def _link(path: Path, root: Path, what: str) -> FactLink:
    return FactLink(path=path.relative_to(root).as_posix(), what=what)


def _comparison(path: Path) -> str:
    page = ComparisonFiles(path).html
    return page.name if page.exists() else ""


def _trial(path: Path) -> tuple[Mapping[str, Any], ...] | None:
    """The verdicts of a trial; `None` where there are none that can be read."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8")).get("cells")
    except (OSError, ValueError, AttributeError):
        return None
    if not isinstance(cells, list):
        return None
    return tuple(cell for cell in cells if isinstance(cell, Mapping))
