"""What happened, as marks in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.measures.windows import CellRecord
from harness.analysis.picture.canvas import Canvas
from harness.analysis.picture.series import moments_of
from harness.analysis.picture.types import Mark
from harness.facts.model import Event, Step
from harness.units import show_seconds

SILENT = ("stack", "load_worker")
"""Said so often that marks would hide the chart; they are evidence of another kind."""

MOST_OF_A_KIND = 50
PING_DEADLINE_S, PROBE_DEADLINE_S = 60.0, 5.0

Words = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Marks by time, and sentences about those left out."""

    marks: tuple[Mark, ...]
    left_out: tuple[str, ...]


def marks_of(record: CellRecord, canvas: Canvas) -> Marks:
    """Events, steps that broke off, and questions to the server that got no answer."""
    found = sorted(
        [*_events(record.events, canvas), *_aborted(record.steps, canvas), *_unanswered(canvas)],
        key=lambda mark: mark.at_s,
    )
    seen: Counter[str] = Counter()
    kept = []
    for mark in found:
        seen[mark.kind] += 1
        if seen[mark.kind] <= MOST_OF_A_KIND or mark.kind in GRAVE:
            kept.append(mark)
    left_out = tuple(
        f"Of {count} marks of the kind {kind} the first {MOST_OF_A_KIND} are drawn."
        for kind, count in seen.items()
        if count > MOST_OF_A_KIND and kind not in GRAVE
    )
    return Marks(marks=tuple(kept), left_out=left_out)


def _events(events: Sequence[Event], canvas: Canvas) -> Iterator[Mark]:
    for event in events:
        if event.kind not in SILENT:
            words = WORDS.get(event.kind, _as_it_stands)
            waited_s = _number(event.detail.get("until_serving_s")) or 0.0
            yield Mark(
                at_s=_moment(canvas, event.at_s + waited_s),
                kind=event.kind,
                source=event.source,
                text=words(event.detail) or event.kind.replace("_", " "),
            )


def _aborted(steps: Sequence[Step], canvas: Canvas) -> Iterator[Mark]:
    for step in steps:
        if step.outcome == "aborted" and step.phases:
            why = f": {step.outcome_detail}" if step.outcome_detail else ""
            yield Mark(
                at_s=_moment(canvas, step.phases[-1].end_s),
                kind="step_aborted",
                source="harness",
                text=f"Step {step.index} at concurrency {step.concurrency} broke off{why}",
            )


def _unanswered(canvas: Canvas) -> Iterator[Mark]:
    """Pings without an answer, one by one; lost probes, a row of them as one."""
    for source in canvas.samples.sources("ping", "ping_failed"):
        for at_s in moments_of(canvas, "ping", "ping_failed", source=source).tolist():
            text = f"Dagster's own Ping got no answer in {show_seconds(PING_DEADLINE_S)}"
            yield Mark(at_s=_moment(canvas, at_s), kind="ping_failed", source=source, text=text)
    for source in canvas.samples.sources("probe", "probe_lost"):
        times, lost = canvas.samples.series("probe", "probe_lost", source=source)
        begins = np.flatnonzero(np.diff((lost > 0).astype(np.int8), prepend=0, append=0))
        for first, after in begins.reshape(-1, 2).tolist():
            count = "A probe" if after - first == 1 else f"{after - first} probes in a row"
            text = f"{count} got no answer in {show_seconds(PROBE_DEADLINE_S)}"
            at_s = _moment(canvas, times[first])
            yield Mark(at_s=at_s, kind="probe_lost", source=source, text=text)


def _moment(canvas: Canvas, at_s: float) -> float:
    """Not before the picture begins: telemetry says who is absent just before it first looks."""
    return max(0.0, canvas.seconds(np.array([at_s]))[0])


def _oom_kill(detail: Mapping[str, Any]) -> str:
    count = _number(detail.get("count")) or 1
    many = "a process" if count == 1 else f"{count:.0f} processes"
    return f"OOM: the kernel killed {many} for memory"


def _server_died(detail: Mapping[str, Any]) -> str:
    why = "for want of memory (OOM), " if detail.get("oom") else "with "
    return f"The server died {why}{_exit(detail)}"


def _fresh_server(detail: Mapping[str, Any]) -> str:
    waited_s = _number(detail.get("until_serving_s"))
    after = f" after {show_seconds(waited_s)}" if waited_s is not None else ""
    why = f" (because {detail['why']})" if detail.get("why") else ""
    return f"A fresh server serves{after}{why}"


def _resumed(detail: Mapping[str, Any]) -> str:
    kept = _number(detail.get("kept_steps")) or 0
    steps = "1 step" if kept == 1 else f"{kept:.0f} steps"
    return f"It was broken off after {steps}; a fresh server goes on"


def _end(detail: Mapping[str, Any]) -> str:
    return f"The cell ended: {detail.get('reason', 'it was not said why')}"


def _device_error(detail: Mapping[str, Any]) -> str:
    return f"The device could not read: {detail.get('error', 'it did not say why')}"


def _probe_error(detail: Mapping[str, Any]) -> str:
    return f"The probe inside the server failed: {detail.get('error', 'it did not say why')}"


def _fallback(detail: Mapping[str, Any]) -> str:
    return f"The device {detail.get('device', '')} reads {detail.get('instead', 'otherwise')}"


def _die(detail: Mapping[str, Any]) -> str:
    return f"The container ended, {_exit(detail)}"


def _kill(detail: Mapping[str, Any]) -> str:
    return f"The container was sent signal {detail.get('signal', 'not known')}"


def _health(detail: Mapping[str, Any]) -> str:
    return f"The container's health: {detail.get('status', 'not known')}"


def _as_it_stands(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in detail.items())


WORDS: Mapping[str, Words] = {
    "oom_kill": _oom_kill,
    "server_died": _server_died,
    "fresh_server": _fresh_server,
    "resumed": _resumed,
    "end": _end,
    "device_error": _device_error,
    "device_not_offered": lambda _: "The device cannot look at this target",
    "probe_error": _probe_error,
    "fallback": _fallback,
    "oom": lambda _: "The engine saw an OOM kill in the container",
    "die": _die,
    "kill": _kill,
    "restart": lambda _: "The container was restarted",
    "health_status": _health,
}
"""How each kind in `events.jsonl` is said. The others are said as they stand."""

GRAVE = ("oom_kill", "server_died", "fresh_server", "resumed", "step_aborted")
"""Never left out, however many."""


def _exit(detail: Mapping[str, Any]) -> str:
    """A shell adds 128 to the signal that ended a process; a child's own code is its negative."""
    code = detail.get("exit_code")
    if not isinstance(code, int):
        return "exit code not known"
    signal = -code if code < 0 else code - 128
    return f"exit code {code}" + (f" (signal {signal})" if 0 < signal < 65 else "")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
