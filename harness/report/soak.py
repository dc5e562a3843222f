"""What a soak showed, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.analysis.soaking.types import FaultOutcome, Growth, PerHour, Reach, Soak, Storage
from harness.units import show_seconds

STYLES: Mapping[str, str] = {
    "steady": "bold green",
    "does not last": "bold red",
    "cannot tell": "bold yellow",
}

HEALTHY: Mapping[bool | None, str] = {
    True: "healthy again", False: "not healthy again", None: "whether healthy again is not known",
}  # fmt: skip


def soak_lines(soak: Soak) -> Iterator[str]:
    """The answer, then what it rests on; each line without markup."""
    yield f"{soak.answer}: {_load(soak)}"
    for why in soak.why:
        yield f"  {why}"
    if soak.growth:
        yield f"Growth ({_of(soak.used, 'segment')} of one server, 95 % interval)"
    yield from (f"  {_growth(each)}" for each in soak.growth if each.course != "not known")
    unknown = [f"{each.what} of {each.of}" for each in soak.growth if each.course == "not known"]
    if unknown:
        yield f"  not known, too few segments: {', '.join(unknown)}"
    if soak.storage is not None:
        yield f"Storage: {_storage(soak.storage)}"
    if soak.faults:
        yield "Faults"
    for fault in soak.faults:
        yield from _fault(fault)


def _load(soak: Soak) -> str:
    runs = sum(soak.runs.values())
    good = soak.runs.get("SUCCESS", 0)
    hours = show_seconds(soak.hours * 3600)
    segments = _of(soak.segments - len(soak.faults), "segment")
    ended = f"{good:,} of {_of(runs, 'run')} succeeded" if runs else "no runs"
    return (
        f"{_of(soak.concurrency, 'run')} in flight for {hours}; {ended} in {segments} without a "
        "fault"
    )


def _growth(growth: Growth) -> str:
    name = f"{growth.what} of {growth.of}: "
    unit = f" {growth.unit}" if growth.unit else ""
    slope = "" if growth.per_hour is None else f", {_per_hour(growth.per_hour, unit)}"
    now = "" if growth.last is None else f"{_number(growth.last)}{unit}"
    reach = f"; {_reach(growth.reach, unit)}" if growth.reach else ""
    return f"{name}{growth.course} at {now}{slope}{reach}"


def _per_hour(slope: PerHour, unit: str) -> str:
    ends = f"{_signed(slope.low)} to {_signed(slope.high)}"
    return f"{_signed(slope.value)}{unit} an hour ({ends})"


def _reach(reach: Reach, unit: str) -> str:
    limit = f"the limit of {reach.limit:,.0f}{unit}"
    if reach.hours is not None:
        latest = "never" if reach.latest is None else f"{_hours(reach.latest)}"
        earliest = "" if reach.earliest is None else f"{_hours(reach.earliest)} to "
        return f"reaches {limit} in {_hours(reach.hours)} ({earliest}{latest})"
    if reach.earliest is not None:
        return f"{limit} not before {_hours(reach.earliest)}"
    return f"{limit} is not neared"


def _storage(storage: Storage) -> str:
    parts = [f"{_of(storage.runs, 'run')} in {show_seconds(storage.hours * 3600)}"]
    if storage.event_rows_per_run is not None:
        parts.append(f"{storage.event_rows_per_run:.1f} event rows a run")
    if storage.bytes_per_run is not None:
        parts.append(f"{storage.bytes_per_run / 1024:.1f} KiB a run")
    if storage.database_mib_per_hour is not None and storage.mib_per_30_days is not None:
        parts.append(
            f"{_number(storage.database_mib_per_hour)} MiB an hour, "
            f"{_size(storage.mib_per_30_days)} in 30 days at this pace"
        )
    return "; ".join(parts)


def _fault(fault: FaultOutcome) -> Iterator[str]:
    if not fault.struck:
        kind = fault.kind or "what was to be broken"
        yield f"  {kind}, segment {fault.segment}: did not strike ({_one_line(fault.why)})"
        return
    lasted = f" for {show_seconds(fault.lasted_s or 0)}" if _lasts(fault) else ""
    yield f"  {fault.kind}{lasted}, segment {fault.segment}: {fault.meaning}"
    refused = _of(fault.refused, "launch", "launches")
    yield (
        f"    of {_of(fault.in_flight, 'run')} in flight {fault.ended} ended well, {fault.failed} "
        f"failed, {fault.lost} lost; {refused} refused; of later runs {fault.failed_later} failed"
    )
    yield f"    {HEALTHY[fault.recovered]}: {_recovery(fault)}"
    for text, count in fault.errors:
        yield f"    {count} × {_one_line(text)}"


def _recovery(fault: FaultOutcome) -> str:
    since = "after it was taken back" if _lasts(fault) else "after it"
    answering = fault.answering_s
    launching = fault.launching_s
    probe = (
        "no health probe was answered"
        if answering is None
        else (f"health probes answered {show_seconds(max(0.0, answering))}")
    )
    none = "no run was sent" if fault.recovered is None else "no run started"
    run = none if launching is None else f"a new run started {show_seconds(launching)}"
    died = "; the server was replaced" if fault.server_died else ""
    return f"{probe}, {run} {since}{died}"


def _lasts(fault: FaultOutcome) -> bool:
    return fault.lasted_s is not None and fault.lasted_s >= 1


def _one_line(text: str) -> str:
    return " ".join(text.split())[:140]


def _of(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _size(size_mib: float) -> str:
    return f"{size_mib / 1024:,.1f} GiB" if abs(size_mib) >= 1024 else f"{round(size_mib):,} MiB"


def _hours(hours: float) -> str:
    if hours >= 96:
        return f"{hours / 24:,.0f} days"
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h"


def _signed(value: float) -> str:
    """Three digits, never as a power of ten."""
    shown = _number(value)
    return shown if value < 0 or shown == "0" else f"+{shown}"


def _number(value: float) -> str:
    if abs(value) < 0.001:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
