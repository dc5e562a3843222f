"""Nights whose figures are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analysis.history.alarm import alarms_of
from harness.analysis.history.types import Alarm, Entry, Figure

DAY_S = 86_400.0
IO, CPU = "io on 1 vCPU / 2 GiB", "cpu on 1 vCPU / 2 GiB"
ROUNDS = 4


def figure(value: float, **changes: Any) -> Figure:
    """A ratio of launch CPU whose cells scatter by 4 %, from four rounds of two versions."""
    fields: dict[str, Any] = {
        "kind": IO, "key": "launch_cpu_s", "role": "subject", "form": "ratio",
        "rounds": ROUNDS, "sd": 0.04, "free": ROUNDS - 1,
    }  # fmt: skip
    return Figure(value=value, **{**fields, **changes})


def plain(value: float, **changes: Any) -> Figure:
    """A plain value: MiB of an idle server."""
    return figure(value, **{"key": "base_mib", "form": "value", "sd": 0.002, **changes})


def night(number: int, *figures: Figure, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "folder": f"night-{number}", "stamp": "", "campaign": "nightly",
        "started_s": number * DAY_S, "subject": "1.13.28", "baseline": "1.13.27",
        "host": "2 CPUs", "harness": "0.1", "method": 3,
    }  # fmt: skip
    return Entry(figures=figures, **{**fields, **changes})


def nights(*values: float, **changes: Any) -> list[Entry]:
    return [night(number, figure(value), **changes) for number, value in enumerate(values)]


def singles(*values: float, **changes: Any) -> list[Entry]:
    return [
        night(number, plain(value), **{"baseline": "", **changes})
        for number, value in enumerate(values)
    ]


def only(entries: Sequence[Entry], **options: Any) -> Alarm:
    (alarm,) = alarms_of(entries, **options)
    return alarm
