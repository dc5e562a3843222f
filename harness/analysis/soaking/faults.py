"""What came of a fault: the runs under way, the launches after it, how long until all was well."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.analysis.measures.windows import CellRecord, end_of
from harness.analysis.soaking.stretches import end_of_stretch_s
from harness.analysis.soaking.types import FaultOutcome
from harness.campaign.faults import AT_ONCE, MEANINGS
from harness.facts.fault_events import MENDED, MISSED, STRUCK
from harness.facts.model import Event, Run, Step

GONE = ("LOST", "UNFINISHED")
MOST_ERRORS = 3


def fault_outcomes(record: CellRecord) -> tuple[FaultOutcome, ...]:
    """One for each segment in which something was to be broken, in order."""
    segments = [step for step in record.steps if step.kind != "warmup"]
    return tuple(
        _outcome(record, step, number)
        for number, step in enumerate(segments, start=1)
        if step.kind == "fault"
    )


def _outcome(record: CellRecord, step: Step, number: int) -> FaultOutcome:
    within = _within(record, step)
    struck = next((event for event in within if event.kind == STRUCK), None)
    if struck is None:
        missed = next((event for event in within if event.kind == MISSED), None)
        return FaultOutcome(
            kind=missed.source if missed else "",
            meaning=_meaning(missed),
            segment=number,
            struck=False,
            why=str(missed.detail.get("why", "")) if missed else "nothing was recorded of it",
        )
    mended = next((event for event in within if event.kind == MENDED), struck)
    if struck.source in AT_ONCE:
        mended = struck
    runs = [run for run in record.runs if run.step == step.index]
    caught = [run for run in runs if run.sent_s <= struck.at_s < end_of(run)]
    later = [run for run in runs if run.sent_s > struck.at_s]
    until_s = end_of_stretch_s(record, mended.at_s)
    after = [run for run in record.runs if mended.at_s <= run.sent_s < until_s]
    return FaultOutcome(
        kind=struck.source,
        meaning=_meaning(struck),
        segment=number,
        struck=True,
        at_s=struck.at_s,
        lasted_s=mended.at_s - struck.at_s,
        in_flight=len(caught),
        ended=_count(caught, "SUCCESS"),
        failed=_count(caught, "FAILURE", "CANCELED"),
        lost=_count(caught, *GONE),
        refused=_count(runs, "REJECTED"),
        failed_later=_count(later, "FAILURE", "CANCELED", *GONE),
        sent_after=len(after),
        answering_s=_answering_s(record, mended.at_s, until_s),
        launching_s=_launching_s(after, mended.at_s),
        server_died=step.restarts > 0,
        errors=_errors(runs),
    )


def _meaning(event: Event | None) -> str:
    return next((said for kind, said in MEANINGS.items() if event and kind == event.source), "")


def _within(record: CellRecord, step: Step) -> list[Event]:
    """The fault's own events: it may be taken back after its step was broken off."""
    starts = [
        other.phases[0].start_s
        for other in record.steps
        if other.index > step.index and other.phases
    ]
    start_s = step.phases[0].start_s if step.phases else math.inf
    next_s = min(starts, default=math.inf)
    return [
        event
        for event in record.events
        if event.kind in (STRUCK, MENDED, MISSED) and start_s <= event.at_s < next_s
    ]


def _count(runs: Iterable[Run], *statuses: str) -> int:
    return sum(run.status in statuses for run in runs)


def _answering_s(record: CellRecord, since_s: float, until_s: float) -> float | None:
    """Until every replica had answered a health probe; `None` where one never did."""
    first: list[float] = []
    end_s = until_s if math.isfinite(until_s) else None
    for source in record.samples.sources("probe", "probe_s"):
        times, _ = record.samples.series(
            "probe", "probe_s", source=source, start_s=since_s, end_s=end_s
        )
        if not len(times):
            return None
        first.append(float(times[0]) - since_s)
    return max(first, default=None)


def _launching_s(runs: Sequence[Run], since_s: float) -> float | None:
    """To the first of these runs that started."""
    started = [run.started_s for run in runs if run.started_s is not None]
    return min(started) - since_s if started else None


def _errors(runs: Iterable[Run]) -> tuple[tuple[str, int], ...]:
    said = Counter(
        run.error or run.error_class or run.status for run in runs if run.status != "SUCCESS"
    )
    return tuple(said.most_common(MOST_ERRORS))
