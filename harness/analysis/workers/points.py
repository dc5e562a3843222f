"""One step as the gRPC worker pool saw it: how many launches at once, how many workers busy.

Everything is of one replica and of the judged window, unless it says otherwise; `None` means not
known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.judging import JudgedStep
from harness.analysis.measures.windows import CellRecord, Samples, gauges
from harness.analysis.slo import Verdict
from harness.facts.model import Cell, Phase, Run
from harness.units import mib


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPoint:
    """One step in the pool's terms.

    `launch_rate_per_s` counts launches of all replicas, in a burst over the time from the first
    to the last. `launch_hold_s`: mean time from dequeueing to the run's process, and
    `launching` = rate × hold by Little's law, taken exactly: the time average of launches under
    way. `slowest_start_s` is the longest of them, and `start_deadlines` the launches that were
    given up. `sensing`: sensor ticks under way by plan.
    """

    concurrency: int
    repetition: int
    kind: str
    verdict: Verdict
    broken: tuple[str, ...]
    completed: bool
    launches: int
    launch_rate_per_s: float | None
    launch_hold_s: float | None
    launching: float | None
    slowest_start_s: float | None
    start_deadlines: int
    launch_p95_s: float | None
    probe_p99_s: float | None
    sensing: float
    pool_busy: float | None
    pool_queue: float | None
    memory_peak_mib: float | None
    memory_peak_ratio: float | None
    oom_kills: int
    deaths: int


def point_of(record: CellRecord, judged: JudgedStep) -> WorkerPoint:
    """One judged step as a point."""
    summary, cell = judged.summary, record.cell
    hold, times, server = summary.hold, summary.times, summary.server
    own = [run for run in record.runs if run.step == summary.step.index]
    starts = [span for run in own if (span := _start_of(run)) is not None]
    seen = _inside(starts, hold)
    launch, probe = times.launch_s.p95, summary.probes.p99
    peak = server.memory_peak_bytes
    return WorkerPoint(
        concurrency=summary.concurrency,
        repetition=summary.step.repetition,
        kind=summary.step.kind,
        verdict=judged.verdict,
        broken=judged.broken,
        completed=summary.step.outcome == "completed",
        launches=len(seen),
        launch_rate_per_s=_rate(seen, hold, burst=summary.step.load_model == "burst"),
        launch_hold_s=float(np.mean([end - start for start, end in seen])) if seen else None,
        launching=_launching(starts, hold, replicas=cell.replicas),
        slowest_start_s=max((end - start for start, end in starts), default=None),
        start_deadlines=sum(run.error_class == "start_deadline" for run in own),
        launch_p95_s=launch.finite if launch else None,
        probe_p99_s=probe.finite if probe else None,
        sensing=sensing(cell),
        pool_busy=_mean(record.samples, "pool_busy", hold),
        pool_queue=_mean(record.samples, "pool_queue", hold),
        memory_peak_mib=mib(peak) if peak is not None else None,
        memory_peak_ratio=server.memory_peak_ratio,
        oom_kills=server.oom_kills,
        deaths=server.restarts,
    )


def sensing(cell: Cell) -> float:
    """Sensor ticks under way at a time on one replica, by plan: rate × duration (Little's law).

    A sensor does not tick again before its last tick has ended. What the daemon does not get
    round to is not taken off.
    """
    if not cell.sensors:
        return 0.0
    tick_s, interval_s = float(cell.sensors["tick_s"]), float(cell.sensors["interval_s"])
    share = tick_s / max(tick_s, interval_s, 1.0)
    return float(cell.sensors["count"]) * share / cell.replicas


Span = tuple[float, float]


def _start_of(run: Run) -> Span | None:
    """When its launch began to hold a worker, and when it let go; without stamps `None`.

    A run that waits for a worker is in here too: to the event log both look the same.
    """
    if run.dequeued_s is None or run.process_started_s is None:
        return None
    return run.dequeued_s, max(run.dequeued_s, run.process_started_s)


def _inside(starts: Sequence[Span], hold: Phase | None) -> list[Span]:
    """The launches that were done within the window."""
    if hold is None:
        return []
    return [(start, end) for start, end in starts if hold.start_s <= end < hold.end_s]


def _rate(seen: Sequence[Span], hold: Phase | None, *, burst: bool) -> float | None:
    if hold is None or not seen:
        return None
    length_s = hold.end_s - hold.start_s
    if burst:
        length_s = max(end for _, end in seen) - min(start for start, _ in seen)
    return len(seen) / length_s if length_s > 0 else None


def _launching(starts: Sequence[Span], hold: Phase | None, *, replicas: int) -> float | None:
    if hold is None or not starts:
        return None
    inside_s = sum(
        max(0.0, min(end, hold.end_s) - max(start, hold.start_s)) for start, end in starts
    )
    return inside_s / (hold.end_s - hold.start_s) / replicas


def _mean(samples: Samples, key: str, hold: Phase | None) -> float | None:
    """Mean reading of a replica, averaged over the replicas."""
    seen = gauges(samples, "pool", key, window=hold) if hold else {}
    return float(np.mean([np.mean(values) for values in seen.values()])) if seen else None
