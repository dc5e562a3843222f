"""A cell's facts, judged: summaries, objectives, doubts and verdicts of its steps together.

Used on stored facts and, through `step_verdict`, by the live search on the facts so far, so that
both always agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.capacity import Trial
from harness.analysis.slo import SloResult, Verdict, broken, judge, verdict_of
from harness.analysis.steps import StepSummary, measured_steps, summarise, unloaded_response_s
from harness.analysis.validity import Issue, cell_issues, step_issues
from harness.analysis.windows import CellRecord
from harness.facts.model import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStep:
    """One step's figures, objectives, doubts and verdict."""

    summary: StepSummary
    slos: tuple[SloResult, ...]
    issues: tuple[Issue, ...]
    verdict: Verdict

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the broken objectives, the hardest limit first."""
        return broken(self.slos)

    @property
    def trial(self) -> Trial:
        """What the capacity rule looks at."""
        return Trial(concurrency=self.summary.concurrency, verdict=self.verdict, broken=self.broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCell:
    """All measured steps of a cell in the order they ran, and doubts about the whole."""

    steps: tuple[JudgedStep, ...]
    issues: tuple[Issue, ...]
    unloaded_s: float | None


def judge_cell(record: CellRecord) -> JudgedCell:
    """Judge every measured step; a fatal doubt about the cell voids all of them."""
    cell, steps = record.cell, measured_steps(record.steps)
    unloaded_s = unloaded_response_s(steps, record.runs)
    summaries = [_summary(record, step, unloaded_s) for step in steps]
    issues = cell_issues(cell, summaries, samples=record.samples, unloaded_s=unloaded_s)
    void = any(issue.severity == "fatal" for issue in issues)
    return JudgedCell(
        steps=tuple(_judge_step(record, summary, void=void) for summary in summaries),
        issues=tuple(issues),
        unloaded_s=unloaded_s,
    )


def step_verdict(record: CellRecord, upto_index: int) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on one step, knowing of no later one: the live search's eye.

    Args:
        record: the cell's facts so far.
        upto_index: `Step.index` of the step to judge.

    Returns:
        Verdict and names of the broken objectives, the hardest limit first. A warm-up step is
        `inconclusive`.

    Raises:
        ValueError: there is no such step.
    """
    known = [step for step in record.steps if step.index <= upto_index]
    step = next((step for step in known if step.index == upto_index), None)
    if step is None:
        raise ValueError(f"no step {upto_index} among the {len(record.steps)} given")
    if step.kind == "warmup":
        return "inconclusive", ()
    unloaded_s = unloaded_response_s(known, record.runs)
    summary = _summary(record, step, unloaded_s)
    doubts = cell_issues(record.cell, [summary], samples=record.samples, unloaded_s=unloaded_s)
    void = any(issue.severity == "fatal" for issue in doubts)
    judged = _judge_step(record, summary, void=void)
    return judged.verdict, judged.broken


def _summary(record: CellRecord, step: Step, unloaded_s: float | None) -> StepSummary:
    return summarise(
        record.cell, step, runs=record.runs, samples=record.samples, unloaded_s=unloaded_s
    )


def _judge_step(record: CellRecord, summary: StepSummary, *, void: bool) -> JudgedStep:
    slos = judge(record.cell, summary, runs=record.runs, samples=record.samples)
    issues = step_issues(record.cell, summary, runs=record.runs, samples=record.samples)
    fatal = void or any(issue.severity == "fatal" for issue in issues)
    return JudgedStep(
        summary=summary,
        slos=slos,
        issues=tuple(issues),
        verdict=verdict_of(slos, fatal=fatal),
    )
