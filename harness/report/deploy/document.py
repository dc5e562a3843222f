"""A file to paste, with what a person must know before pasting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One emitted file.

    Attributes:
        name: of the file, as its reader expects it.
        title: what it is for, in a few words.
        language: of `text`, as a code block names it.
        text: the whole file, ending in a newline; the same settings give the same text.
        notes: what the file cannot say itself, in sentences.
    """

    name: str
    title: str
    language: Literal["yaml", "json"]
    text: str
    notes: tuple[str, ...]
