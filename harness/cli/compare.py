"""`harness compare`: did another Dagster version make it better or worse?"""

from __future__ import annotations

import io
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from harness.cli import compare_options as options
from harness.cli.destination import allowed
from harness.cli.listing import resolve
from harness.cli.show import print_comparison
from harness.errors import EnvironmentProblem
from harness.facts.durable import make_folder, write_text

if TYPE_CHECKING:
    from harness.analysis.comparison.types import ComparisonDocument

FILE_WIDTH = 140
"""Columns of the terminal's comparison in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to compare, beside where it lies."""

    metrics: tuple[str, ...]
    baseline: str
    contender: str
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the comparison is to be told. `kept`: where its files may stay, `None` if nowhere."""

    format: str
    out: str
    details: bool
    kept: Path | None
    results: tuple[Path, ...]


def compare(  # noqa: PLR0913 - one parameter an option
    a: options.ResultA = "latest",
    b: options.ResultB = "",
    baseline: options.Baseline = "",
    contender: options.Contender = "",
    metric: options.Metrics = None,
    list_metrics: options.ListMetrics = False,
    force: options.Force = False,
    alpha: options.Alpha = 0.05,
    tolerance: options.Tolerance = 0.05,
    format_: options.Format = "terminal",
    details: options.Details = False,
    out: options.Out = "",
    root: options.Root = Path("results"),
    open_: options.Open = False,
    json_: options.AsJson = False,
) -> int:
    """Compare Dagster versions: what became better, worse, stayed, and what nobody can tell.

    Within a campaign that measured several (`harness run --dagster A --dagster B`), or between two
    results: `harness compare RESULT_A RESULT_B`. Every difference has an interval and a noise
    floor, how far equal cells differ; a verdict needs both. What was not measured alike (host,
    limits, target, workload, objectives, method) is refused.

    For a pull request: `harness compare --format markdown | gh pr comment -F -`

    Exit codes: 0 the same or better, 1 worse, 2 refused or bad input, 3 `--out` cannot be written,
    5 nobody can tell, or it was forced.
    """
    if list_metrics:
        return _list_metrics()
    format_ = "json" if json_ else format_
    _check(format_, out, open_=open_)
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.scenarios.comparing import exit_code_of

    sides = (resolve(a, root), resolve(b, root) if b else None)
    ask = Ask(metrics=tuple(metric or ()), baseline=baseline, contender=contender, force=force)
    document, whole = _compared(sides, ask, alpha=alpha, tolerance=tolerance)
    wish = Wish(
        format=format_,
        out=out,
        details=details,
        kept=_kept(*sides) if whole else None,
        results=tuple(each for each in sides if each is not None),
    )
    page = _tell(document, wish)
    if open_ and not (page and webbrowser.open(page.resolve().as_uri())):
        _note("There is no page to open." if page is None else f"Open it by hand: {page}")
    return int(exit_code_of(document))


def _compared(
    sides: tuple[Path, Path | None], ask: Ask, *, alpha: float, tolerance: float
) -> tuple[ComparisonDocument, bool]:
    """The comparison as asked for, and whether that is all there is to it."""
    from harness.analysis.comparison.chosen import check_keys, chosen
    from harness.analysis.comparison.types import Rules
    from harness.scenarios.comparing import compare_folders

    check_keys(ask.metrics)  # before anything is read
    rules = Rules(alpha=alpha, tolerance=tolerance)
    document = compare_folders(
        *sides, rules=rules, baseline=ask.baseline or None, contender=ask.contender or None,
        force=ask.force,
    )  # fmt: skip
    within = sides[1] is None
    whole = (
        not ask.metrics and rules == Rules() and not (within and (ask.baseline or ask.contender))
    )
    return chosen(document, ask.metrics), whole


def _list_metrics() -> int:
    from harness.analysis.comparison.metrics import METRICS

    print("capacity               runs at once, from all steps of equal cells")
    for each in METRICS:
        at = "@LOAD" if each.at_load else ""
        counts = "counts for the verdict" if each.gates else ""
        print(f"{each.key + at:<28} {each.name}, {each.unit}, {each.better} is better  {counts}")
    return 0


def _check(format_: str, out: str, *, open_: bool) -> None:
    if format_ not in options.FORMATS:
        raise typer.BadParameter(
            f"{format_!r} is none of {', '.join(options.FORMATS)}.", param_hint="--format"
        )
    if out == "-" and format_ == "all":
        raise typer.BadParameter("all is several files: name a folder.", param_hint="--out")
    if open_ and (format_ in options.PIPED or out == "-" or (out and format_ == "terminal")):
        raise typer.BadParameter(
            "it opens the page: use it with --format terminal, html or all.", param_hint="--open"
        )


def _kept(one: Path, other: Path | None) -> Path | None:
    """Where a comparison stays: with its contender, unless that has one of its own."""
    from harness.scenarios.comparing import own_comparison

    if other is None:
        return one
    return None if own_comparison(other) else other


def _tell(document: ComparisonDocument, wish: Wish) -> Path | None:
    """Print or write it as wished; returns the page where there is one."""
    console = Console()
    if wish.format == "all" and wish.out:
        return _keep(document, _allowed(Path(wish.out), wish, folder=True), console)
    if wish.format != "all" and (wish.out or wish.format in options.PIPED):
        return _put(document, wish)
    if wish.format == "terminal":
        print_comparison(document, console, details=wish.details)
    if wish.kept is None:
        _note("Not kept: it is not the whole comparison of one results folder (--out keeps it).")
        return None
    try:
        return _keep(document, wish.kept, console)
    except EnvironmentProblem as error:
        # Nobody asked for the files: what was found is told, and the exit code says it.
        _note(f"Not kept: {error.what} {error.evidence} (--out FOLDER keeps it elsewhere)")
        return None


def _keep(document: ComparisonDocument, folder: Path, console: Console) -> Path:
    from harness.scenarios.comparing import keep_comparison
    from harness.scenarios.overview import refresh_index

    files = keep_comparison(document, folder)
    lines = [("Comparison", files.html), ("All campaigns", refresh_index(folder))]
    for what, where in lines:
        if where is not None:
            console.print(f"{what}: {where}", soft_wrap=True, highlight=False, markup=False)
    return files.html


def _put(document: ComparisonDocument, wish: Wish) -> Path | None:
    """Write one format into a file or to standard output, and nothing else."""
    text = _text(document, wish)
    if wish.out in ("", "-"):
        sys.stdout.write(text)
        return None
    path = _allowed(Path(wish.out), wish, folder=False)
    make_folder(path.parent)
    write_text(path, text)
    _note(f"Comparison: {path}")
    return path if wish.format == "html" else None


def _text(document: ComparisonDocument, wish: Wish) -> str:
    from harness.scenarios.comparing import TEXTS

    if wish.format != "terminal":
        return TEXTS[wish.format](document)
    lines = io.StringIO()
    print_comparison(document, Console(file=lines, width=FILE_WIDTH), details=wish.details)
    return lines.getvalue()


def _allowed(path: Path, wish: Wish, *, folder: bool) -> Path:
    from harness.report.comparison.files import ComparisonFiles

    for results in wish.results:
        derived: Sequence[Path] = ComparisonFiles(results).all
        allowed(path, results, derived=derived, folder=folder)
    return path


def _note(text: str) -> None:
    """Beside the output, not in it."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)
