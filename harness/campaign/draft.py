"""A campaign in the making: plain data, where each part stands, and what is wrong so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from harness.errors import CampaignError

Path = tuple[str | int, ...]
"""Keys and list indexes from the top: `("workloads", 0, "params")`."""

SET_LINE = 0
"""The line of what `--set` brought in; lines of the text count from 1."""


@dataclass(slots=True)
class Draft:
    """Plain data (only what JSON knows), its places, its problems.

    A path without a line of its own came with its nearest parent that has one. `written` leads
    from a place in the written-out data to the user's own: of `mix: {io: 0.7}` the share is
    `mix.0.share`, and the user reads `mix.io`.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    written: dict[Path, Path] = field(default_factory=dict)
    problems: set[tuple[int, str, str]] = field(default_factory=set)  # line, path, message

    def add(self, path: Path, message: str, line: int | None = None) -> None:
        """Note a problem at the user's own place, at its line unless another is given."""
        path = self._as_written(path)
        if line is None:
            parents = (path[:end] for end in range(len(path), -1, -1))
            line = next(self.lines[parent] for parent in parents if parent in self.lines)
        self.problems.add((line, ".".join(map(str, path)), message))

    def replaced(self, path: Path) -> None:
        """Note that `--set` brought in what stands at `path`, with all that lies below."""
        for stale in [known for known in self.lines if known[: len(path)] == path]:
            del self.lines[stale]
        for known in list(self.written):
            if known[: len(path)] == path[: len(known)]:  # above it, too: both spellings are gone
                del self.written[known]
        self.lines[path] = SET_LINE

    def _as_written(self, path: Path) -> Path:
        for end in range(len(path), 0, -1):
            if path[:end] in self.written:
                return self.written[path[:end]] + path[end:]
        return path


def refuse(draft: Draft, source: str) -> NoReturn:
    """Tell all problems: the text's in its order, then those of the command line.

    Raises:
        CampaignError: always.
    """
    ordered = sorted(draft.problems, key=lambda problem: (problem[0] == SET_LINE, problem))
    told = [
        ": ".join(filter(None, ("--set" if line == SET_LINE else f"{source}:{line}", path, said)))
        for line, path, said in ordered
    ]
    raise CampaignError(
        f"The campaign {source} has {'a problem' if len(told) == 1 else f'{len(told)} problems'}.",
        evidence="\n".join(told),
        hint="Nothing was started. `harness run --dry-run` checks a campaign and shows its plan.",
    )
