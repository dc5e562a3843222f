"""A night for a pull request, a chat or the summary page of a CI job: the colour first."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.markup import bullets, code_block, escaped, folded, inline, table
from harness.report.nightly.phrases import (
    STATUS_WORDS,
    commands,
    how_much,
    moved_series,
    sections,
    series_name,
    since_phrase,
    traits,
)
from harness.report.nightly.summary import Series, Summary

MOST_ROWS = 40
"""Rows and lines of each list that are shown; a comment on GitHub holds 65,536 characters."""

HEADINGS = ("figure", "verdict", "how much (95 %)", "since")
ALL_HEADINGS = ("figure", "verdict", "how much (95 %)", "why")


def night_markdown(summary: Summary) -> str:
    """The whole night, ending in a newline."""
    parts = [
        f"## Night {escaped(summary.campaign)}: {STATUS_WORDS[summary.status]}",
        f"**{escaped(summary.headline)}**",
        escaped(traits(summary)),
        *_moved(summary),
    ]
    for section in sections(summary):
        if section.lines:
            lines = [escaped(line) for line in section.lines[:MOST_ROWS]]
            more = len(section.lines) - len(lines)
            rest = [f"and {more} more"] if more else []
            parts.append(f"**{section.title}**\n\n{bullets([*lines, *rest])}")
    parts += _all_series(summary)
    if typed := commands(summary):
        parts.append(f"**To go on**\n\n{code_block(typed, 'console')}")
    return "\n\n".join(parts) + "\n"


def _moved(summary: Summary) -> Iterator[str]:
    moved = moved_series(summary)[:MOST_ROWS]
    if moved:
        yield table(HEADINGS, ([*_row(each, summary), _since(each, summary)] for each in moved))


def _all_series(summary: Summary) -> Iterator[str]:
    if summary.series:
        shown = summary.series[:MOST_ROWS]
        rows = ([*_row(each, summary), inline(each.alarm.why)] for each in shown)
        count = len(summary.series)
        title = f"All {count} gating figures" + (f", the first {MOST_ROWS}" * (count > MOST_ROWS))
        yield folded(title, table(ALL_HEADINGS, rows))


def _row(series: Series, summary: Summary) -> tuple[str, str, str]:
    alarm = series.alarm
    verdict = alarm.verdict.replace("_", " ")
    return (
        inline(series_name(alarm, summary)),
        f"**{verdict}**" if alarm.red else verdict,
        inline(how_much(alarm)),
    )


def _since(series: Series, summary: Summary) -> str:
    if series.since is None:
        return "-"
    return inline(since_phrase(series.since, summary).removeprefix("since "))
