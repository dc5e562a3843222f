"""A configuration as a tree in which every wrong type is noted with its place, not raised.

People's files have keys we do not know: those are passed over. What we do read must be of the type
that its reader wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Tree:
    """One place in a configuration.

    Args:
        value: what stands there; `None` for nothing.
        place: how a person finds it: `locations[0].image`.
        problems: where complaints are gathered, shared by the whole tree.
    """

    def __init__(self, value: Any, place: str, problems: list[str]) -> None:
        self.value = value
        self.place = place
        self._problems = problems

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
                return Tree(None, place, self._problems)
            found = Tree((found.value or {}).get(key), place, self._problems)
        return found

    def beside(self, value: Any) -> Tree:
        """Another value at the same place: what a part of a text here says."""
        return Tree(value, self.place, self._problems)

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
            yield Tree(value, f"{self.place}[{index}]", self._problems)

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

    def read(self, reader: Callable[[str], T], wanted: str) -> T | None:
        """What a reader makes of the text here; a complaint where it raises `ValueError`."""
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
        self._problems.append(f"{self.place}: {_shown(self.value)} is not {wanted}")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
