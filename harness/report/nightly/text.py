"""A night in plain lines: for a log, and for a chat."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.markup import clean
from harness.report.nightly.phrases import (
    commands,
    moved_series,
    sections,
    series_phrase,
    traits,
)
from harness.report.nightly.summary import Summary

MOST_CHARACTERS = 2_800
"""What a chat shows without folding; Slack cuts a block at 3,000."""


def night_lines(summary: Summary) -> Iterator[str]:
    """Everything, one fact a line; no control characters."""
    yield clean(summary.headline)
    yield f"  {clean(traits(summary))}"
    moved = moved_series(summary)
    told = [f"{each.alarm.verdict}: {series_phrase(each, summary)}" for each in moved]
    yield from _listed("Moved", told)
    for section in sections(summary):
        yield from _listed(section.title, section.lines)
    yield from _listed("To go on", commands(summary))


def _listed(title: str, lines: tuple[str, ...] | list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {clean(line)}" for line in lines)


def chat_text(summary: Summary) -> str:
    """A message for a chat that understands Slack's markup, short enough to be read there."""
    lines = [f"*Night {summary.campaign}* {clean(summary.headline, longest=MOST_CHARACTERS)}"]
    lines += [f"• {clean(series_phrase(each, summary))}" for each in moved_series(summary)]
    lines += [clean(traits(summary)), *(f"`{command}`" for command in commands(summary))]
    kept, length = list[str](), 0
    for line in map(_escaped, lines):
        length += len(line) + 1
        if length > MOST_CHARACTERS:
            kept.append("…")
            break
        kept.append(line)
    return "\n".join(kept)


def _escaped(line: str) -> str:
    """Slack reads `<…>` as links and mentions, and three characters as entities."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
