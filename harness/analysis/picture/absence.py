"""Why a chart is empty, in a sentence; and what a cell as a whole should have and does not."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.measures.windows import CellRecord, hold_of
from harness.facts.model import Event, Step


def why_nothing(record: CellRecord, *devices: str) -> str:
    """Why none of these devices has left a reading to draw."""
    off = [name for name in devices if name not in record.cell.devices]
    if len(off) == len(devices):
        return f"{_named(devices)} switched off for this campaign."
    reasons = (_of_device(record, name) for name in devices if name not in off)
    return next((reason for reason in reasons if reason), _of_cell(record, devices))


def missing_of(record: CellRecord) -> tuple[str, ...]:
    """What the cell should have and does not, the gravest first."""
    return tuple(_missing(record))


def _missing(record: CellRecord) -> Iterator[str]:
    cell, steps = record.cell, record.steps
    if not cell.sealed:
        yield "The cell was not finished: its record ends where the harness was stopped."
    if _broke_off(record) and steps:
        yield f"The cell ended before its search did ({cell.ended})."
    if not steps:
        yield f"No step was measured{_because(record)}."
    for step in steps:
        if step.kind != "warmup" and hold_of(step) is None:
            yield f"{_step(step)} never held its load{_detail(step)}: nothing of it was judged."
    if steps and not record.runs:
        yield "No run was offered."
    if steps and not cell.limits_enforced:
        yield "No limit was enforced, so none is drawn: memory and CPU are those of this machine."


def _of_device(record: CellRecord, device: str) -> str:
    """What the events say about a device that read nothing; empty when they are silent."""
    for event in record.events:
        if event.source == device and event.kind == "device_not_offered":
            return f"The device {device} cannot look at the target {record.cell.target} here."
        if event.source == device and event.kind == "device_error":
            return f"The device {device} failed ({_error(event)})."
    return ""


def _of_cell(record: CellRecord, devices: tuple[str, ...]) -> str:
    if not record.steps:
        return f"Nothing was read: the cell ended before its first step{_because(record)}."
    if devices == ("cgroup",) and not record.cell.limits_enforced:
        return "Nothing was read: without enforced limits the server has no cgroup of its own."
    return f"{_named(devices)} on, but left no reading."


def _named(devices: tuple[str, ...]) -> str:
    names = " and ".join(devices)
    return f"The device {names} was" if len(devices) == 1 else f"The devices {names} were"


def _broke_off(record: CellRecord) -> bool:
    return record.cell.ended.startswith(("failed", "interrupted"))


def _because(record: CellRecord) -> str:
    if record.cell.ended:
        return f" ({record.cell.ended.rstrip('.')})"
    return "" if record.cell.sealed else " (it is not finished)"


def _step(step: Step) -> str:
    return f"Step {step.index} ({step.kind}, concurrency {step.concurrency})"


def _detail(step: Step) -> str:
    return f" ({step.outcome_detail})" if step.outcome_detail else ""


def _error(event: Event) -> str:
    return str(event.detail.get("error", "it did not say why"))
