"""From a results folder to its reports: judged once, told in every format.

Reports are derived: they lie beside the facts, may be deleted, and are made anew at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.findings.document import Findings, findings_of
from harness.analysis.findings.rounds import pooled
from harness.analysis.judging import DEFAULT, Judging
from harness.analysis.picture.campaign import pictures_of
from harness.facts.durable import make_folder, write_text
from harness.facts.layout import ResultsFolder
from harness.facts.store import read_results
from harness.facts.table import ResultsFacts
from harness.report.context import PageContext
from harness.report.html.page import render_page
from harness.report.json_document import findings_json
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.scenarios.overview import refresh_index
from harness.scenarios.page_context import context_of, verdict_of
from harness.scenarios.stored_plan import stored_plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A results folder that was read and judged: all that reports are made from.

    `pooled`: the findings with the rounds of each kind of cell as one; the same without rounds.
    """

    path: Path
    stored: ResultsFacts
    findings: Findings
    pooled: Findings
    context: PageContext

    @property
    def in_rounds(self) -> bool:
        """Whether cells were measured again and again, to be judged together."""
        return self.pooled is not self.findings

    @property
    def versions(self) -> tuple[str, ...]:
        """The Dagster versions with cells, in the order they were first measured."""
        return tuple(dict.fromkeys(cell.dagster for cell in self.findings.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where reports were written to. `index` is `None` where the folder lies in no results root."""

    findings_json: Path
    report_md: Path
    junit_xml: Path
    report_html: Path
    index: Path | None


def judge_stored(
    path: Path, *, options: Judging = DEFAULT, findings: Findings | None = None
) -> Judged:
    """Read a results folder and judge it, finished or not; nothing is written.

    Args:
        path: the results folder.
        options: other objectives or another warm-up cut than measured with.
        findings: what it was judged to, where that is known already.

    Raises:
        StoredDataError: the folder cannot be read.
    """
    stored = read_results(path)
    campaign = stored_plan(path, stored)
    if findings is None:
        findings = findings_of(campaign, stored.environment, stored.cells, options=options)
    return Judged(
        path=path,
        stored=stored,
        findings=findings,
        pooled=pooled(findings),
        context=context_of(path, stored, campaign),
    )


def html_text(judged: Judged) -> str:
    """The page."""
    pictures = pictures_of(judged.stored.cells, judged.findings)
    return render_page(judged.findings, pictures, judged.context, pooled=judged.pooled)


def markdown_text(judged: Judged) -> str:
    """For a pull request or a chat."""
    return render_markdown(
        judged.pooled, judged.context, verdict=verdict_of(judged.pooled, judged.context)
    )


def junit_text(judged: Judged) -> str:
    """For CI."""
    return render_junit(judged.pooled, judged.context)


def json_text(judged: Judged) -> str:
    """For a program."""
    return findings_json(judged.findings)


TEXTS: Mapping[str, Callable[[Judged], str]] = {
    "markdown": markdown_text,
    "html": html_text,
    "json": json_text,
    "junit": junit_text,
}
"""What a results folder can be told in, by the name of the format."""


def write_reports(path: Path, *, findings: Findings | None = None) -> Written:
    """Write findings and all reports of a results folder, and its root's index.

    Args:
        path: the results folder.
        findings: judged as measured; `None` judges now.

    Raises:
        StoredDataError: the folder cannot be read.
        EnvironmentProblem: no room, or no right to write there.
    """
    return keep(judge_stored(path, findings=findings))


def keep(judged: Judged, *, into: Path | None = None) -> Written:
    """Write what was judged as measured, in every format.

    Args:
        judged: a results folder.
        into: another folder than the results folder itself; made where it is not there.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    folder = ResultsFolder(into or judged.path)
    make_folder(folder.path)
    # The page last: it takes longest, and is the one that can be done without.
    write_text(folder.findings_json, json_text(judged))
    write_text(folder.report_md, markdown_text(judged))
    write_text(folder.junit_xml, junit_text(judged))
    write_text(folder.report_html, html_text(judged))
    return Written(
        findings_json=folder.findings_json,
        report_md=folder.report_md,
        junit_xml=folder.junit_xml,
        report_html=folder.report_html,
        index=refresh_index(judged.path) if into is None else None,
    )
