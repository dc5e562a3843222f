"""What became of a configuration that was put to the test, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.validation import Validation

STYLES: Mapping[str, str] = {
    "holds": "bold green",
    "does not hold": "bold red",
    "limit never filled": "bold yellow",
    "cannot be tested here": "bold yellow",
}


def validation_lines(answer: Validation) -> Iterator[str]:
    """The answer, then what it rests on; each line without markup."""
    yield f"{answer.answer}: {answer.why}"
    for burst in answer.bursts:
        state = {True: "passed", False: "broke", None: "in doubt"}[burst.passed]
        yield f"  {burst.runs} at once: {state} ({burst.sentence})"
    for line in answer.first:
        yield f"  first to give: {line}"
    if answer.binding:
        yield f"  binding limit: {answer.binding}"
    yield from (f"  {line}" for line in answer.meaning)
    yield from _mend(answer.mend)


def _mend(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "What would mend it:"
    for line in lines:
        yield f"  {line}"
