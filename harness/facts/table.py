"""Stored facts in memory: what the pure analysis is given. No method here touches a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.facts import codec
from harness.facts.model import Cell, Event, Run, Sample, Step

Floats = npt.NDArray[np.float64]
Series = tuple[str, str, str]
"""Device, key, source."""

NOTHING: tuple[Floats, Floats] = (np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class SamplesTable:
    """All samples of a cell: one row a `Sample`, with its fields as columns."""

    frame: pl.DataFrame
    _parts: dict[Series, tuple[Floats, Floats]] = field(
        init=False, repr=False, default_factory=dict
    )

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
        return tuple(sorted(s for d, k, s in self._split() if (d, k) == (device, key)))

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
        if source is None:
            wanted = (pl.col("device") == device) & (pl.col("key") == key)
            rows = self.frame.filter(wanted).sort("taken_s", maintain_order=True)
            times, values = rows["taken_s"].to_numpy(), rows["value"].to_numpy()
        else:
            times, values = self._split().get((device, key, source), NOTHING)
        first = 0 if start_s is None else int(np.searchsorted(times, start_s))
        last = len(times) if end_s is None else int(np.searchsorted(times, end_s))
        return times[first:last], values[first:last]

    def lateness_s(self, device: str) -> Floats:
        """How late each look of a device was (taken − due, seconds), one value a look."""
        looks = self.frame.filter(pl.col("device") == device).select("due_s", "taken_s").unique()
        looks = looks.sort("taken_s", "due_s")
        return (looks["taken_s"] - looks["due_s"]).to_numpy()

    def _split(self) -> dict[Series, tuple[Floats, Floats]]:
        """Every series by itself, made at the first question: judging asks hundreds of them."""
        if not self._parts and len(self):
            rows = self.frame.sort("taken_s", maintain_order=True)
            parts = rows.partition_by("device", "key", "source", as_dict=True)
            for (device, key, source), part in parts.items():
                arrays = (part["taken_s"].to_numpy(), part["value"].to_numpy())
                self._parts[str(device), str(key), str(source)] = arrays
        return self._parts


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
