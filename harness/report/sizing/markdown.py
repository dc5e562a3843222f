"""A sizing for a pull request or a chat: the answer in the first lines, the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.analysis.sizing.types import Comparison, SizingFinding
from harness.report.deploy.document import Document
from harness.report.markup import bullets, code, code_block, escaped, folded, table
from harness.report.sizing.phrases import (
    HEADINGS,
    MARKS,
    answer_sentence,
    demand_phrase,
    option_name,
    option_values,
)

LONGEST = 1000
"""Characters of one sentence; what verifies a choice is a long one."""


def sizing_markdown(finding: SizingFinding, files: Sequence[Document]) -> str:
    """The whole answer, ending in a newline.

    Args:
        finding: the answer.
        files: to paste; none where nothing is shipped.
    """
    return "\n\n".join(_parts(finding, files)) + "\n"


def _parts(finding: SizingFinding, files: Sequence[Document]) -> Iterator[str]:
    yield f"## {escaped(answer_sentence(finding))}"
    yield escaped(f"For {demand_phrase(finding.demand)}.")
    yield _list(finding.why)
    yield _options(finding)
    yield escaped(MARKS)
    yield folded("The sizing guide's rules beside what is known here", _guide(finding.comparisons))
    yield folded("Measured in", _list(finding.sources))
    yield folded("What this cannot know", _list(finding.unknown))
    for each in files:
        yield _file(each)


def _list(texts: Iterable[str]) -> str:
    return bullets(escaped(text, longest=LONGEST) for text in texts)


def _options(finding: SizingFinding) -> str:
    rows = []
    for option in finding.options:
        name = code(option_name(option))
        if option == finding.choice:
            name = f"**{name}**"
        values = [escaped(value) for value in option_values(option, finding.price.currency)]
        rows.append([name, *values, escaped(option.reason)])
    return table([*(heading.replace("\n", " ") for heading in HEADINGS), "why"], rows)


def _guide(comparisons: Iterable[Comparison]) -> str:
    return table(
        ("question", "the guide", "here", "which is", "source"),
        [
            (
                escaped(each.question),
                escaped(each.guide),
                escaped(each.measured),
                each.basis,
                escaped(each.source),
            )
            for each in comparisons
        ],
    )


def _file(document: Document) -> str:
    body = code_block(document.text.rstrip("\n").split("\n"), document.language)
    notes = f"\n\n{_list(document.notes)}" if document.notes else ""
    return folded(f"{document.name}: {document.title}", body + notes)
