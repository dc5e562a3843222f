"""What the database was given, by stretches: a soak that is gone on with begins an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.measures.windows import CellRecord, hold_of
from harness.analysis.soaking.growth import HORIZON_H, HOUR_S
from harness.analysis.soaking.stretches import stretches
from harness.analysis.soaking.types import Storage
from harness.facts.model import Step
from harness.units import mib


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first hold of a stretch to the end of its last, and the runs that ended in it."""

    start_s: float
    end_s: float
    runs: int

    @property
    def hours(self) -> float:
        """Its length."""
        return (self.end_s - self.start_s) / HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Risen:
    """How far a counter of the database rose, in the spans in which it was read."""

    total: float
    hours: float
    runs: int

    @property
    def per_run(self) -> float | None:
        """`None` without a run."""
        return self.total / self.runs if self.runs else None


def storage_of(record: CellRecord, segments: Sequence[Step]) -> Storage | None:
    """Totals, and what a run costs.

    Args:
        record: the soak's.
        segments: those without a fault.
    """
    spans = [_span(record, each) for each in stretches(record, segments)]
    if not spans:
        return None
    size, events = (_risen(record, key, spans) for key in ("database_bytes", "event_rows"))
    per_hour = None if size is None else mib(size.total) / size.hours
    return Storage(
        runs=sum(span.runs for span in spans),
        hours=sum(span.hours for span in spans),
        database_mib_per_hour=per_hour,
        event_rows_per_run=None if events is None else events.per_run,
        bytes_per_run=None if size is None else size.per_run,
        mib_per_30_days=None if per_hour is None else per_hour * HORIZON_H,
    )


def _span(record: CellRecord, stretch: Sequence[Step]) -> Span:
    holds = [hold for step in stretch if (hold := hold_of(step)) is not None]
    start_s, end_s = holds[0].start_s, holds[-1].end_s
    ended = sum(run.ended_s is not None and start_s <= run.ended_s < end_s for run in record.runs)
    return Span(start_s=start_s, end_s=end_s, runs=ended)


def _risen(record: CellRecord, key: str, spans: Sequence[Span]) -> Risen | None:
    known: list[tuple[float, Span]] = []
    for span in spans:
        _, values = record.samples.series("database", key, start_s=span.start_s, end_s=span.end_s)
        if len(values) > 1:
            known.append((float(values[-1] - values[0]), span))
    if not known:
        return None
    return Risen(
        total=sum(rise for rise, _ in known),
        hours=sum(span.hours for _, span in known),
        runs=sum(span.runs for _, span in known),
    )
