"""Trends for a terminal: what changed, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.analysis.history.events import Event, Moved
from harness.analysis.history.types import Entry, History
from harness.report.phrases import count_of
from harness.report.trends.words import (
    causes_sentence,
    day,
    effect,
    event_sentence,
    quantity,
    series_name,
    short_kinds,
)

MOST_EVENTS = 8
MOST_MOVED = 12
STYLES = {"worse": "bold red", "better": "green"}


def render_terminal(
    history: History, events: Sequence[Event], entries: Sequence[Entry]
) -> RenderableType:
    """Events with their figures; the page has the rest."""
    if not events:
        return Text(_nothing(history, entries))
    short = _short(history)
    parts: list[RenderableType] = []
    for event in events[:MOST_EVENTS]:
        parts += [_head(event), _table(event, short), Text("")]
    if len(events) > MOST_EVENTS:
        more = count_of(len(events) - MOST_EVENTS, "earlier event")
        parts.append(Text(f"{more}: see the page, or --format json"))
    return Group(*parts)


def _short(history: History) -> dict[tuple[str, str], str]:
    """Short names of kinds, by campaign and kind."""
    named: dict[str, list[str]] = {}
    for trend in history.trends:
        named.setdefault(trend.key.campaign, []).append(trend.key.kind)
    return {
        (name, kind): word
        for name, kinds in named.items()
        for kind, word in short_kinds(kinds).items()
    }


def _head(event: Event) -> Text:
    head = Text(f"{day(event.at_s)} {event.campaign}: {event_sentence(event)}", style="bold")
    head.append(f"\n{causes_sentence(event.annotations)}", style="not bold")
    return head


def _table(event: Event, short: dict[tuple[str, str], str]) -> Table:
    table = Table("change", "figure", "cell", "before", "after", "", box=None, pad_edge=False)
    for moved in event.moved[:MOST_MOVED]:
        table.add_row(*_row(moved, short))
    if len(event.moved) > MOST_MOVED:
        table.add_row("", f"and {len(event.moved) - MOST_MOVED} more", style="dim")
    return table


def _row(moved: Moved, short: dict[tuple[str, str], str]) -> tuple[str | Text, ...]:
    trend, point = moved.trend, moved.change
    style = STYLES[point.verdict]
    return (
        Text(effect(point), style=style),
        Text(series_name(trend.key, trend.metric)),
        Text(short[trend.key.campaign, trend.key.kind]),
        quantity(point.before, trend),
        quantity(point.after, trend),
        Text(point.verdict, style=style),
    )


def _nothing(history: History, entries: Sequence[Entry]) -> str:
    told = [entry for entry in entries if entry.valid]
    if not told:
        return "No campaign has figures yet. Measure one: harness run"
    if all(trend.note for trend in history.trends):
        longest = max(len(trend.points) for trend in history.trends)
        return (
            f"{count_of(len(told), 'campaign')} with figures, at most {longest} of one name and "
            "kind: ten are needed to look for changes."
        )
    return f"No lasting change in {count_of(len(told), 'campaign')}."
