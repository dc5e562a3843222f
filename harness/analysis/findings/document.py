"""Facts in, findings out; and what a program is told by the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.analysis.advice.recommendation import Recommendation
from harness.analysis.capacity import Capacity
from harness.analysis.findings.cells import JudgedRecord, Surroundings, cell_finding
from harness.analysis.findings.rounds import with_rounds
from harness.analysis.findings.types import (
    BindingFinding,
    CellFinding,
    CpuFinding,
    Findings,
    IssueFinding,
    JudgingFinding,
    MemoryFinding,
    ProfileFinding,
    SloFinding,
    StepFinding,
)
from harness.analysis.judging import DEFAULT, JudgedCell, Judging, judge_cell
from harness.analysis.measures.indexed import Indexed
from harness.analysis.measures.windows import CellRecord
from harness.analysis.model.resources import resources_of
from harness.analysis.validity import Issue
from harness.analysis.workers.rule import WorkerFinding, worker_findings
from harness.campaign.plan import Campaign
from harness.errors import ExitCode
from harness.facts.model import Cell
from harness.facts.server_host import server_host

__all__ = [
    "METHOD",
    "SCHEMA",
    "BindingFinding",
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
    "WorkerFinding",
    "exit_code",
    "findings_of",
]

SCHEMA = 2
METHOD = 2
"""Version of the way of judging (docs/method.md). Findings compare only within one."""


def findings_of(
    campaign: Campaign,
    environment: Mapping[str, Any],
    cells: Sequence[CellRecord],
    *,
    options: Judging = DEFAULT,
) -> Findings:
    """Judge every cell of a campaign.

    Args:
        campaign: as planned; the cells carry what was really done.
        environment: `environment.json`, quoted; its `host.cpus` tells when the host was full.
        cells: sealed or not; steps that are missing are not missed.
        options: other objectives or another warm-up cut than measured with.
    """
    host_cpus = _host_cpus(environment)
    plans = {plan.id: plan for plan in campaign.cells()}
    found = [_judged(record, options, host_cpus) for record in cells]
    workers = worker_findings(
        [(each.record, each.judged, each.resources) for each in found],
        plans=plans,
        host_cpus=host_cpus,
    )
    findings = Findings(
        schema=SCHEMA,
        method=METHOD,
        campaign=campaign.model_dump(mode="json"),
        environment=dict(environment),
        judging=JudgingFinding(
            slos=dict(options.slos) if options.slos else None, warmup=options.warmup
        ),
        validity=tuple(issue for each in found for issue in _issues(each.cell, each.judged)),
        cells=tuple(
            cell_finding(
                each,
                Surroundings(
                    search=campaign.search,
                    environment=environment,
                    host_cpus=host_cpus,
                    plan=plans.get(each.cell.id),
                    workers=workers,
                ),
            )
            for each in found
        ),
        workers=workers,
    )
    return with_rounds(findings)


def _judged(record: CellRecord, options: Judging, host_cpus: float | None) -> JudgedRecord:
    judged = judge_cell(record, options=options, host_cpus=host_cpus)
    summaries = [step.summary for step in judged.sound]
    return JudgedRecord(
        record=record,
        judged=judged,
        resources=resources_of(
            record.cell, summaries, runs=record.runs, samples=Indexed(record.samples)
        ),
    )


def exit_code(findings: Findings) -> ExitCode:
    """What the process should tell its caller.

    `BREACH` when a cell does not even hold its lowest concurrency: no doubt about another cell
    takes that back. `INCONCLUSIVE` when a cell has no capacity, or one that is less sure than the
    campaign asked for, or there is no cell. Else `PASS`.
    """
    if any(cell.capacity.status == "below_min" for cell in findings.cells):
        return ExitCode.BREACH
    if not findings.cells or not all(cell.capacity.confirmed for cell in findings.cells):
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS


def _host_cpus(environment: Mapping[str, Any]) -> float | None:
    cpus = server_host(environment).get("cpus")
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
