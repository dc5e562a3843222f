"""`harness report`: show what was found, and write it down in every format."""

from __future__ import annotations

import io
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.cli.destination import allowed
from harness.cli.listing import resolve
from harness.cli.show import keep_reports, print_report, say_where
from harness.facts.durable import make_folder, write_text
from harness.facts.layout import ResultsFolder

if TYPE_CHECKING:
    from harness.scenarios.reporting import Judged

FORMATS = ("terminal", "markdown", "html", "json", "junit", "all")
PIPED = ("markdown", "json", "junit")
"""Formats that go to standard output where no file is named."""

FILE_WIDTH = 120
"""Columns of the terminal's report in a file."""


def report(
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="terminal, html and all write report.html, report.md and junit.xml into the "
            "results folder; markdown, json and junit go to standard output.",
            metavar="|".join(FORMATS),
        ),
    ] = "terminal",
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Write there instead, `-` is standard output; with all: into that folder.",
        ),
    ] = "",
    open_: Annotated[bool, typer.Option("--open", help="Open report.html in a browser.")] = False,
) -> int:
    """Show the findings of a campaign: what it holds, what gives first, what to set.

    Judges the stored facts anew, also of a campaign that broke off, and writes the reports beside
    them. For a pull request: `harness report --format markdown | gh pr comment -F -`
    """
    _check(format_, out, open_=open_)
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.scenarios.page_context import verdict_of
    from harness.scenarios.reporting import judge_stored

    judged = judge_stored(resolve(results, root))
    if format_ != "all" and (out or format_ in PIPED):
        page = _put(judged, format_, out)
    else:
        page = _keep(judged, format_, out)
    if open_ and not webbrowser.open(page.resolve().as_uri()):
        _note(f"No browser could be opened. The report: {page}")
    return int(verdict_of(judged.findings, judged.context))


def _check(format_: str, out: str, *, open_: bool) -> None:
    if format_ not in FORMATS:
        raise typer.BadParameter(
            f"{format_!r} is none of {', '.join(FORMATS)}.", param_hint="--format"
        )
    if out == "-" and format_ == "all":
        raise typer.BadParameter("all is several files: name a folder.", param_hint="--out")
    makes_page = format_ == "all" or (format_ == "html" and out != "-")
    if open_ and not makes_page and (format_ != "terminal" or out):
        raise typer.BadParameter(
            "it opens report.html: use it with --format terminal, html or all.",
            param_hint="--open",
        )


def _keep(judged: Judged, format_: str, out: str) -> Path:
    """Write everything and say where; returns the page."""
    from harness.scenarios.reporting import keep

    console = Console()
    if out:
        written = keep(judged, into=_allowed(Path(out), judged.path, folder=True))
        console.print(f"Reports: {out}", soft_wrap=True, highlight=False, markup=False)
        return written.report_html
    if format_ == "terminal":
        print_report(judged, console)
    written = keep_reports(judged)
    say_where(console, judged.path, written)
    return written.report_html


def _put(judged: Judged, format_: str, out: str) -> Path:
    """Write one format into a file or to standard output, and nothing else."""
    text = _text(judged, format_)
    if out in ("", "-"):
        sys.stdout.write(text)
        return Path("-")
    path = _allowed(Path(out), judged.path, folder=False)
    make_folder(path.parent)
    write_text(path, text)
    _note(f"Report: {path}")
    return path


def _text(judged: Judged, format_: str) -> str:
    from harness.scenarios.reporting import TEXTS

    if format_ != "terminal":
        return TEXTS[format_](judged)
    lines = io.StringIO()
    print_report(judged, Console(file=lines, width=FILE_WIDTH))
    return lines.getvalue()


def _allowed(path: Path, results: Path, *, folder: bool) -> Path:
    own = ResultsFolder(results)
    derived = (own.report_html, own.report_md, own.junit_xml, own.findings_json)
    return allowed(path, results, derived=derived, folder=folder)


def _note(text: str) -> None:
    """Beside the output, not in it."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)
