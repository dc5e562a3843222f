"""Facts in, findings out; and what a program is told by the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.analysis.binding import binding_of
from harness.analysis.capacity import Capacity, Trial, capacity_of, rungs_of, with_binding
from harness.analysis.finding_types import (
    CellFinding,
    CpuFinding,
    Findings,
    IssueFinding,
    MemoryFinding,
    ProbeFinding,
    ProfileFinding,
    SloFinding,
    SpreadFinding,
    StepFinding,
)
from harness.analysis.judging import JudgedCell, JudgedStep, judge_cell, step_verdict
from harness.analysis.percentiles import Quantile
from harness.analysis.resources import Resources, resources_of
from harness.analysis.slo import SloResult
from harness.analysis.steps import Spread
from harness.analysis.validity import Issue
from harness.analysis.windows import CellRecord
from harness.analysis.workers import Recommendation, recommend
from harness.campaign.plan import Campaign
from harness.errors import ExitCode
from harness.facts.model import Cell
from harness.units import mib

__all__ = [
    "METHOD",
    "SCHEMA",
    "Capacity",
    "CellFinding",
    "CpuFinding",
    "Findings",
    "IssueFinding",
    "MemoryFinding",
    "ProfileFinding",
    "Recommendation",
    "SloFinding",
    "StepFinding",
    "exit_code",
    "findings_of",
    "step_verdict",
]

SCHEMA = 1
METHOD = 1
"""Version of the way of judging (docs/method.md). Findings compare only within one."""


def findings_of(
    campaign: Campaign, environment: Mapping[str, Any], cells: Sequence[CellRecord]
) -> Findings:
    """Judge every cell of a campaign.

    Args:
        campaign: as planned; only quoted, the cells carry what was really done.
        environment: `environment.json`, quoted; its `host.cpus` tells when the host was full.
        cells: sealed or not; steps that are missing are not missed.
    """
    judged = [(record, judge_cell(record)) for record in cells]
    return Findings(
        schema=SCHEMA,
        method=METHOD,
        campaign=campaign.model_dump(mode="json"),
        environment=dict(environment),
        validity=tuple(
            issue for record, verdicts in judged for issue in _issues(record.cell, verdicts)
        ),
        cells=tuple(
            _cell(record, verdicts, host_cpus=_host_cpus(environment))
            for record, verdicts in judged
        ),
    )


def exit_code(findings: Findings) -> ExitCode:
    """What the process should tell its caller.

    `BREACH` when a cell does not even hold its lowest concurrency: no doubt about another cell
    takes that back. `INCONCLUSIVE` when a cell has no capacity, or a step that could move it has
    no verdict, or there is no cell. Else `PASS`.
    """
    if any(cell.capacity.status == "below_min" for cell in findings.cells):
        return ExitCode.BREACH
    if not findings.cells or not all(_conclusive(cell) for cell in findings.cells):
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS


def _conclusive(cell: CellFinding) -> bool:
    if cell.capacity.status == "invalid":
        return False
    top = cell.capacity.first_failing
    trials = (Trial(concurrency=s.concurrency, verdict=s.verdict) for s in cell.steps)
    return not any(
        rung.verdict == "unknown" and (top is None or rung.concurrency < top)
        for rung in rungs_of(trials)
    )


def _host_cpus(environment: Mapping[str, Any]) -> float | None:
    host = environment.get("host")
    cpus = host.get("cpus") if isinstance(host, dict) else None
    return float(cpus) if isinstance(cpus, int | float) else None


def _issues(cell: Cell, judged: JudgedCell) -> Iterable[IssueFinding]:
    def finding(issue: Issue, concurrency: int | None) -> IssueFinding:
        return IssueFinding(
            cell=cell.id,
            step=issue.step,
            concurrency=concurrency,
            code=issue.code,
            severity=issue.severity,
            evidence=issue.evidence,
            remedy=issue.remedy,
        )

    yield from (finding(issue, None) for issue in judged.issues)
    for step in judged.steps:
        yield from (finding(issue, step.summary.concurrency) for issue in step.issues)


def _cell(record: CellRecord, judged: JudgedCell, *, host_cpus: float | None) -> CellFinding:
    cell = record.cell
    summaries = [step.summary for step in judged.steps]
    resources = resources_of(cell, summaries, runs=record.runs, samples=record.samples)
    capacity = _capacity(judged, resources, host_cpus=host_cpus)
    at_capacity = [
        step.summary
        for step in judged.steps
        if step.verdict == "pass" and step.summary.concurrency == capacity.concurrency
    ]
    return CellFinding(
        id=cell.id,
        profile=ProfileFinding(
            name=cell.profile, vcpu=cell.vcpu, memory_mib=mib(cell.memory_bytes)
        ),
        workload=cell.workload,
        run_s=_run_s(cell, judged),
        dagster=cell.dagster,
        max_workers=cell.max_workers,
        replicas=cell.replicas,
        feed=cell.feed,
        target=cell.target,
        limits_enforced=cell.limits_enforced,
        capacity=capacity,
        throughput_runs_per_s=_mean([s.throughput_runs_per_s for s in at_capacity]),
        memory=_memory(resources),
        cpu=CpuFinding(
            launch_cpu_s=resources.launch_cpu_s,
            run_cpu_s=resources.run_cpu_s,
            idle_cores=resources.idle_cpu_cores,
            n=resources.completed,
        ),
        steps=tuple(_step(step) for step in judged.steps),
        recommendation=recommend(cell, capacity, at_capacity[0] if at_capacity else None),
    )


def _capacity(judged: JudgedCell, resources: Resources, *, host_cpus: float | None) -> Capacity:
    capacity = capacity_of(step.trial for step in judged.steps)
    failing = next(
        (
            step
            for step in judged.steps
            if step.verdict == "fail" and step.summary.concurrency == capacity.first_failing
        ),
        None,
    )
    if failing is None:
        return capacity
    binding = binding_of(failing.summary, failing.broken, resources=resources, host_cpus=host_cpus)
    where = f"at {failing.summary.concurrency}"
    return with_binding(capacity, binding.limit, [f"{where}: {text}" for text in binding.evidence])


def _run_s(cell: Cell, judged: JudgedCell) -> float | None:
    """As planned, else the median execution time of the unloaded steps."""
    if cell.run_s is not None:
        return cell.run_s
    unloaded = [step.summary for step in judged.steps if step.summary.step.kind == "unloaded"]
    return _mean([_value(summary.times.exec_s.p50) for summary in unloaded])


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _value(quantile: Quantile | None) -> float | None:
    return quantile.finite if quantile else None


def _memory(resources: Resources) -> MemoryFinding:
    per_run = resources.per_run
    ci = per_run.ci_bytes if per_run else None
    return MemoryFinding(
        base_mib=None if resources.base_bytes is None else mib(resources.base_bytes),
        per_run_mib=mib(per_run.bytes_per_run) if per_run else None,
        per_run_mib_ci=(mib(ci[0]), mib(ci[1])) if ci else None,
        method=per_run.method if per_run else None,
        points=per_run.points if per_run else 0,
    )


def _spread(spread: Spread) -> SpreadFinding:
    return SpreadFinding(
        p50=_value(spread.p50),
        p95=_value(spread.p95),
        n=spread.p95.n if spread.p95 else 0,
        enough=spread.p95.enough if spread.p95 else False,
        note=spread.note,
    )


def _step(judged: JudgedStep) -> StepFinding:
    summary = judged.summary
    step, counts, times = summary.step, summary.counts, summary.times
    server, queues, hold = summary.server, summary.queues, summary.hold
    return StepFinding(
        index=step.index,
        kind=step.kind,
        concurrency=step.concurrency,
        repetition=step.repetition,
        verdict=judged.verdict,
        broken=judged.broken,
        outcome=step.outcome,
        outcome_detail=step.outcome_detail,
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
        slowdown_p95=_value(times.slowdown_p95),
        memory_peak_mib=mib(server.memory_peak_bytes) if server.memory_peak_bytes else None,
        memory_peak_ratio=server.memory_peak_ratio,
        peak_source=server.peak_source,
        cpu_cores=server.cpu_cores,
        cpu_ratio=server.cpu_ratio,
        throttled_ratio=server.throttled_ratio,
        cpu_s_per_run=server.cpu_s_per_run,
        pool_queue_median=queues.pool_median,
        pool_queue_max=queues.pool_max,
        run_queue_max=queues.run_queue_max,
        probe_s=_probe(judged),
        oom_kills=server.oom_kills,
        restarts=server.restarts,
        support_cpu_cores=dict(summary.support_cpu_cores),
        generator_cpu_cores=step.generator_cpu_cores,
        observer_cpu_cores=step.observer_cpu_cores,
        slo={result.name: _slo(result) for result in judged.slos},
    )


def _slo(result: SloResult) -> SloFinding:
    return SloFinding(
        observed=result.observed,
        limit=result.limit,
        ok=result.ok,
        n=result.n,
        note=result.note,
    )


def _probe(judged: JudgedStep) -> ProbeFinding:
    probes = judged.summary.probes
    return ProbeFinding(
        p50=_value(probes.p50),
        p99=_value(probes.p99),
        n=probes.sent,
        lost=probes.lost,
        enough=probes.p99.enough if probes.p99 else False,
    )
