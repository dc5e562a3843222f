"""What an experiment saw, one line each: the raw facts of a guide scenario.

An observation says `what` was seen, when, and everything about it as flat JSON. Like all facts it
is written once and judges nothing; figures are made from observations afterwards, again and again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import StoredDataError
from harness.facts.durable import append_lines, make_folder, write_text

Values = Mapping[str, Any]
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """`at_s` in epoch seconds."""

    what: str
    at_s: float
    values: Values


class Observations:
    """What one scenario saw, in the order it was seen."""

    def __init__(self, seen: Iterable[Observation] = ()) -> None:
        self._seen = tuple(seen)

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._seen)

    def of(self, what: str, **match: Any) -> list[Values]:
        """The values of every observation of this name that has these values."""
        return [
            each.values
            for each in self._seen
            if each.what == what
            and all(each.values.get(key) == value for key, value in match.items())
        ]

    def first(self, what: str, **match: Any) -> Values | None:
        """The first of them, if there is any."""
        return next(iter(self.of(what, **match)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord:
    """How a scenario went. `ended` is `done`, or says why not. `quick`: measured with less.

    `version`: of the way it measures; another one cannot be judged by today's code.
    """

    name: str
    version: int
    quick: bool
    dagster: str
    started_s: float
    took_s: float
    ended: str


class ScenarioFolder:
    """Where one scenario's facts are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def observations(self) -> Path:
        """JSON lines, appended to while it is measured."""
        return self.path / "observations.jsonl"

    @property
    def record(self) -> Path:
        """Written last: what has none was cut off."""
        return self.path / "scenario.json"

    def writer(self, clock: Callable[[], float] = time.time) -> Callable[..., None]:
        """Begin anew; the function that appends one observation: `note("burst", runs=8)`."""
        make_folder(self.path)
        write_text(self.observations, "")

        def note(what: str, /, **values: Any) -> None:
            line = {"what": what, "at_s": clock(), **values}
            append_lines(self.observations, [json.dumps(line, allow_nan=False)])

        return note

    def seal(self, record: ScenarioRecord) -> None:
        """Say how it went."""
        told = {name: getattr(record, name) for name in ScenarioRecord.__slots__}
        write_text(self.record, json.dumps(told, indent=1) + "\n")

    def read_record(self) -> ScenarioRecord | None:
        """How it went; `None` where it was never sealed.

        Raises:
            StoredDataError: the file is damaged.
        """
        try:
            text = self.record.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return ScenarioRecord(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise StoredDataError(f"{self.record} is damaged.", evidence=str(error)) from error

    def read(self) -> Observations:
        """Everything that was seen; a last line that was cut off is left out.

        Raises:
            StoredDataError: the file is missing or damaged.
        """
        try:
            lines = self.observations.read_text(encoding="utf-8").split("\n")[:-1]
            return Observations(_observation(line) for line in lines)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoredDataError(
                f"{self.observations} cannot be read.", evidence=str(error)
            ) from error


def _observation(line: str) -> Observation:
    values = json.loads(line)
    return Observation(what=values.pop("what"), at_s=values.pop("at_s"), values=values)
