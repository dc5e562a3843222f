"""Soaks made of known truth: what was read in each segment, what its runs took, what was broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from factory import START_S, make_cell

from harness.facts.model import Event, Phase, Run, RunStatus, Sample, Step, StepKind, StepOutcome
from harness.facts.table import CellFacts, SamplesTable

MIB = 1024 * 1024
RAMP_S, HOLD_S, DRAIN_S, GAP_S = 12.0, 288.0, 10.0, 5.0
PERIOD_S = RAMP_S + HOLD_S + DRAIN_S + GAP_S
LOOKS = 6
SERVER = "code-server-1"
Key = tuple[str, str, str]
"""Device, key, source."""

MEMORY: Key = ("cgroup", "anon_bytes", SERVER)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """The truth of one. `read`: a value by series, all through its hold; `runs` in seconds from its
    start, see `run`; `events` likewise.
    """

    kind: StepKind = "load"
    server: int = 0
    outcome: StepOutcome = "completed"
    held: bool = True
    restarts: int = 0
    read: Mapping[Key, float] = field(default_factory=dict)
    peaks: Mapping[Key, float] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    events: Sequence[Event] = ()


def run(
    sent_s: float, ended_s: float | None = None, status: RunStatus = "SUCCESS", **more: Any
) -> Run:
    """A run by seconds from the start of its segment; it starts a second after it is sent."""
    fields: dict[str, Any] = {"started_s": None if status == "REJECTED" else sent_s + 1, **more}
    return Run(
        step=0, user=0, run_id="r", intended_s=sent_s, sent_s=sent_s, ended_s=ended_s,
        status=status, **fields,
    )  # fmt: skip


def struck(at_s: float, kind: str) -> Event:
    """It was broken, so many seconds into the segment."""
    return Event(at_s=at_s, kind="fault", source=kind, detail={"container": "c"})


def mended(at_s: float, kind: str) -> Event:
    """It was taken back."""
    return Event(at_s=at_s, kind="fault_mended", source=kind)


def begin_s(number: int) -> float:
    """When the segment of that number, from 1, begins."""
    return START_S + (number - 1) * PERIOD_S


def hold_s(number: int) -> float:
    """When its hold begins."""
    return begin_s(number) + RAMP_S


def soak_of(segments: Sequence[Segment], *, probes: Iterable[float] = (), **cell: Any) -> CellFacts:
    """A cell of 4 runs in flight that went through these segments.

    Args:
        segments: in order.
        probes: answered health probes of the first replica, in epoch seconds.
        cell: changes to the cell.
    """
    samples = [_sample(("probe", "probe_s", SERVER), at_s, 0.01) for at_s in probes]
    steps, runs, events = [_warmup()], [], []
    for number, segment in enumerate(segments, start=1):
        steps.append(_step(number, segment))
        samples += _readings(number, segment)
        runs += [_moved(each, number) for each in segment.runs]
        start_s = begin_s(number)
        events += [replace(each, at_s=start_s + each.at_s) for each in segment.events]
    return CellFacts(
        cell=make_cell(**cell), steps=steps, runs=runs, samples=SamplesTable.of(samples),
        events=events,
    )  # fmt: skip


def rising(key: Key, values: Iterable[float], **more: Any) -> list[Segment]:
    """A segment a value."""
    return [Segment(read={key: value}, **more) for value in values]


def _warmup() -> Step:
    return Step(
        index=0, kind="warmup", concurrency=1, repetition=1, reason="warm-up",
        phases=(Phase(name="hold", start_s=START_S - 60, end_s=START_S - 30),), outcome="completed",
    )  # fmt: skip


def _step(number: int, segment: Segment) -> Step:
    at_s = begin_s(number)
    phases = [Phase(name="ramp", start_s=at_s, end_s=at_s + RAMP_S)]
    if segment.held:
        hold_end_s = at_s + RAMP_S + HOLD_S
        phases += [
            Phase(name="hold", start_s=at_s + RAMP_S, end_s=hold_end_s),
            Phase(name="drain", start_s=hold_end_s, end_s=hold_end_s + DRAIN_S),
        ]
    return Step(
        index=number, kind=segment.kind, concurrency=4, repetition=number, reason="segment",
        phases=tuple(phases), outcome=segment.outcome, server=segment.server,
        restarts=segment.restarts,
    )  # fmt: skip


def _readings(number: int, segment: Segment) -> list[Sample]:
    start_s = hold_s(number)
    times = [start_s + HOLD_S * look / LOOKS for look in range(LOOKS)]
    made = [_sample(key, at_s, value) for key, value in segment.read.items() for at_s in times]
    peaks = [_sample(key, start_s + HOLD_S / 3 + 1, top) for key, top in segment.peaks.items()]
    return made + peaks


def _sample(key: Key, at_s: float, value: float) -> Sample:
    device, name, source = key
    return Sample(device=device, source=source, key=name, due_s=at_s, taken_s=at_s, value=value)


def _moved(each: Run, number: int) -> Run:
    stamps = {
        name: getattr(each, name) + begin_s(number)
        for name in ("intended_s", "sent_s", "started_s", "ended_s")
        if getattr(each, name) is not None
    }
    return replace(each, step=number, run_id=f"{number}-{each.sent_s}", **stamps)
