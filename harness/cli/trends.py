"""`harness trends`: how every figure moved from campaign to campaign, and where it changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.errors import CampaignError, EnvironmentProblem, StoredDataError
from harness.facts.durable import make_folder, write_text

if TYPE_CHECKING:
    from harness.analysis.history.types import Entry
    from harness.scenarios.trends import Told

FORMATS = ("terminal", "html", "json")
KEEP_DAYS = 30.0


Root = Annotated[Path, typer.Option("--root", "--results", help="Where results folders are.")]
Campaigns = Annotated[
    list[str] | None, typer.Option(help="Only campaigns of this name; may be repeated.")
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="Only this metric (launch_cpu_s, launch_s@3), as above."),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="|".join(FORMATS),
        help="terminal also writes trends.html beside the results folders, where all of it is "
        "shown; html and json go to standard output.",
    ),
]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the page, or the JSON, there.")
]
KeepDays = Annotated[float, typer.Option(min=0, help="With --prune: keep raw facts that long.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="FOLDER", help="With --prune: keep this campaign whole, as above."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="With --prune: only say what would go.")]


def trends(  # noqa: PLR0913 - one parameter an option
    root: Root = Path("results"),
    campaign: Campaigns = None,
    metric: Metrics = None,
    format_: Format = "terminal",
    out: Out = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="First remove raw facts of old campaigns; see above.")
    ] = False,
    keep_days: KeepDays = KEEP_DAYS,
    keep: Keep = None,
    dry_run: DryRun = False,
    json_: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> int:
    """Show trends over all stored campaigns: what changed for good, since when, and with what.

    Every campaign leaves its figures in history.jsonl for ever, also when its facts or its folder
    are gone. --prune removes runs, samples and logs; findings and reports stay, and so does all of
    the newest campaign of each name, of baselines, and of folders with a file `.keep`.
    """
    format_ = "json" if json_ else format_
    _check(format_, root, prune=prune, dry_run=dry_run)
    if prune:
        _prune(root, keep_days=keep_days, kept=keep or [], dry_run=dry_run)
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.facts.layout import trends_html
    from harness.scenarios.trends import told_by

    entries = _entries(root)
    _refuse_unknown(entries, campaign or [])
    told = told_by(entries, campaigns=campaign or (), metrics=_known(metric or []))
    if format_ == "terminal":
        whole = not (campaign or metric)
        return _show(told, out or (trends_html(root) if whole else None))
    return _put(told, format_, out)


def _check(format_: str, root: Path, *, prune: bool, dry_run: bool) -> None:
    if format_ not in FORMATS:
        raise typer.BadParameter(
            f"{format_!r} is none of {', '.join(FORMATS)}.", param_hint="--format"
        )
    if dry_run and not prune:
        raise typer.BadParameter("it says what --prune would do.", param_hint="--dry-run")
    if not root.is_dir():
        raise StoredDataError(
            f"There are no results in {root}.",
            evidence="There is no such folder.",
            hint="Measure some: harness run. Or say where they are: --root FOLDER",
        )


def _known(metrics: list[str]) -> list[str]:
    """Refuse what is no metric, rather than show nothing."""
    from harness.analysis.history.series import metric_called

    for key in metrics:
        metric_called(key)
    return metrics


def _refuse_unknown(entries: Sequence[Entry], campaigns: Sequence[str]) -> None:
    names = sorted({entry.campaign for entry in entries})
    for name in campaigns:
        if name not in names:
            raise CampaignError(
                f"There is no campaign {name!r} in the history.",
                hint=f"There are: {', '.join(names) or 'none yet'}.",
            )


def _entries(root: Path) -> tuple[Entry, ...]:
    from harness.scenarios.history import read_history, refresh_history

    try:
        return refresh_history(root)
    except EnvironmentProblem as error:
        _note(f"The index was not written: {error.what} {error.evidence}")
        return read_history(root)


def _prune(root: Path, *, keep_days: float, kept: list[str], dry_run: bool) -> None:
    from harness.facts.layout import ResultsFolder
    from harness.facts.retention_marker import facts_in, size_of
    from harness.scenarios.history import prunable, prune_facts
    from harness.units import show_bytes

    for name in kept:
        if not (root / Path(name).name).is_dir():
            raise CampaignError(
                f"There is no results folder {Path(name).name} in {root} to keep.",
                hint="Nothing was removed. `harness list` shows the results folders there are.",
            )
    now_s = time.time()
    old = prunable(root, now_s=now_s, keep_days=keep_days, kept=kept)
    for path in old:
        size = show_bytes(size_of(facts_in(ResultsFolder(path))))
        _note(f"{'Would remove' if dry_run else 'Removing'} the facts of {path}: {size}")
    if not old:
        _note(f"No facts are older than {keep_days:g} days and may go.")
    elif not dry_run:
        prune_facts(root, now_s=now_s, keep_days=keep_days, kept=kept)


def _show(told: Told, page: Path | None) -> int:
    """To the terminal, and as a page where one is wanted."""
    from harness.report.trends.terminal import render_terminal
    from harness.scenarios.trends import keep_trends

    console = Console(highlight=False)
    console.print(render_terminal(told.history, told.events, told.entries))
    if page is not None:
        make_folder(page.parent)
        keep_trends(told, page)
        console.print(f"All trends: {page}", soft_wrap=True, markup=False)
    return 0


def _put(told: Told, format_: str, out: Path | None) -> int:
    from harness.scenarios.trends import html_text, json_text

    text = json_text(told) if format_ == "json" else html_text(told)
    if out is None or str(out) == "-":
        sys.stdout.write(text)
        return 0
    make_folder(out.parent)
    write_text(out, text)
    _note(f"Trends: {out}")
    return 0


def _note(text: str) -> None:
    """Beside the output, not in it."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)
