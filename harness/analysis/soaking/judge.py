"""Does it last? A soak's facts in, its answer out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.analysis.measures.windows import CellRecord, hold_of
from harness.analysis.soaking.faults import fault_outcomes
from harness.analysis.soaking.growth import HOUR_S, growth_of, warmed
from harness.analysis.soaking.readings import longest_life, readings, segments_of
from harness.analysis.soaking.types import Answer, FaultOutcome, Growth, Soak, Storage
from harness.facts.model import Run, Step
from harness.units import mib

HORIZON_H = 30 * 24.0
"""A limit that is reached within a month of the last deployment is reached."""

FEWEST_SEGMENTS = 5
HARM = ("FAILURE", "LOST", "UNFINISHED", "REJECTED", "CANCELED")


def judge_soak(record: CellRecord) -> Soak:
    """Judge the only cell of a soak.

    Args:
        record: its facts.
    """
    segments = segments_of(record)
    life = longest_life(segments)
    used = len(warmed(life))
    growth = tuple(growth_of(subject, points) for subject, points in readings(record))
    faults = fault_outcomes(record)
    sound = {step.index for step in record.steps if step.kind == "load"}
    runs: dict[str, int] = dict(Counter(run.status for run in record.runs if run.step in sound))
    answer, why = _answer(runs, growth, faults, used=used)
    return Soak(
        cell=record.cell.id,
        concurrency=next((step.concurrency for step in record.steps if step.kind == "load"), 0),
        hours=sum(_lasted_s(step) for step in record.steps if step.kind != "warmup") / HOUR_S,
        segments=sum(step.kind != "warmup" for step in record.steps),
        used=used,
        answer=answer,
        why=why,
        runs=runs,
        growth=growth,
        storage=_storage(record, segments),
        faults=faults,
    )


def _answer(
    runs: dict[str, int],
    growth: Sequence[Growth],
    faults: Sequence[FaultOutcome],
    *,
    used: int,
) -> tuple[Answer, tuple[str, ...]]:
    against = [*_harm(runs), *_reached(growth), *_not_recovered(faults)]
    if against:
        return "does not last", tuple(against)
    known = [each for each in growth if each.course != "not known"]
    if used < FEWEST_SEGMENTS or not known:
        few = f"{used} segments of one server without a fault; {FEWEST_SEGMENTS} are needed"
        return "cannot tell", (few,)
    unclear = tuple(_unclear(growth))
    return ("cannot tell", unclear) if unclear else ("steady", ())


def _harm(runs: dict[str, int]) -> Iterator[str]:
    bad = {status: count for status, count in runs.items() if status in HARM}
    if bad:
        said = ", ".join(f"{count} {status.lower()}" for status, count in sorted(bad.items()))
        yield f"runs went wrong without a fault: {said} of {sum(runs.values())}"


def _reached(growth: Iterable[Growth]) -> Iterator[str]:
    for each in growth:
        hours = each.reach.hours if each.reach else None
        if hours is not None and hours <= HORIZON_H:
            yield f"{each.what} of {each.of} reaches its limit in {hours:.0f} h"


def _unclear(growth: Iterable[Growth]) -> Iterator[str]:
    """What may be on its way to a limit."""
    for each in growth:
        earliest = each.reach.earliest if each.reach else None
        if each.course == "unclear" and earliest is not None and earliest <= HORIZON_H:
            yield (
                f"{each.what} of {each.of} grew; whether it still does, its second half by itself "
                "cannot tell: a longer soak will"
            )


def _not_recovered(faults: Iterable[FaultOutcome]) -> Iterator[str]:
    for each in faults:
        if each.struck and not each.recovered:
            yield f"no run started after {each.kind}"


def _lasted_s(step: Step) -> float:
    return step.phases[-1].end_s - step.phases[0].start_s if step.phases else 0.0


def _storage(record: CellRecord, segments: Sequence[Step]) -> Storage | None:
    """From the first segment to the last: what the database was given, and by how many runs."""
    windows = [window for step in segments if (window := hold_of(step)) is not None]
    if not windows:
        return None
    start_s, end_s = windows[0].start_s, windows[-1].end_s
    hours = (end_s - start_s) / HOUR_S
    runs = _ended(record.runs, start_s, end_s)
    size_bytes = _risen(record, "database_bytes", start_s, end_s)
    events = _risen(record, "event_rows", start_s, end_s)
    per_hour = None if size_bytes is None else mib(size_bytes) / hours
    return Storage(
        runs=runs,
        hours=hours,
        database_mib_per_hour=per_hour,
        event_rows_per_run=None if events is None or not runs else events / runs,
        bytes_per_run=None if size_bytes is None or not runs else size_bytes / runs,
        mib_per_30_days=None if per_hour is None else per_hour * HORIZON_H,
    )


def _ended(runs: Iterable[Run], start_s: float, end_s: float) -> int:
    return sum(run.ended_s is not None and start_s <= run.ended_s < end_s for run in runs)


def _risen(record: CellRecord, key: str, start_s: float, end_s: float) -> float | None:
    _, values = record.samples.series("database", key, start_s=start_s, end_s=end_s)
    return float(values[-1] - values[0]) if len(values) > 1 else None
