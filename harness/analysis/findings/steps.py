"""A judged step as it stands in `findings.json`."""

from __future__ import annotations

import math
from typing import Any

from harness.analysis.findings.types import (
    ProbeFinding,
    SloFinding,
    SpreadFinding,
    SteadyFinding,
    StepFinding,
)
from harness.analysis.judging import JudgedStep
from harness.analysis.measures.percentiles import Quantile
from harness.analysis.measures.steady_state import Steady
from harness.analysis.measures.steps import ServerUse, Spread
from harness.analysis.slo import SloResult
from harness.units import mib


def step_finding(judged: JudgedStep, *, launch_work: float | None = None) -> StepFinding:
    """One step: sizes in MiB, infinities as `None`.

    Args:
        launch_work: see `StepCost.launch_work`.
    """
    summary = judged.summary
    step, counts, times = summary.step, summary.counts, summary.times
    queues, hold = summary.queues, summary.hold
    return StepFinding(
        index=step.index,
        kind=step.kind,
        concurrency=step.concurrency,
        repetition=step.repetition,
        verdict=judged.verdict,
        broken=judged.broken,
        outcome=step.outcome,
        outcome_detail=step.outcome_detail,
        reason=step.reason,
        load_model=step.load_model,
        rate_per_s=step.rate_per_s,
        dropped_arrivals=step.dropped_arrivals,
        steady=_steady(summary.steady),
        hold_s=hold.end_s - hold.start_s if hold else None,
        completed=counts.completed,
        failed=counts.failed,
        lost=counts.lost,
        unfinished=counts.unfinished,
        throughput_runs_per_s=summary.throughput_runs_per_s,
        mean_in_flight=summary.mean_in_flight,
        response_s=_spread(times.response_s),
        launch_s=_spread(times.launch_s),
        exec_s=_spread(times.exec_s),
        phases=times.phases,
        slowdown_p95=value_of(times.slowdown_p95),
        **_server(summary.server),
        pool_queue_median=queues.pool_median,
        pool_queue_max=queues.pool_max,
        run_queue_max=queues.run_queue_max,
        probe_s=_probe(judged),
        support_cpu_cores=dict(summary.support_cpu_cores),
        generator_cpu_cores=step.generator_cpu_cores,
        observer_cpu_cores=step.observer_cpu_cores,
        slo={result.name: _slo(result) for result in judged.slos},
        launch_work=launch_work,
    )


def _server(use: ServerUse) -> dict[str, Any]:
    """What the server used, by the fields' names."""
    return {
        "memory_peak_mib": mib(use.memory_peak_bytes) if use.memory_peak_bytes else None,
        "memory_peak_ratio": use.memory_peak_ratio,
        "peak_source": use.peak_source,
        "cpu_cores": use.cpu_cores,
        "cpu_ratio": use.cpu_ratio,
        "throttled_ratio": use.throttled_ratio,
        "cpu_s_per_run": use.cpu_s_per_run,
        "oom_kills": use.oom_kills,
        "restarts": use.restarts,
        "run_rss_mib": mib(use.grown_run_bytes) if use.grown_run_bytes else None,
    }


def value_of(quantile: Quantile | None) -> float | None:
    """A percentile's value where it is known and finite."""
    return quantile.finite if quantile else None


def _steady(steady: Steady | None) -> SteadyFinding | None:
    if steady is None:
        return None
    return SteadyFinding(
        cut_s=steady.cut_s,
        settled=steady.settled,
        method=steady.method,
        n=steady.n,
        reason=steady.reason,
    )


def _spread(spread: Spread) -> SpreadFinding:
    return SpreadFinding(
        p50=value_of(spread.p50),
        p95=value_of(spread.p95),
        n=spread.p95.n if spread.p95 else 0,
        enough=spread.p95.enough if spread.p95 else False,
        note=spread.note,
    )


def _slo(result: SloResult) -> SloFinding:
    margin = result.margin
    return SloFinding(
        observed=result.observed,
        limit=result.limit,
        ok=result.ok,
        n=result.n,
        note=result.note,
        margin=margin if margin is not None and math.isfinite(margin) else None,
    )


def _probe(judged: JudgedStep) -> ProbeFinding:
    probes = judged.summary.probes
    return ProbeFinding(
        p50=value_of(probes.p50),
        p99=value_of(probes.p99),
        n=probes.sent,
        lost=probes.lost,
        enough=probes.p99.enough if probes.p99 else False,
    )
