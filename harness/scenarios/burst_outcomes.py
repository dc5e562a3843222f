"""What became of a burst: who was killed, what was lost, what waited."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.bursts import burst_passed
from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.campaign.plan import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstOutcome:
    """What became of one burst.

    `passed`: every objective held and every run came to an end. `None` where that cannot be said:
    the measurement is in doubt, or a run was still going when the drain was over.
    `harm`: OOM kills, deaths, lost and failed runs, in words; empty where there were none.
    """

    cell: str
    max_concurrent_runs: int | None
    runs: int
    completed: int
    failed: int
    lost: int
    unfinished: int
    oom_kills: int
    restarts: int
    memory_peak_ratio: float | None
    run_queue_max: float | None
    verdict: str
    broken: tuple[str, ...]
    passed: bool | None
    harm: str


def outcomes_of(findings: Findings) -> tuple[BurstOutcome, ...]:
    """The bursts of a campaign made by `bursts.burst_campaign`; a cell without one is left out."""
    plans = {plan.id: plan for plan in Campaign.model_validate(findings.campaign).cells()}
    return tuple(
        _outcome(cell, step, plans[cell.id].max_concurrent_runs)
        for cell in findings.cells
        if cell.id in plans
        for step in cell.steps
        if step.kind == "load"
    )


def _outcome(cell: CellFinding, step: StepFinding, limit: int | None) -> BurstOutcome:
    return BurstOutcome(
        cell=cell.id,
        max_concurrent_runs=limit,
        runs=step.concurrency,
        completed=step.completed,
        failed=step.failed,
        lost=step.lost,
        unfinished=step.unfinished,
        oom_kills=step.oom_kills,
        restarts=step.restarts,
        memory_peak_ratio=step.memory_peak_ratio,
        run_queue_max=step.run_queue_max,
        verdict=step.verdict,
        broken=step.broken,
        passed=burst_passed(step),
        harm=_harm(step),
    )


def _harm(step: StepFinding) -> str:
    counted = (
        ("OOM kills", step.oom_kills),
        ("server deaths", step.restarts),
        ("lost runs", step.lost),
        ("failed runs", step.failed),
    )
    return ", ".join(f"{name}: {count}" for name, count in counted if count)


def counts_line(outcome: BurstOutcome) -> str:
    """What became of its runs, in one line."""
    waited = "not known" if outcome.run_queue_max is None else f"{outcome.run_queue_max:g}"
    return (
        f"{outcome.completed} of {outcome.runs} runs ended, {outcome.failed} failed, "
        f"{outcome.lost} lost, {outcome.unfinished} still going; most in the queue: {waited}"
    )
