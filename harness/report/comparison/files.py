"""Where a comparison is kept: derived files beside the facts, replaceable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ComparisonFiles:
    """The files of one comparison in a folder, there or not."""

    path: Path

    @property
    def json(self) -> Path:
        """For a program (`results/comparison.schema.json`)."""
        return self.path / "comparison.json"

    @property
    def markdown(self) -> Path:
        """For a pull request."""
        return self.path / "comparison.md"

    @property
    def html(self) -> Path:
        """The page."""
        return self.path / "comparison.html"

    @property
    def junit(self) -> Path:
        """For CI."""
        return self.path / "comparison-junit.xml"

    @property
    def all(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.json, self.markdown, self.html, self.junit)
