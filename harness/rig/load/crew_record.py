"""The records of a crew of load workers, made into one outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.facts.model import Event, Phase, Run
from harness.rig.load.records import StepRecord
from harness.rig.orders import LoadOutcome, Progress


class CrewRecord:
    """The parent's side of several workers; of one, exactly a `StepRecord`.

    Args:
        step: index of the step.
        count: how many workers there are.

    `clocks`: who the workers are and what their clocks lacked to ours, as events `load_worker`;
    stamps are ours already.
    """

    def __init__(self, step: int, count: int = 1) -> None:
        self._step = step
        self._records = [StepRecord(step) for _ in range(count)]
        self.clocks: list[Event] = []

    @property
    def sent_count(self) -> int:
        """Launches sent so far."""
        return sum(record.sent_count for record in self._records)

    @property
    def progress(self) -> Progress | None:
        """All together, in the phase of the first; `None` before anybody said anything."""
        known = [record.progress for record in self._records if record.progress is not None]
        if not known:
            return None
        return Progress(
            phase=known[0].phase,
            in_flight=sum(each.in_flight for each in known),
            sent=sum(each.sent for each in known),
            completed=sum(each.completed for each in known),
            failed=sum(each.failed for each in known),
        )

    @property
    def done_s(self) -> float | None:
        """When the last one was done; `None` while one is not."""
        ends = [record.done_s for record in self._records if record.done_s is not None]
        return max(ends) if len(ends) == len(self._records) else None

    @property
    def error(self) -> str:
        """Why one cannot go on; empty while all can."""
        return next((record.error for record in self._records if record.error), "")

    def add(self, line: Mapping[str, Any]) -> None:
        """Take one line of whichever worker."""
        worker = int(line.get("w", 0))
        if line["kind"] == "clock":
            self.clocks.append(_clock(self._step, line))
        else:
            self._records[worker].add(line)

    def outcome(self, *, abort_reason: str, end_s: float) -> LoadOutcome:
        """Everything as facts, as `StepRecord.outcome`; the drain begins with the last worker's."""
        each = [r.outcome(abort_reason=abort_reason, end_s=end_s) for r in self._records]
        if len(each) == 1:
            return replace(each[0], events=tuple(self.clocks))
        cores = [outcome.generator_cpu_cores for outcome in each]
        return LoadOutcome(
            runs=_by_time([run for outcome in each for run in outcome.runs]),
            phases=_together([outcome.phases for outcome in each]),
            abort_reason=abort_reason,
            dropped_arrivals=sum(outcome.dropped_arrivals for outcome in each),
            generator_cpu_cores=sum(c for c in cores if c is not None) if any(cores) else None,
            events=tuple(self.clocks),
            ends_seen=frozenset().union(*(outcome.ends_seen for outcome in each)),
        )


def _clock(step: int, line: Mapping[str, Any]) -> Event:
    detail = {name: line[name] for name in ("host", "offset_s", "uncertainty_s")}
    return Event(
        at_s=line["at_s"], kind="load_worker", source="generator",
        detail={"index": line["w"], "step": step, **detail},
    )  # fmt: skip


def _by_time(runs: Sequence[Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs, key=lambda run: run.sent_s))


def _together(phases: Sequence[Sequence[Phase]]) -> tuple[Phase, ...]:
    """A phase begins with the last worker's beginning: earlier not all are in it."""
    names = [phase.name for phase in phases[0]]
    starts = [
        max(each.start_s for of in phases for each in of if each.name == name) for name in names
    ]
    end_s = max((each.end_s for of in phases for each in of), default=0.0)
    ends = [*starts[1:], end_s]
    return tuple(
        Phase(name=name, start_s=start_s, end_s=max(start_s, next_s))
        for name, start_s, next_s in zip(names, starts, ends, strict=True)
    )
