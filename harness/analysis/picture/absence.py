"""Why a chart is empty, in a sentence; and what a cell as a whole should have and does not."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.measures.windows import CellRecord, hold_of
from harness.facts.model import Event, Step, broke_off

QUEUES = (
    ("run_queue", "queued", "run queue"),
    ("pool", "pool_queue", "pool queue"),
    ("ping", "ping_queued", "answer of Dagster's own Ping"),
)
"""Device, key and name of each line in the chart of queues."""


def why_nothing(record: CellRecord, what: str, *devices: str) -> str:
    """Why none of these devices has left anything to draw.

    Args:
        what: one of the things they would have read, in words.
    """
    on = [name for name in devices if name in record.cell.devices]
    if not record.steps:
        return _before_any_step(record)
    if record.cell.target == "external" and (why := record.cell.unavailable(devices[0])):
        return f"No {what} was read: {why}."
    if not on:
        return f"{_named(devices)} switched off for this campaign."
    said = [reason for name in on if (reason := _of_device(record, name))]
    if said:
        return said[0]
    if "cgroup" in on and not record.cell.limits_enforced:
        return f"No {what} was read: no limits were enforced here, so there is no cgroup to ask."
    return f"No {what} was read, although {_named(tuple(on)).lower()} on."


def missing_of(record: CellRecord) -> tuple[str, ...]:
    """What the cell should have and does not, the gravest first."""
    return tuple(_missing(record))


def _missing(record: CellRecord) -> Iterator[str]:
    cell, steps = record.cell, record.steps
    if not cell.sealed:
        yield "The cell was not finished: its record ends where the harness was stopped."
    if not steps:
        yield f"No step was measured{_because(record)}."
        return
    if broke_off(cell.ended):
        yield f"The cell ended before its search did{_because(record)}."
    for step in steps:
        if step.kind != "warmup" and hold_of(step) is None:
            yield f"{_step(step)} never held its load{_detail(step)}: no window of it was judged."
    if not record.runs:
        yield "No run was offered."
    if not cell.limits_enforced and cell.target == "external":
        yield "No limit of this deployment's servers is known, so none is drawn."
    elif not cell.limits_enforced:
        yield "No limit was enforced, so none is drawn."
    yield from _of_queues(record)
    yield from _of_steps(record)


def _of_queues(record: CellRecord) -> Iterator[str]:
    """Which line a chart of queues lacks; where it lacks all, the chart itself says why."""
    sources = record.samples.sources
    absent = [each for each in QUEUES if not sources(each[0], each[1])]
    for device, _, what in absent if len(absent) < len(QUEUES) else ():
        if device == "ping" and sources("ping", "ping_s"):
            yield "Dagster's own Ping told no queue: this version does not report it."
        else:
            yield why_nothing(record, what, device)


def _of_steps(record: CellRecord) -> Iterator[str]:
    known = record.samples.sources("processes", "runs_rss_bytes")
    apart = record.samples.sources("processes", "steps_rss_bytes")
    if record.cell.executor != "in_process" and known and not apart:
        yield "The memory of steps is drawn with that of their runs: they were not told apart."


def _of_device(record: CellRecord, device: str) -> str:
    """Why a device read nothing, by the cell's record or its events; empty when they are silent."""
    known = record.cell.detail.get("unavailable")
    if isinstance(known, dict) and device in known:
        return str(known[device])
    for event in record.events:
        if event.source == device and event.kind == "device_not_offered":
            return f"The device {device} cannot look at the target {record.cell.target} here."
        if event.source == device and event.kind == "device_error":
            return f"The device {device} failed ({_error(event)})."
    return ""


def _before_any_step(record: CellRecord) -> str:
    if not record.cell.sealed and not record.cell.ended:
        return "Nothing is recorded: the harness was stopped before the first step was done."
    return f"Nothing was read: the cell ended before its first step{_because(record)}."


def _named(devices: tuple[str, ...]) -> str:
    names = " and ".join(devices)
    return f"The device {names} was" if len(devices) == 1 else f"The devices {names} were"


def _because(record: CellRecord) -> str:
    return f" ({record.cell.ended.rstrip('.')})" if record.cell.ended else ""


def _step(step: Step) -> str:
    return f"Step {step.index} ({step.kind}, concurrency {step.concurrency})"


def _detail(step: Step) -> str:
    return f" ({step.outcome_detail})" if step.outcome_detail else ""


def _error(event: Event) -> str:
    return str(event.detail.get("error", "it did not say why"))
