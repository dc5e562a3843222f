"""Answers that lie beside the facts they were made from: of a soak, of a validation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.analysis.soaking.types import Soak
from harness.analysis.validation import Validation
from harness.report.context import KeptAnswer
from harness.report.soak import soak_lines
from harness.report.validation import validation_lines
from harness.scenarios import soaking, validating

T = TypeVar("T")

KINDS: Mapping[str, str] = {
    "steady": "pass", "does not last": "fail", "cannot tell": "inconclusive",
    "holds": "pass", "does not hold": "fail", "limit never filled": "inconclusive",
    "cannot be tested here": "inconclusive",
}  # fmt: skip


def kept_answers(path: Path) -> Iterator[KeptAnswer]:
    """Those in a results folder that can be read.

    Args:
        path: the folder.
    """
    if (soak := _read(Soak, path / soaking.FILE, lambda found: found)) is not None:
        yield _answer("Does it last?", soak.answer, soak_lines(soak))
    asked = _read(Validation, path / validating.FILE, lambda found: found["validation"])
    if asked is not None:
        yield _answer("Does it hold what it promises?", asked.answer, validation_lines(asked))


def _answer(title: str, answer: str, lines: Iterable[str]) -> KeptAnswer:
    return KeptAnswer(title=title, kind=KINDS.get(answer, "inconclusive"), lines=tuple(lines))


def _read(kind: type[T], path: Path, part: Callable[[Any], Any]) -> T | None:
    """A file of another version, or none, is no answer."""
    try:
        text = path.read_text(encoding="utf-8")
        found: T = TypeAdapter(kind).validate_python(part(json.loads(text)))
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    return found
