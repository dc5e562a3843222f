"""A bisection for an issue or a chat: the answer in the first line, the rounds folded."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.bisecting.types import BisectFinding
from harness.report.bisect.phrases import HEADINGS, answer, effort, remarks, row
from harness.report.comparison.words import value
from harness.report.markup import bullets, code, escaped, folded, inline, table

LONGEST = 1000
"""Characters of one sentence; several steps make a long one."""


def bisect_markdown(finding: BisectFinding) -> str:
    """The whole answer, ending in a newline."""
    return "\n\n".join(_parts(finding)) + "\n"


def _parts(finding: BisectFinding) -> Iterator[str]:
    asked = finding.question
    yield f"## {escaped(answer(finding), longest=LONGEST)}"
    setup = ", ".join(f"{name} {what}" for name, what in asked.setup.items())
    yield escaped(f"{asked.metric.name}; {setup}. {effort(finding)}.", longest=LONGEST)
    if finding.measured:
        yield table(
            HEADINGS,
            [[inline(each) for each in row(finding, placed)] for placed in finding.measured],
        )
    yield bullets(escaped(text, longest=LONGEST) for text in remarks(finding))
    if finding.rounds:
        yield folded("Rounds", _rounds(finding))


def _rounds(finding: BisectFinding) -> str:
    return table(
        ("round", f"in the order measured, {finding.question.metric.unit}", "facts"),
        [
            [
                str(each.number),
                inline(
                    ", ".join(f"{name}: {value(each.values.get(name))}" for name in each.releases)
                ),
                code(each.folder),
            ]
            for each in finding.rounds
        ],
    )
