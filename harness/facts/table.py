"""Stored facts in memory: what the pure analysis is given. No method here touches a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.facts import codec
from harness.facts.model import Cell, Event, Run, Sample, Step

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SamplesTable:
    """All samples of a cell: one row a `Sample`, with its fields as columns."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, samples: Iterable[Sample] = ()) -> SamplesTable:
        """A table of these samples, in the order given."""
        return cls(codec.to_frame(Sample, samples))

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[Sample]:
        return (Sample(**row) for row in self.frame.iter_rows(named=True))

    def devices(self) -> tuple[str, ...]:
        """The devices that were read, sorted."""
        return _distinct(self.frame, "device")

    def keys(self, device: str) -> tuple[str, ...]:
        """What one device read, sorted."""
        return _distinct(self.frame.filter(pl.col("device") == device), "key")

    def sources(self, device: str, key: str) -> tuple[str, ...]:
        """What this was read from (replicas, services, the host), sorted."""
        return _distinct(self._rows(device, key), "source")

    def series(
        self,
        device: str,
        key: str,
        source: str | None = None,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> tuple[Floats, Floats]:
        """One series as (times, values): `taken_s` ascending, and what was read then.

        Args:
            source: only this one; `None` takes all sources together, in one series.
            start_s: from this moment on, itself included.
            end_s: up to this moment, itself excluded (as a `Phase` ends).

        Returns:
            Two arrays of one length; both empty when nothing was read.
        """
        rows = self._rows(device, key)
        if source is not None:
            rows = rows.filter(pl.col("source") == source)
        if start_s is not None:
            rows = rows.filter(pl.col("taken_s") >= start_s)
        if end_s is not None:
            rows = rows.filter(pl.col("taken_s") < end_s)
        rows = rows.sort("taken_s", maintain_order=True)
        return rows["taken_s"].to_numpy(), rows["value"].to_numpy()

    def lateness_s(self, device: str) -> Floats:
        """How late each look of a device was (taken − due, seconds), one value a look."""
        looks = self.frame.filter(pl.col("device") == device).select("due_s", "taken_s").unique()
        looks = looks.sort("taken_s", "due_s")
        return (looks["taken_s"] - looks["due_s"]).to_numpy()

    def _rows(self, device: str, key: str) -> pl.DataFrame:
        return self.frame.filter((pl.col("device") == device) & (pl.col("key") == key))


def _distinct(rows: pl.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(rows[column].unique().sort().to_list())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellFacts:
    """Everything one cell left behind.

    `steps` are in order of their index, `runs` by step and within it as they were written,
    `events` by time. Runs of a step that never ended (a crash) are not here.
    """

    cell: Cell
    steps: list[Step]
    runs: list[Run]
    samples: SamplesTable
    events: list[Event]

    def runs_of(self, step: Step) -> list[Run]:
        """The runs offered in one step."""
        return [run for run in self.runs if run.step == step.index]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultsFacts:
    """Everything one campaign left behind. `cells` are in order of their start, then id.

    A folder that was renamed (a baseline) has its name as `campaign` and `started_utc` `None`.
    """

    campaign: str
    started_utc: datetime | None
    campaign_text: str
    environment: dict[str, Any]
    journal: list[dict[str, Any]]
    cells: list[CellFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsSummary:
    """One results folder among others.

    `sealed`: there are cells and all are sealed. `ended` has the cells' own words on why they
    ended. `problem` says why the folder cannot be read in full, or is empty.
    """

    path: Path
    campaign: str
    started_utc: datetime
    cells: int
    sealed: bool
    ended: tuple[str, ...] = ()
    problem: str = ""
