"""The phase clock of a run and the family of its failure, from Dagster's own event log.

A launch has six phases stamped by up to three processes on one host's clock: enqueued, dequeued
(`PIPELINE_STARTING`), run process started, run started (user code is imported by then), first
step started, ended. Read from the `event_logs` table of Postgres; columns and texts checked
against Dagster 1.13.27.

Failure families (`error_class`):
    oom_sigkill         a run's or step's process got signal 9, mostly from the OOM killer
    start_deadline      `StartRun` (or another call of the launch) took longer than its deadline
    server_unreachable  nobody listened at the code server's address
    dequeue_error       the daemon gave the run up while taking it from the queue
    start_timeout       run monitoring found that the run took too long to start
    user_error          a step raised
    unknown             none of these
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.facts.model import Run, RunStatus
from harness.masking import masked

CONNECT_TIMEOUT_S = 10
WORK_CPU_LABEL = "work_cpu_s"

_ENDS: Mapping[str, RunStatus] = {
    "PIPELINE_SUCCESS": "SUCCESS",
    "PIPELINE_FAILURE": "FAILURE",
    "PIPELINE_CANCELED": "CANCELED",
}
_STAMPS: Mapping[str, str] = {
    "PIPELINE_ENQUEUED": "enqueued_s",
    "PIPELINE_STARTING": "dequeued_s",
    "PIPELINE_START": "started_s",
    "STEP_START": "first_step_s",
}
_EVENT_TYPES = [*_STAMPS, *_ENDS, "ENGINE_EVENT", "STEP_OUTPUT", "STEP_FAILURE"]
_OUTSIDE = frozenset({"ENGINE_EVENT", "PIPELINE_FAILURE"})
_Error = Mapping[str, Any] | None
OnOurClock = Callable[[float], float]
"""Moves an epoch second of the server's host onto our clock."""

_PROCESS_STARTED = "Started process for run"

# Searched in this order: a dequeue error often quotes the unreachable server that caused it.
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("oom_sigkill", r"terminated by signal 9\b"),
    ("dequeue_error", r"unrecoverable error while dequeuing"),
    ("start_timeout", r"taking longer than \S+ seconds to start"),
    ("start_deadline", r"request timed out due to taking longer than|DEADLINE_EXCEEDED"),
    ("server_unreachable", r"Could not reach user code server|\bUNAVAILABLE\b"),
    ("start_deadline", r"Unexpected error in IPC client"),
    ("dequeue_error", r"Run dequeue failed to reach"),
)

_QUERY = """
SELECT run_id, dagster_event_type, extract(epoch FROM timestamp)::float8, event
FROM event_logs
WHERE run_id = ANY(%s) AND dagster_event_type = ANY(%s)
ORDER BY id
"""


class EventRow(NamedTuple):
    """One row of `event_logs`; `at_s` in epoch seconds, `event` the stored JSON text."""

    run_id: str
    kind: str
    at_s: float
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPhases:
    """What the event log knows of one run; `status` is `None` while it has not ended."""

    enqueued_s: float | None = None
    dequeued_s: float | None = None
    process_started_s: float | None = None
    started_s: float | None = None
    first_step_s: float | None = None
    ended_s: float | None = None
    status: RunStatus | None = None
    work_cpu_s: float | None = None
    error_class: str | None = None
    error: str | None = None


def read_phases(
    dsn: str, run_ids: Sequence[str], *, here: OnOurClock | None = None
) -> dict[str, RunPhases]:
    """Phases by run id, in one query; runs without any event are missing.

    Args:
        dsn: a libpq address; an SQLAlchemy driver in its scheme is dropped.
        run_ids: any number.
        here: moves the log's stamps onto our clock; left out, they are on it.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    if not run_ids:
        return {}
    import psycopg

    address = re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", dsn)
    with psycopg.connect(address, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        rows = connection.execute(_QUERY, (list(run_ids), _EVENT_TYPES)).fetchall()
    events = (EventRow(*row) for row in rows)
    return phases_from_rows(
        event if here is None else event._replace(at_s=here(event.at_s)) for event in events
    )


def on_our_clock(
    runs: Iterable[Run], here: OnOurClock, *, ends_seen: Collection[str] = ()
) -> tuple[Run, ...]:
    """The runs with what the webserver told of them, their start and their end, moved.

    Of a run it did not see end the generator stamped everything itself, and of `ends_seen` (ids)
    the end.
    """
    return tuple(
        _moved(run, here, ours=run.run_id in ends_seen) if run.status in _ENDS.values() else run
        for run in runs
    )


def _moved(run: Run, here: OnOurClock, *, ours: bool) -> Run:
    started_s = None if run.started_s is None else here(run.started_s)
    ended_s = run.ended_s if ours or run.ended_s is None else here(run.ended_s)
    return dataclasses.replace(run, started_s=started_s, ended_s=ended_s)


def phases_from_rows(rows: Iterable[EventRow]) -> dict[str, RunPhases]:
    """Phases by run id from rows in the order they were stored."""
    by_run: dict[str, list[EventRow]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, []).append(row)
    return {run_id: _phases(events) for run_id, events in by_run.items()}


def merge_phases(runs: Iterable[Run], phases: Mapping[str, RunPhases]) -> tuple[Run, ...]:
    """The runs with the event log's word over what the load generator saw.

    Stamps of the log replace the generator's, and a run the log never saw start has no
    `started_s`. Only an end found in the log changes a status: a `LOST` run stays lost.
    """
    return tuple(_merged(run, phases.get(run.run_id or "")) for run in runs)


def failure_class(text: str) -> str:
    """The family of an infrastructure failure told by `text`, else `unknown`."""
    return _family(text)[0]


def _family(text: str) -> tuple[str, str]:
    """The family and the line that tells it."""
    for name, words in _FAMILIES:
        for line in text.splitlines():
            if re.search(words, line):
                return name, line.strip()
    return "unknown", ""


def _merged(run: Run, seen: RunPhases | None) -> Run:
    if seen is None:
        return run
    known = {field.name: getattr(seen, field.name) for field in dataclasses.fields(seen)}
    if seen.status is None:
        for name in ("ended_s", "status", "error_class", "error"):
            del known[name]
    return dataclasses.replace(run, **known)


def _phases(events: Sequence[EventRow]) -> RunPhases:
    """Only what came before the first end counts: a late child still writes afterwards."""
    known: dict[str, Any] = {}
    told: list[tuple[str, Mapping[str, Any]]] = []
    work_cpu_s: list[float] = []
    for row in events:
        if row.kind in _STAMPS:
            known.setdefault(_STAMPS[row.kind], row.at_s)
            continue
        event = _dagster_event(row.event)
        told.append((row.kind, event))
        if row.kind == "STEP_OUTPUT":
            work_cpu_s += _work_cpu_s(event)
        elif row.kind == "ENGINE_EVENT" and _message(event).startswith(_PROCESS_STARTED):
            known.setdefault("process_started_s", row.at_s)
        elif row.kind in _ENDS:
            known.update(ended_s=row.at_s, status=_ENDS[row.kind])
            break
    if known.get("status") == "FAILURE":
        known["error_class"], error = _failure(told)
        known["error"] = masked(error)
    return RunPhases(work_cpu_s=sum(work_cpu_s) if work_cpu_s else None, **known)


def _failure(told: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Family and first line. What a step raised is never searched for our families."""
    outside = [_told_text(kind, event) for kind, event in told if kind in _OUTSIDE]
    family, line = _family("\n".join(outside))
    if line:
        return family, line
    raised = [_root_line(_error(event)) for kind, event in told if kind == "STEP_FAILURE"]
    if raised:
        return "user_error", raised[0]
    lines = [_root_line(_error(event)) for kind, event in told if kind in _OUTSIDE]
    said = [line for line in lines if line] or [_first_line(text) for text in reversed(outside)]
    return "unknown", next((line for line in said if line), "")


def _told_text(kind: str, event: Mapping[str, Any]) -> str:
    """An engine event with its errors; of a run's failure, which quotes steps, the message."""
    lines = [_message(event)]
    if kind == "ENGINE_EVENT":
        lines += [str(error.get("message") or "") for error in _chain(_error(event))]
    return "\n".join(line for line in lines if line)


def _dagster_event(text: str) -> Mapping[str, Any]:
    try:
        stored = json.loads(text)
    except ValueError:
        return {}
    event = stored.get("dagster_event") if isinstance(stored, Mapping) else None
    return event if isinstance(event, Mapping) else {}


def _message(event: Mapping[str, Any]) -> str:
    return str(event.get("message") or "")


def _data(event: Mapping[str, Any]) -> Mapping[str, Any]:
    data = event.get("event_specific_data")
    return data if isinstance(data, Mapping) else {}


def _error(event: Mapping[str, Any]) -> _Error:
    return _data(event).get("error")


def _chain(error: _Error) -> Iterator[Mapping[str, Any]]:
    while error:
        yield error
        error = error.get("cause")


def _root_line(error: _Error) -> str:
    """First line of the innermost cause: what the user's code raised, not Dagster's wrapping."""
    lines = [_first_line(str(link.get("message") or "")) for link in _chain(error)]
    return next((line for line in reversed(lines) if line), "")


def _work_cpu_s(event: Mapping[str, Any]) -> list[float]:
    entries = _data(event).get("metadata_entries") or ()
    found = [e.get("entry_data") or {} for e in entries if e.get("label") == WORK_CPU_LABEL]
    values = [entry.get("value") for entry in found]
    return [float(value) for value in values if isinstance(value, int | float)]


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
