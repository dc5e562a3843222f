"""What a page says about its figures: one sentence each, read from `definitions.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One figure or word. `key` is its name in docs/metrics.md or docs/glossary.md."""

    key: str
    name: str
    meaning: str
    unit: str = ""

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return "def-" + re.sub(r"[^A-Za-z0-9_.]+", "-", self.key).strip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionGroup:
    """Definitions that belong together, in the order they are shown."""

    title: str
    terms: tuple[Definition, ...]


@cache
def definition_groups() -> tuple[DefinitionGroup, ...]:
    """Every definition there is, in the order of the page."""
    text = resources.files("harness.report.html").joinpath("definitions.toml").read_text("utf-8")
    return tuple(
        DefinitionGroup(
            title=group["title"], terms=tuple(Definition(**term) for term in group["term"])
        )
        for group in tomllib.loads(text)["group"]
    )


@cache
def definitions() -> Mapping[str, Definition]:
    """Every definition by its key."""
    return {term.key: term for term in _terms()}


def _terms() -> Iterator[Definition]:
    for group in definition_groups():
        yield from group.terms
