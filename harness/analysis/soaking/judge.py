"""Does it last? A soak's facts in, its answer out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from harness.analysis.measures.windows import CellRecord
from harness.analysis.soaking.faults import fault_outcomes
from harness.analysis.soaking.growth import HORIZON_H, HOUR_S, growth_of, warmed
from harness.analysis.soaking.readings import longest_life, readings, segments_of
from harness.analysis.soaking.seeing import unseen
from harness.analysis.soaking.storage import storage_of
from harness.analysis.soaking.types import Answer, FaultOutcome, Growth, Soak
from harness.facts.model import Step

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
    against = (*_harm(runs), *_reached(growth), *_not_recovered(faults))
    open_ = (*unseen(record, growth), *_unclear(growth), *_nobody_tried(faults))
    answer, why = _answer(against, open_, used=used)
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
        storage=storage_of(record, segments),
        faults=faults,
    )


def _answer(
    against: tuple[str, ...], open_: tuple[str, ...], *, used: int
) -> tuple[Answer, tuple[str, ...]]:
    if against:
        return "does not last", against
    if used < FEWEST_SEGMENTS:
        few = f"{used} segments of one server without a fault; {FEWEST_SEGMENTS} are needed"
        return "cannot tell", (few,)
    return ("cannot tell", open_) if open_ else ("steady", ())


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
        if each.struck and each.recovered is False:
            yield f"no run started after {each.kind}"


def _nobody_tried(faults: Iterable[FaultOutcome]) -> Iterator[str]:
    for each in faults:
        if each.struck and each.recovered is None:
            yield f"whether runs start again after {each.kind} is not known: none was sent after it"


def _lasted_s(step: Step) -> float:
    return step.phases[-1].end_s - step.phases[0].start_s if step.phases else 0.0
