"""A configuration as a tree in which every wrong type is noted with its place, not raised.

People's files have keys we do not know: those are passed over. What we do read must be of the type
that its reader wants. Where Dagster takes `{env: NAME}` in a value's stead, the value is not in the
file: that is as if it were not said, and noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

NO_LIMIT = -1
"""What Dagster takes for "as many as there are"."""

_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What is gathered on the way through a tree: `problems` refuse a file, `notes` do not."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Tree:
    """One place in a configuration.

    Args:
        value: what stands there; `None` for nothing.
        place: how a person finds it: `locations[0].image`.
        remarks: where complaints and notes are gathered, shared by the whole tree.
    """

    def __init__(self, value: Any, place: str, remarks: Remarks) -> None:
        self.value = value
        self.place = place
        self._remarks = remarks

    def __bool__(self) -> bool:
        """Whether anything stands here."""
        return self.value is not None

    def at(self, *keys: str) -> Tree:
        """What stands below these keys, one inside the other; nothing where one is missing."""
        found: Tree = self
        for key in keys:
            place = f"{found.place}.{key}" if found.place else key
            if found.value is not None and not isinstance(found.value, dict):
                found.complain("a mapping")
                return Tree(None, place, self._remarks)
            found = Tree((found.value or {}).get(key), place, self._remarks)
        return found

    def has(self, key: str) -> bool:
        """Whether this key is written here, be it with nothing behind it."""
        return isinstance(self.value, dict) and key in self.value

    @property
    def variable(self) -> str:
        """The environment variable in which the value stands; empty where it does in none."""
        if isinstance(self.value, dict) and set(self.value) == {"env"}:
            return str(self.value["env"])
        return ""

    def beside(self, value: Any) -> Tree:
        """Another value at the same place: what a part of a text here says."""
        return Tree(value, self.place, self._remarks)

    def first(self, *names: str) -> Tree:
        """The first of several keys that is there."""
        found = [self.at(name) for name in names]
        return next((each for each in found if each), found[0])

    def items(self) -> Iterator[Tree]:
        """What stands in a list; nothing where nothing stands here."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            self.complain("a list")
            return
        for index, value in enumerate(self.value):
            yield Tree(value, f"{self.place}[{index}]", self._remarks)

    def text(self) -> str | None:
        """A text; a number is taken as it is written."""
        if self.value is None:
            return None
        if isinstance(self.value, bool | dict | list):
            self.complain("a text")
            return None
        return str(self.value)

    def count(self) -> int | None:
        """A whole number from 0 on, also in quotes."""
        return self.read(_count, "a whole number")

    def limit(self) -> int | None:
        """A whole number from 0 on, or `NO_LIMIT`."""
        return self.read(_limit, "a whole number, or -1 for no limit")

    def flag(self) -> bool | None:
        """Yes or no, as YAML 1.1 writes them, by which Dagster and Helm read."""
        if self.value is None or isinstance(self.value, bool):
            return self.value
        word = self.value.lower() if isinstance(self.value, str) else ""
        if word in (*_YES, *_NO):
            return word in _YES
        self.complain("true or false")
        return None

    def read(self, reader: Callable[[str], T], wanted: str) -> T | None:
        """What a reader makes of the text here; a complaint where it raises `ValueError`."""
        if self.variable:
            self.note(f"stands in the environment variable {self.variable}: taken as not said")
            return None
        text = self.text()
        if text is None:
            return None
        try:
            return reader(text.strip())
        except ValueError:
            self.complain(wanted)
            return None

    def complain(self, wanted: str) -> None:
        """Note that this place holds something else than is wanted."""
        self._remarks.problems.append(f"{self.place}: {_shown(self.value)} is not {wanted}")

    def note(self, text: str) -> None:
        """Note what a person should know of this place; once, however often it is read."""
        note = f"{self.place} {text}"
        if note not in self._remarks.notes:
            self._remarks.notes.append(note)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _limit(text: str) -> int:
    return NO_LIMIT if int(text) == NO_LIMIT else _count(text)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
