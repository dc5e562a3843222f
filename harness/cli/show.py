"""Showing findings, as `run`, `report` and `analyse` all do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.errors import CampaignError, EnvironmentProblem

if TYPE_CHECKING:
    from harness.analysis.comparison.types import ComparisonDocument
    from harness.analysis.judging import Judging
    from harness.scenarios.reporting import Judged, Written


def show_findings(
    path: Path, *, as_json: bool, options: Judging | None = None, write: bool = True
) -> int:
    """Judge a results folder, print it, and return the exit code its findings deserve.

    Args:
        path: the results folder.
        as_json: print `findings.json` instead of tables.
        options: other objectives or another warm-up cut than measured with.
        write: keep the findings in the folder, with all reports made from them.

    Raises:
        EnvironmentProblem: they could not be kept; they were shown all the same.
    """
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.analysis.judging import DEFAULT
    from harness.scenarios.page_context import verdict_of
    from harness.scenarios.reporting import json_text, judge_stored

    judged = judge_stored(path, options=options or DEFAULT)
    console = Console()
    if as_json:
        print(json_text(judged), end="")
    else:
        print_report(judged, console)
    written = keep_reports(judged) if write else None
    if not as_json:
        say_where(console, path, written)
    return int(verdict_of(judged.findings, judged.context))


def show_measured(path: Path, *, as_json: bool) -> int:
    """Judge what was just measured, print it, keep all reports, and return its exit code.

    Of several Dagster versions that is the short answer and the comparison, and the exit code is
    the comparison's: 1 where a version is worse, 5 where nobody can tell.

    Raises:
        CampaignError: the versions were not measured alike; findings and reports are there.
        EnvironmentProblem: reports could not be kept; what was found was shown all the same.
    """
    from harness.scenarios.comparing import compare_folders, exit_code_of, keep_comparison
    from harness.scenarios.reporting import json_text, judge_stored

    judged = judge_stored(path)
    if len(judged.versions) < 2:
        return show_findings(path, as_json=as_json)
    console = Console()
    if as_json:
        print(json_text(judged), end="")
    else:
        print_report(judged, console, short=True)
    try:
        document = compare_folders(path)
    except CampaignError:
        keep_reports(judged)  # what was measured is not lost because it cannot be compared
        raise
    if not as_json:
        print_comparison(document, console)
    comparison = keep_comparison(document, path)
    context = replace(judged.context, comparison=comparison.html.name)
    written = keep_reports(replace(judged, context=context))
    if not as_json:
        say_where(console, path, written)
        _say(console, "Comparison", comparison.html)
    return int(exit_code_of(document))


def print_report(judged: Judged, console: Console, *, short: bool = False) -> None:
    """What is missing, then everything that was found; of rounds what they say together.

    `short`: no reasons, no steps.
    """
    from harness.report.standing import gaps_of
    from harness.report.terminal import render, render_gaps

    render_gaps(gaps_of(judged.context), console)
    steps = not (short or judged.in_rounds)
    render(judged.pooled, console, steps=steps, reasons=not short)


def print_comparison(
    document: ComparisonDocument, console: Console, *, details: bool = False
) -> None:
    """Versions beside each other, the verdict first."""
    from harness.report.comparison.terminal import render_comparison

    render_comparison(document, console, details=details)


def keep_reports(judged: Judged) -> Written:
    """Write findings and reports into the results folder.

    Raises:
        EnvironmentProblem: it cannot be written; the way out is another folder.
    """
    from harness.scenarios.reporting import keep

    try:
        return keep(judged)
    except EnvironmentProblem as error:
        raise EnvironmentProblem(
            error.what,
            evidence=error.evidence,
            hint="The findings can be kept elsewhere: "
            f"harness report {judged.context.folder} --format all --out FOLDER",
        ) from error


def keep_what_there_is(folders: Sequence[Path]) -> None:
    """Reports of a campaign that broke off; what keeps them from being written is not told.

    The error that broke it off is what the user has to read, and `harness report` can be asked
    again.
    """
    from harness.scenarios.reporting import write_reports

    for folder in folders:
        with suppress(Exception):  # whatever fails here, the campaign's own error is told
            page = write_reports(folder).report_html
            console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
            console.print(f"Report of what was measured: {page}")


def say_where(console: Console, path: Path, written: Written | None) -> None:
    """Where facts and reports are; each on a line of its own, to be copied."""
    lines = [("Facts and findings", path)]
    if written is not None:
        lines.append(("Report", written.report_html))
    if written is not None and written.index is not None:
        lines.append(("All campaigns", written.index))
    for what, where in lines:
        _say(console, what, where)


def _say(console: Console, what: str, where: Path) -> None:
    console.print(f"{what}: {where}", soft_wrap=True, highlight=False, markup=False)
