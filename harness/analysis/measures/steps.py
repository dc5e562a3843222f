"""One step in figures: what its runs went through and what the server spent meanwhile.

Nothing is judged here. Everything is measured over the judged window, the steady part of the
hold (see `steady_state`), unless it says otherwise; `None` means not known. Sources of every
figure: docs/metrics.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.measures.grown_run import grown_run_bytes
from harness.analysis.measures.percentiles import Quantile, median, percentile
from harness.analysis.measures.steady_state import Steady, steady_of
from harness.analysis.measures.windows import (
    FEWEST,
    Counted,
    FloatArray,
    Samples,
    counters,
    ended_within,
    gauges,
    mean_in_flight,
    of_the_host,
    runs_of_step,
    whole_of,
)
from harness.facts.model import Cell, Phase, Run, Step

TOLD = "told"
"""The `peak_source` of a server that speaks for itself, because nobody sees its cgroup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median and 95th percentile of one duration. `note` says why a value is missing."""

    p50: Quantile | None = None
    p95: Quantile | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Runs of the window by how they ended.

    `completed` counts every run that came to an end, `failed` those of them that did not succeed
    (a rejected launch included); `lost` and `unfinished` never ended.
    """

    completed: int
    failed: int
    lost: int
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPhases:
    """Medians of the parts a launch consists of, in seconds."""

    accept_s: float | None
    queue_s: float | None
    spawn_s: float | None
    import_s: float | None
    first_step_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What runs went through.

    `response_s`: ended − intended. `launch_s`: started − sent. `exec_s`: ended − started.
    `slowdown_p95`: the 95th percentile of response ÷ the unloaded median response of the same
    job; `slowdown_note` names the jobs for which that is not known.
    """

    response_s: Spread
    launch_s: Spread
    exec_s: Spread
    slowdown_p95: Quantile | None
    slowdown_note: str = ""
    phases: LaunchPhases
    send_lag_p95_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """What the server spent. Ratios are of the worst replica, against enforced limits only."""

    memory_peak_bytes: float | None = None
    memory_peak_ratio: float | None = None
    peak_source: str = ""
    cpu_cores: float | None = None
    cpu_ratio: float | None = None
    throttled_ratio: float | None = None
    cpu_s_per_run: float | None = None
    grown_run_bytes: float | None = None
    oom_kills: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """Requests waiting for a gRPC worker (worst replica) and runs waiting in Dagster."""

    pool_median: float | None = None
    pool_max: float | None = None
    pool_samples: int = 0
    run_queue_max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """How the server answered a cheap request, as a health check would see it."""

    p50: Quantile | None = None
    p99: Quantile | None = None
    sent: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSummary:
    """Everything a step is judged by. Without a hold window only the counts and times.

    `hold` is the judged window: the steady part of the planned hold, which `steady` explains. Both
    are `None` where the step never held its load.
    """

    step: Step
    hold: Phase | None
    steady: Steady | None = None
    counts: Counts
    throughput_runs_per_s: float | None
    mean_in_flight: float | None
    times: Times
    server: ServerUse
    queues: Queues
    probes: Probes
    support_cpu_cores: Mapping[str, float]
    host_cpu_cores: float | None

    @property
    def concurrency(self) -> int:
        """Runs kept in flight."""
        return self.step.concurrency


def measured_steps(steps: Iterable[Step]) -> list[Step]:
    """The steps that measure something (no warm-up), in the order they ran."""
    return sorted((s for s in steps if s.kind != "warmup"), key=lambda s: s.index)


def unloaded_response_s(
    steps: Iterable[Step], runs: Sequence[Run], *, windows: Mapping[int, Phase] | None = None
) -> dict[str, float]:
    """Median response time of each job in the cell's unloaded steps: what a run takes alone.

    Args:
        steps: of the cell; all but the unloaded ones are ignored.
        runs: of the cell.
        windows: the judged windows by step index; a step without one has its planned hold.

    Returns:
        Seconds by job. A job that no run did unloaded, or that mostly failed, is left out.
    """
    responses: dict[str, list[float]] = {}
    for step in steps:
        if step.kind == "unloaded":
            for run in runs_of_step(runs, step, (windows or {}).get(step.index)):
                responses.setdefault(run.job, []).append(_response_s(run))
    medians = {job: median(found) for job, found in responses.items()}
    return {job: value for job, value in medians.items() if value}


def summarise(
    cell: Cell,
    step: Step,
    *,
    runs: Sequence[Run],
    samples: Samples,
    unloaded_s: Mapping[str, float] | None,
    steady: Steady | None = None,
) -> StepSummary:
    """The figures of one step.

    Args:
        cell: for limits and devices.
        step: any kind.
        runs: of the cell; others' runs are ignored.
        samples: of the cell.
        unloaded_s: see `unloaded_response_s`; without it the slowdown is not known.
        steady: the window to judge; left out, it is looked for.
    """
    steady = steady or steady_of(step, runs=runs, samples=samples)
    hold = steady.window if steady else None
    own = runs_of_step(runs, step, hold)
    done = ended_within(own, hold) if hold else []
    support = counters(samples, "support", "cpu_s", window=hold) if hold else {}
    host = of_the_host(samples, "cpu_used_cores", window=hold) if hold else None
    return StepSummary(
        step=step,
        hold=hold,
        steady=steady,
        counts=_counts(own),
        throughput_runs_per_s=len(done) / (hold.end_s - hold.start_s) if hold else None,
        mean_in_flight=mean_in_flight(own, hold) if hold else None,
        times=_times(own, unloaded_s or {}),
        server=_server(cell, step, hold, samples=samples, completed=len(done)),
        queues=_queues(samples, hold),
        probes=_probes(samples, hold),
        support_cpu_cores={name: grown.rate for name, grown in support.items()},
        host_cpu_cores=None if host is None else float(np.mean(host)),
    )


def _counts(runs: Sequence[Run]) -> Counts:
    by_status = [run.status for run in runs]
    failed = sum(by_status.count(status) for status in ("FAILURE", "CANCELED", "REJECTED"))
    return Counts(
        completed=by_status.count("SUCCESS") + failed,
        failed=failed,
        lost=by_status.count("LOST"),
        unfinished=by_status.count("UNFINISHED"),
    )


def _response_s(run: Run) -> float:
    """A run that did not succeed never gave its answer: a quick failure is not a quick reply."""
    if run.status != "SUCCESS" or run.ended_s is None:
        return math.inf
    return run.ended_s - run.intended_s


def _launch_s(run: Run) -> float:
    return math.inf if run.started_s is None else run.started_s - run.sent_s


def _spread(values: Sequence[float], never: str) -> Spread:
    missing = sum(1 for value in values if math.isinf(value))
    return Spread(
        p50=percentile(values, 50),
        p95=percentile(values, 95),
        note=f"{missing} of {len(values)} runs {never}" if missing else "",
    )


def _times(runs: Sequence[Run], unloaded_s: Mapping[str, float]) -> Times:
    unknown = sorted({run.job for run in runs} - set(unloaded_s))
    ratios = [] if unknown else [_response_s(run) / unloaded_s[run.job] for run in runs]
    executed = [
        run.ended_s - run.started_s
        for run in runs
        if run.status == "SUCCESS" and run.ended_s is not None and run.started_s is not None
    ]
    lag = percentile([run.sent_s - run.intended_s for run in runs], 95)
    return Times(
        response_s=_spread([_response_s(run) for run in runs], "never succeeded"),
        launch_s=_spread([_launch_s(run) for run in runs], "never started"),
        exec_s=_spread(executed, ""),
        slowdown_p95=percentile(ratios, 95),
        slowdown_note=f"no unloaded response time of {', '.join(unknown)}" if unknown else "",
        phases=_phases(runs),
        send_lag_p95_s=lag.finite if lag else None,
    )


def _phases(runs: Sequence[Run]) -> LaunchPhases:
    def between(first: str, last: str) -> float | None:
        pairs = ((getattr(run, first), getattr(run, last)) for run in runs)
        return median([b - a for a, b in pairs if a is not None and b is not None])

    return LaunchPhases(
        accept_s=between("sent_s", "accepted_s"),
        queue_s=between("enqueued_s", "dequeued_s"),
        spawn_s=between("dequeued_s", "process_started_s"),
        import_s=between("process_started_s", "started_s"),
        first_step_s=between("started_s", "first_step_s"),
    )


def _server(
    cell: Cell, step: Step, hold: Phase | None, *, samples: Samples, completed: int
) -> ServerUse:
    peak, source = _peak(step, samples)
    limits = cell.effective_limits if cell.limits_enforced else None
    memory_limit = limits.memory_bytes if limits else None
    cpu_limit = limits.cpu_cores if limits else None
    cpu = counters(samples, "cgroup", "cpu_s", window=hold) if hold else {}
    cores = sum(grown.rate for grown in cpu.values()) if cpu else None
    used_s = cores * (hold.end_s - hold.start_s) if cores is not None and hold else None
    return ServerUse(
        memory_peak_bytes=peak,
        memory_peak_ratio=peak / memory_limit if peak is not None and memory_limit else None,
        peak_source=source,
        cpu_cores=cores,
        cpu_ratio=max(grown.rate for grown in cpu.values()) / cpu_limit
        if cpu and cpu_limit
        else None,
        throttled_ratio=_throttled(samples, hold) if hold else None,
        cpu_s_per_run=used_s / completed if used_s is not None and completed else None,
        grown_run_bytes=grown_run_bytes(samples, hold) if hold else None,
        oom_kills=max(step.oom_kills, _oom_kills(step, samples)),
        restarts=step.restarts,
    )


def _peak(step: Step, samples: Samples) -> tuple[float | None, str]:
    """The kernel's peak over the whole step, else the highest sample. By the server's own word only
    where that came often enough: the highest of one or two readings is no peak.
    """
    whole = whole_of(step)
    seen = gauges(samples, "cgroup", "usage_bytes", window=whole) if whole else {}
    if step.peak_source == TOLD and max(map(len, seen.values()), default=0) < FEWEST:
        return None, ""
    if step.kernel_peak_bytes is not None:
        return step.kernel_peak_bytes, step.peak_source or "kernel"
    if not seen:
        return None, ""
    return max(float(values.max()) for values in seen.values()), "samples"


def _oom_kills(step: Step, samples: Samples) -> int:
    """OOM kills the kernel counted during the step: a killed run does not kill the server."""
    whole = whole_of(step)
    grown = counters(samples, "cgroup", "oom_kills", window=whole) if whole else {}
    return round(sum(growth.delta for growth in grown.values()))


def _throttled(samples: Samples, hold: Phase) -> float | None:
    periods = counters(samples, "cgroup", "periods", window=hold)
    throttled = counters(samples, "cgroup", "throttled_periods", window=hold)
    ratios = [
        _ratio(throttled[source], growth)
        for source, growth in periods.items()
        if source in throttled and growth.delta > 0
    ]
    return max(ratios) if ratios else None


def _ratio(part: Counted, whole: Counted) -> float:
    return min(1.0, part.delta / whole.delta)


def _queues(samples: Samples, hold: Phase | None) -> Queues:
    if hold is None:
        return Queues()
    pool = gauges(samples, "pool", "pool_queue", window=hold)
    queued = gauges(samples, "run_queue", "queued", window=hold)
    return Queues(
        pool_median=max(float(np.median(values)) for values in pool.values()) if pool else None,
        pool_max=_highest(pool),
        pool_samples=sum(len(values) for values in pool.values()),
        run_queue_max=_highest(queued),
    )


def _highest(series: Mapping[str, FloatArray]) -> float | None:
    return max(float(values.max()) for values in series.values()) if series else None


def _probes(samples: Samples, hold: Phase | None) -> Probes:
    if hold is None:
        return Probes()
    answered = gauges(samples, "probe", "probe_s", window=hold)
    marks = gauges(samples, "probe", "probe_lost", window=hold)
    durations = [float(value) for values in answered.values() for value in values]
    lost = sum(int((values > 0).sum()) for values in marks.values())
    return Probes(
        p50=percentile(durations, 50),
        p99=percentile(durations, 99),
        sent=max(len(durations) + lost, sum(len(values) for values in marks.values())),
        lost=lost,
    )
