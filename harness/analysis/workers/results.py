"""What one setting (so many workers, so many steps at once) led to at one concurrency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.analysis.workers.dagster_defaults import START_DEADLINE_S
from harness.analysis.workers.points import WorkerPoint
from harness.units import show_seconds

Together = Literal["pass", "fail", "unknown"]

MEMORY_LIMIT = 0.9
"""Of the container's memory, where the campaign switched `memory_headroom` off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingResult:
    """One value of the setting, all repetitions together: means of rates, the worst of the rest.

    `storm_mib` is the kernel peak above the idle server: what that many launches and runs took.
    `safe`: no OOM kill or death, memory below its limit, and every launch well within the time
    Dagster waits for it. `None` where that is not known; `why` says why not safe or not known.
    """

    value: int
    verdict: Together
    broken: tuple[str, ...]
    repetitions: int
    launch_rate_per_s: float | None
    launch_hold_s: float | None
    launch_p95_s: float | None
    probe_p99_s: float | None
    pool_busy: float | None
    pool_queue: float | None
    memory_peak_mib: float | None
    memory_peak_ratio: float | None
    storm_mib: float | None
    oom_kills: int
    deaths: int
    start_deadlines: int
    safe: bool | None
    why: str


def result_of(
    value: int,
    points: Sequence[WorkerPoint],
    *,
    memory_limit: float | None,
    base_mib: float | None,
) -> SettingResult:
    """Everything that was measured with this value at one concurrency.

    Args:
        value: of the setting.
        points: its steps there, one or more.
        memory_limit: highest safe share of the container's memory; `None` takes `MEMORY_LIMIT`.
        base_mib: the idle server's memory, `None` where not known.
    """
    safe, why = _safety(points, MEMORY_LIMIT if memory_limit is None else memory_limit)
    verdict = _verdict(points)
    peak_mib = _worst(point.memory_peak_mib for point in points)
    failed = [point for point in points if point.verdict == "fail"]
    names = dict.fromkeys(name for point in failed for name in point.broken)
    return SettingResult(
        value=value,
        verdict=verdict,
        broken=tuple(names) if verdict == "fail" else (),
        repetitions=len(points),
        launch_rate_per_s=_mean(point.launch_rate_per_s for point in points),
        launch_hold_s=_mean(point.launch_hold_s for point in points),
        launch_p95_s=_worst(point.launch_p95_s for point in points),
        probe_p99_s=_worst(point.probe_p99_s for point in points),
        pool_busy=_mean(point.pool_busy for point in points),
        pool_queue=_mean(point.pool_queue for point in points),
        memory_peak_mib=peak_mib,
        memory_peak_ratio=_worst(point.memory_peak_ratio for point in points),
        storm_mib=None if peak_mib is None or base_mib is None else max(0.0, peak_mib - base_mib),
        oom_kills=sum(point.oom_kills for point in points),
        deaths=sum(point.deaths for point in points),
        start_deadlines=sum(point.start_deadlines for point in points),
        safe=safe,
        why=why,
    )


def _verdict(points: Sequence[WorkerPoint]) -> Together:
    """The majority of those that passed or failed; a tie is a failure."""
    passed = sum(point.verdict == "pass" for point in points)
    failed = sum(point.verdict == "fail" for point in points)
    if not passed and not failed:
        return "unknown"
    return "pass" if passed > failed else "fail"


def _safety(points: Sequence[WorkerPoint], memory_limit: float) -> tuple[bool | None, str]:
    """A harm that was seen counts in any step; that there was none, only in one that is valid."""
    harm = _harm(points, memory_limit)
    doubt = "" if harm else _doubt(points)
    return (False if harm else None if doubt else True), harm or doubt


def _harm(points: Sequence[WorkerPoint], memory_limit: float) -> str:
    for name, count in (
        ("OOM kills", sum(point.oom_kills for point in points)),
        ("servers that died", sum(point.deaths for point in points)),
        ("launches given up", sum(point.start_deadlines for point in points)),
    ):
        if count:
            return f"{name}: {count}"
    ratio = _worst(point.memory_peak_ratio for point in points)
    slowest_s = _worst(point.slowest_start_s for point in points)
    if ratio is not None and ratio > memory_limit:
        return f"memory peaked at {ratio:.0%} of the limit"
    if slowest_s is not None and slowest_s >= START_DEADLINE_S:
        return f"a launch took {show_seconds(slowest_s)}"
    return ""


def _doubt(points: Sequence[WorkerPoint]) -> str:
    if any(point.verdict == "invalid" for point in points):
        return "a measurement is in doubt"
    if any(point.memory_peak_ratio is None for point in points):
        return "memory against its limit is not known"
    if any(point.slowest_start_s is None for point in points):
        return "how long launches took is not known"
    return ""


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
