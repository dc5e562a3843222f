"""What a results root has seen, told: its trends as a page, for a terminal or a program."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import __version__
from harness.analysis.history.events import Event, events_of
from harness.analysis.history.series import history_of
from harness.analysis.history.types import Entry, History
from harness.facts.durable import write_text
from harness.report.trends.json_document import trends_json
from harness.report.trends.page import render_trends
from harness.scenarios.collecting import without_collector


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Entries, what they say together, and what changed, newest first."""

    entries: tuple[Entry, ...]
    history: History
    events: tuple[Event, ...]


def told_by(
    entries: Sequence[Entry], *, campaigns: Collection[str] = (), metrics: Collection[str] = ()
) -> Told:
    """Analyse it.

    Args:
        entries: ascending, from `harness.scenarios.history`.
        campaigns: names to look at; empty looks at all.
        metrics: keys to look at, with or without a load (`launch_s`, `launch_s@3`).
    """
    own = tuple(e for e in entries if not campaigns or e.campaign in campaigns)
    if metrics:
        own = tuple(_only(entry, metrics) for entry in own)
    with without_collector():
        history = history_of(own)
        return Told(entries=own, history=history, events=events_of(history))


def html_text(told: Told) -> str:
    """The page."""
    return render_trends(told.history, told.events, told.entries, version=__version__)


def json_text(told: Told) -> str:
    """For a program."""
    return trends_json(told.history, told.events, told.entries)


def keep_trends(told: Told, path: Path) -> None:
    """Write the page.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    write_text(path, html_text(told))


def _only(entry: Entry, metrics: Collection[str]) -> Entry:
    figures = tuple(
        figure
        for figure in entry.figures
        if figure.key in metrics or figure.key.partition("@")[0] in metrics
    )
    return replace(entry, figures=figures)
