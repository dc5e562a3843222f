"""Words and formats of the page that no other report needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import CellFinding, StepFinding
from harness.analysis.model.cell_model import Figure
from harness.report import phrases
from harness.report.html.definitions import definitions
from harness.units import show_bytes, show_span

DASH = "–"
SECTIONS = (
    ("curve", "Holds and binds"),
    ("steps", "Steps"),
    ("time", "Over time"),
    ("runs", "Launches and runs"),
    ("settings", "Settings"),
    ("model", "Predicted"),
    ("journal", "Journal"),
)
"""The parts of a cell's section: end of the id, and title in the navigation."""

HOST_NAMES = (
    ("cpu_model", "CPU"),
    ("cpus", "CPUs"),
    ("cpus_usable", "CPUs usable"),
    ("memory_bytes", "memory"),
    ("memory_available_bytes", "memory available"),
    ("swap_bytes", "swap"),
    ("load1", "load before"),
    ("system", "system"),
    ("kernel", "kernel"),
    ("machine", "architecture"),
    ("cgroup", "cgroup"),
    ("docker", "Docker"),
)
"""What `environment.json` says of the machine, in the order it is shown."""

OK_WORDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("pass", "held"),
    False: ("fail", "broken"),
    None: ("inconclusive", "undecided"),
}
TRIAL_WORDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("pass", "held"),
    False: ("fail", "did not hold"),
    None: ("inconclusive", "not shown"),
}
SAFE_WORDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("pass", "safe"),
    False: ("fail", "not safe"),
    None: ("inconclusive", "not known"),
}


def moment(started_utc: str | None) -> str:
    """`2026-11-25T14:53:07+00:00` as `2026-11-25 14:53 UTC`, to the minute."""
    return "" if started_utc is None else f"{started_utc[:16].replace('T', ' ')} UTC"


def capacity_figure(capacity: Capacity) -> str:
    """The number people came for: `4`, `≥ 10`, `< 1`, with a question mark where less sure."""
    doubt = "" if capacity.confirmed else "?"
    if capacity.status == "bracketed":
        return f"{capacity.concurrency}{doubt}"
    if capacity.status == "above_max":
        return f"≥ {capacity.concurrency}{doubt}"
    if capacity.status == "below_min":
        return f"< {capacity.first_failing}{doubt}"
    return "none"


def interval(capacity: Capacity) -> str:
    """`80 %: 4 to 5`."""
    if capacity.low is None:
        return DASH
    return f"{phrases.confidence_phrase(capacity)}: {ends(capacity)}"


def ends(capacity: Capacity) -> str:
    """The interval alone: `4 to 5`, `3`, `10 or more`."""
    return "not known" if capacity.low is None else show_span(capacity.low, capacity.high)


def knee(cell: CellFinding) -> str:
    """Where the response begins to bend, or why that is not known."""
    known = cell.knee.runs is not None and cell.knee.status == "bracketed"
    if known:
        return phrases.knee_phrase(cell).removeprefix("knee ")
    return f"{cell.knee.status.replace('_', ' ')}: {cell.knee.reason}"


def what_broke(cell: CellFinding) -> str:
    """The objective that ended it, by its name in words: `launch time p95 17 s, limit 10 s`."""
    name = cell.capacity.broken_slo
    if name is None:
        return ""
    broken = phrases.broken_phrase(cell)
    return broken.replace(name, objective(name), 1)


def objective(name: str) -> str:
    """An objective's name in words; one this version does not know as it is."""
    known = definitions().get(name)
    return name if known is None else known.name


def step_summary(step: StepFinding) -> str:
    """Why a step has its verdict, on one line; empty where there is nothing to say."""
    if step.verdict == "fail":
        told = [
            phrases.slo_phrase(name, step.slo[name]).replace(name, objective(name), 1)
            for name in step.broken
            if name in step.slo
        ]
        return "; ".join(told)
    if step.verdict == "inconclusive":
        names = [objective(name) for name, slo in step.slo.items() if slo.ok is None]
        return f"undecided: {', '.join(names)}" if names else "did not settle"
    return step.outcome_detail


def step_name(step: StepFinding) -> str:
    """`7 runs`, `7 runs, no. 2`, `1 run alone`."""
    again = f", no. {step.repetition}" if step.repetition > 1 else ""
    alone = " alone" if step.kind == "unloaded" else ""
    return f"{phrases.count_of(step.concurrency, 'run')}{alone}{again}"


def figure(value: Figure | None, spec: str = ".2f", unit: str = "") -> str:
    """A value of the model with its interval: `2.63 (2.38 to 2.87) s`."""
    if value is None:
        return DASH
    return ranged(value.value, (value.low, value.high), spec, unit)


def ranged(
    value: float | None,
    ends: tuple[float | None, float | None] | None,
    spec: str = ".2f",
    unit: str = "",
) -> str:
    """A value with its interval where that is known."""
    if value is None:
        return DASH
    text = f"{value:{spec}}"
    if ends is not None and ends[0] is not None and ends[1] is not None:
        text += f" ({ends[0]:{spec}} to {ends[1]:{spec}})"
    return f"{text} {unit}".rstrip()


def host_value(key: str, value: Any) -> str:
    """A value of the machine as people read it."""
    if key.endswith("_bytes") and isinstance(value, int | float):
        return show_bytes(value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def number(value: Any, spec: str = "") -> str:
    """A plain value, or a dash where it is not known."""
    return DASH if value is None else phrases.plain(value, spec)


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it, or a dash."""
    return DASH if value is None else phrases.seconds(value)


def marked(value: float | None, *, enough: bool) -> str:
    """A percentile, with a star where it rests on too few values; a dash without one."""
    return DASH if value is None else phrases.marked(value, enough=enough)


def percent(value: float | None) -> str:
    """A ratio in percent, or a dash."""
    return DASH if value is None else phrases.percent(value)


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "number": number,
    "seconds": seconds,
    "percent": percent,
}
