"""Judge one step by its cell's service level objectives.

Missing data fails an objective. It stays undecided (`ok` is `None`) only where the cell could
never have had that data: a device that was not used, a limit nothing enforces, no unloaded step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.measures.percentiles import Quantile
from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.trend import TREND_MIN_BINS, backlog_trend
from harness.analysis.measures.windows import Samples, runs_of_step
from harness.facts.model import Cell, Run

Verdict = Literal["pass", "fail", "inconclusive", "invalid"]

PEAK_NOTES = {
    "samples": "highest sample, not kernel peak",
    "told": "highest of what the server told every few seconds, not kernel peak",
}
"""By who told the memory peak, where that was not the kernel."""

TREND_MIN_GROWTH = 1.0
"""A backlog that grew by less than one request over the whole hold has not grown."""

MARGIN_FLOOR = 1e-6
"""Of the limit: so that an observed nothing has a margin, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloResult:
    """One objective on one step. `observed` is `None` where unknown or beyond all bounds.

    `margin` = ln(observed ÷ limit) where the objective is a ratio that grows smoothly with load:
    below zero it holds, by so much; +inf where it broke beyond all bounds. `None` for objectives
    that only hold or break, and where nothing is known.
    """

    name: str
    observed: float | None
    limit: float
    ok: bool | None
    n: int
    note: str = ""
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What every judge looks at."""

    cell: Cell
    summary: StepSummary
    runs: Sequence[Run]
    samples: Samples


def judge(
    cell: Cell, summary: StepSummary, *, runs: Sequence[Run], samples: Samples
) -> tuple[SloResult, ...]:
    """Every objective of `cell.slos`, in the fixed order of `SLO_ORDER`.

    An objective this version does not know stays undecided.
    """
    case = _Case(cell=cell, summary=summary, runs=runs, samples=samples)
    known = [_JUDGES[name](case, cell.slos[name]) for name in SLO_ORDER if name in cell.slos]
    unknown = [
        SloResult(name=name, observed=None, limit=limit, ok=None, n=0, note="unknown objective")
        for name, limit in cell.slos.items()
        if name not in _JUDGES
    ]
    return (*known, *unknown)


def verdict_of(results: Sequence[SloResult], *, fatal: bool, settled: bool = True) -> Verdict:
    """`invalid` beats all, then any broken objective, then any undecided one.

    A step that never settled proves no pass; what it broke is broken all the same.
    """
    if fatal:
        return "invalid"
    if any(result.ok is False for result in results):
        return "fail"
    if not results or not settled or any(result.ok is None for result in results):
        return "inconclusive"
    return "pass"


def broken(results: Sequence[SloResult]) -> tuple[str, ...]:
    """Names of the broken objectives, the hardest limit first."""
    return tuple(result.name for result in results if result.ok is False)


def _no_oom(case: _Case, limit: float) -> SloResult:
    server = case.summary.server
    events = server.oom_kills + server.restarts
    ok: bool | None = events <= limit
    note = f"OOM kills: {server.oom_kills}, server deaths: {server.restarts}" if events else ""
    if ok and not case.cell.limits_enforced:
        ok, note = None, _no_limits(case)
    elif ok and case.cell.target == "external":
        ok, note = None, "nobody outside sees kills and deaths"
    return SloResult(name="no_oom", observed=float(events), limit=limit, ok=ok, n=1, note=note)


def _failed_runs(case: _Case, limit: float) -> SloResult:
    counts = case.summary.counts
    n = counts.completed + counts.lost
    if n == 0:
        return _no_data("failed_runs", limit, "no data: no run came to an end")
    ratio = (counts.failed + counts.lost) / n
    note = f"{counts.failed} failed, {counts.lost} lost" if ratio else ""
    return SloResult(
        name="failed_runs", observed=ratio, limit=limit, ok=ratio <= limit, n=n, note=note
    )


def _memory_headroom(case: _Case, limit: float) -> SloResult:
    name, server = "memory_headroom", case.summary.server
    if not case.cell.limits_enforced:
        return _undecided(name, limit, _no_limits(case))
    if server.memory_peak_ratio is None:
        if server.memory_peak_bytes is None and not _has(case, "cgroup"):
            return _undecided(name, limit, _why_not(case, "cgroup"))
        if case.cell.target == "external":
            return _undecided(name, limit, _why_not_told(case))
        return _no_data(name, limit)
    ok = server.memory_peak_ratio <= limit
    # A kill holds the peak at the limit: how much more was wanted is not known.
    beyond = not ok and server.oom_kills > 0
    return SloResult(
        name=name,
        observed=server.memory_peak_ratio,
        limit=limit,
        ok=ok,
        n=1,
        margin=math.inf if beyond else _margin(server.memory_peak_ratio, limit),
        note=PEAK_NOTES.get(server.peak_source, PEAK_NOTES["samples"])
        if not server.peak_source.startswith("kernel")
        else "",
    )


def _launch(case: _Case, limit: float) -> SloResult:
    launch = case.summary.times.launch_s
    return _quantile("launch_s_p95", launch.p95, limit, note=launch.note)


def _slowdown(case: _Case, limit: float) -> SloResult:
    times = case.summary.times
    if times.slowdown_p95 is None and times.response_s.p95 is not None:
        return _undecided("slowdown_p95", limit, times.slowdown_note)
    return _quantile("slowdown_p95", times.slowdown_p95, limit, note=times.response_s.note)


def _probe(case: _Case, limit: float) -> SloResult:
    name, probes = "probe_s_p99", case.summary.probes
    if probes.sent == 0:
        return _absent(case, name, limit, device="probe")
    note = f"{probes.lost} of {probes.sent} probes lost" if probes.lost else ""
    if probes.lost:
        observed = probes.p99.finite if probes.p99 else None
        return SloResult(
            name=name,
            observed=observed,
            limit=limit,
            ok=False,
            n=probes.sent,
            note=note,
            margin=math.inf,
        )
    return _quantile(name, probes.p99, limit, note=note)


def _pool_queue(case: _Case, limit: float) -> SloResult:
    queues = case.summary.queues
    if queues.pool_median is None:
        return _absent(case, "pool_queue", limit, device="pool")
    return SloResult(
        name="pool_queue",
        observed=queues.pool_median,
        limit=limit,
        ok=queues.pool_median <= limit,
        n=queues.pool_samples,
        note="median over the hold, worst replica",
    )


def _backlog(case: _Case, limit: float) -> SloResult:
    name, summary = "backlog_trend", case.summary
    if summary.hold is None:
        return _no_data(name, limit, "no data: the step never held its load")
    if _has(case, "pool") and summary.queues.pool_median is None:
        return _no_data(name, limit)
    own = runs_of_step(case.runs, summary.step, summary.hold)
    trend = backlog_trend(own, case.samples, hold=summary.hold)
    if trend is None:
        return _undecided(name, limit, f"the hold is shorter than {TREND_MIN_BINS} s")
    grown = trend.slope_per_s * (summary.hold.end_s - summary.hold.start_s)
    rising = trend.low_per_s > limit and grown >= TREND_MIN_GROWTH
    return SloResult(
        name=name,
        observed=trend.slope_per_s,
        limit=limit,
        ok=not rising,
        n=trend.n,
        note=f"95 % interval {trend.low_per_s:.3g} to {trend.high_per_s:.3g} per s"
        + ("" if _has(case, "pool") else f"; in-flight runs only, {_why_not(case, 'pool')}"),
    )


def _quantile(name: str, quantile: Quantile | None, limit: float, *, note: str) -> SloResult:
    if quantile is None:
        return _no_data(name, limit)
    few = "" if quantile.enough else f"largest of {quantile.n}: an estimate from above"
    return SloResult(
        name=name,
        observed=quantile.finite,
        limit=limit,
        ok=quantile.value <= limit,
        n=quantile.n,
        note="; ".join(part for part in (note, few) if part),
        margin=_margin(quantile.value, limit),
    )


def _margin(observed: float, limit: float) -> float | None:
    """ln(observed ÷ limit); +inf for what never happened. A limit of 0 has no ratio."""
    return math.log(max(observed / limit, MARGIN_FLOOR)) if limit > 0 else None


def _has(case: _Case, device: str) -> bool:
    """Whether a device was used that had something to look at."""
    cell = case.cell
    blind = cell.target == "external" and bool(cell.unavailable(device))
    return device in cell.devices and not blind


def _why_not(case: _Case, device: str) -> str:
    why = case.cell.unavailable(device) if device in case.cell.devices else ""
    return f"device {device} was not used" + (f": {why}" if why else "")


def _no_limits(case: _Case) -> str:
    if case.cell.target != "external":
        return "limits are not enforced here"
    return case.cell.unavailable("cgroup") or "the limits of the server are not known"


def _why_not_told(case: _Case) -> str:
    """Why a server that tells its memory has no ratio of it."""
    if case.summary.server.memory_peak_bytes is None:
        return "the server told its memory too seldom in this step"
    return "the memory limit of the server is not known"


def _absent(case: _Case, name: str, limit: float, *, device: str) -> SloResult:
    if _has(case, device):
        return _no_data(name, limit)
    return _undecided(name, limit, _why_not(case, device))


def _no_data(name: str, limit: float, note: str = "no data") -> SloResult:
    return SloResult(name=name, observed=None, limit=limit, ok=False, n=0, note=note)


def _undecided(name: str, limit: float, note: str) -> SloResult:
    return SloResult(name=name, observed=None, limit=limit, ok=None, n=0, note=note)


_JUDGES: Mapping[str, Callable[[_Case, float], SloResult]] = {
    "no_oom": _no_oom,
    "failed_runs": _failed_runs,
    "memory_headroom": _memory_headroom,
    "launch_s_p95": _launch,
    "slowdown_p95": _slowdown,
    "probe_s_p99": _probe,
    "pool_queue": _pool_queue,
    "backlog_trend": _backlog,
}

SLO_ORDER: tuple[str, ...] = tuple(_JUDGES)
"""The order of judging and of naming the broken ones: the hardest limit first."""
