"""Doubts about a measurement in Markdown: equal ones together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.findings.types import IssueFinding
from harness.report.markup import bullets, code, escaped, folded, inline, prose

MOST_OPEN = 8
MOST_PLACES = 6


def doubts(
    heading: str, issues: Sequence[IssueFinding], titles: Mapping[str, str]
) -> Iterator[str]:
    """A heading and a list; nothing where there is no doubt.

    Args:
        heading: what these doubts do.
        issues: of one campaign, any order.
        titles: what to call the cells, by id.
    """
    groups: dict[tuple[str, str, str], list[IssueFinding]] = {}
    for issue in issues:
        groups.setdefault((issue.severity, issue.code, issue.cell), []).append(issue)
    lines = [_line(group, titles) for group in groups.values()]
    if lines:
        yield f"**{heading}**\n\n" + bullets(lines[:MOST_OPEN])
    if lines[MOST_OPEN:]:
        yield folded(f"{len(lines) - MOST_OPEN} more doubts", bullets(lines[MOST_OPEN:]))


def _line(group: Sequence[IssueFinding], titles: Mapping[str, str]) -> str:
    first = group[0]
    severity = "**fatal**" if first.severity == "fatal" else escaped(first.severity)
    cell = inline(titles.get(first.cell, first.cell))
    evidence = inline(first.evidence).rstrip(".")
    remedy = f" {prose(first.remedy)}" if first.remedy else ""
    return f"{severity} {code(first.code)}, {cell}, {_places(group)}: {evidence}.{remedy}"


def _places(group: Sequence[IssueFinding]) -> str:
    """Where it applies, and what it does there."""
    voids = " (void)" if group[0].severity == "fatal" else ""
    if any(issue.step is None for issue in group):
        return f"all steps{voids}"
    loads = sorted({issue.concurrency for issue in group if issue.concurrency is not None})
    shown = ", ".join(map(str, loads[:MOST_PLACES])) + (" …" if loads[MOST_PLACES:] else "")
    count = f" ({len(group)} steps)" if len(group) > 1 else ""
    runs = "run" if loads == [1] else "runs"
    return f"at {shown} {runs}{count}{voids}"
