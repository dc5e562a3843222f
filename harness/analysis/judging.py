"""A cell's facts, judged: summaries, objectives, doubts and verdicts of its steps together.

Used on stored facts and, through `judge_step`, by the live search on the facts so far, so that
both always agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.analysis.measures.indexed import Indexed
from harness.analysis.measures.steady_state import Steady, Warmup, steady_of
from harness.analysis.measures.steps import (
    StepSummary,
    measured_steps,
    summarise,
    unloaded_response_s,
)
from harness.analysis.measures.windows import CellRecord, Samples
from harness.analysis.slo import SloResult, Verdict, broken, judge, verdict_of
from harness.analysis.validity import Issue, cell_issues, step_issues
from harness.facts.model import Cell, Run, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How to judge, where that is not what the facts were measured with.

    `slos` replaces single objectives of every cell, `None` switches one off. `warmup` says what
    to cut from each hold: "auto" looks for the end of the warm-up (see `steady_state`), a number
    is seconds, `None` cuts nothing.
    """

    slos: Mapping[str, float | None] | None = None
    warmup: Warmup = "auto"

    def __post_init__(self) -> None:
        """Raises `ValueError` for a cut that is no length of time."""
        cut = self.warmup
        if isinstance(cut, str):
            if cut != "auto":
                raise ValueError(f'warmup must be "auto", seconds or None, not {cut!r}')
        elif cut is not None and not (math.isfinite(cut) and cut >= 0):
            raise ValueError(f"warmup must be 0 seconds or more, not {cut}")

    def of(self, cell: Cell) -> Cell:
        """The cell with the objectives it is to be judged by."""
        merged = {**cell.slos, **(self.slos or {})}
        kept = {name: limit for name, limit in merged.items() if limit is not None}
        return replace(cell, slos=kept)


DEFAULT = Judging()
"""The cell's own objectives, over the steady part of each hold."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCell:
    """All measured steps of a cell in the order they ran, and doubts about the whole.

    `unloaded_s` has the median unloaded response time of each job, where that is known.
    """

    steps: tuple[JudgedStep, ...]
    issues: tuple[Issue, ...]
    unloaded_s: Mapping[str, float]

    @property
    def sound(self) -> tuple[JudgedStep, ...]:
        """The steps in which nothing was broken on purpose: the others say nothing of a server."""
        return tuple(step for step in self.steps if step.summary.step.kind != "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A cell as it is to be judged: its facts, its objectives, its windows by step index."""

    cell: Cell
    runs: Sequence[Run]
    samples: Samples
    steady: Mapping[int, Steady]
    unloaded_s: Mapping[str, float]
    host_cpus: float | None

    def summary(self, step: Step) -> StepSummary:
        return summarise(
            self.cell,
            step,
            runs=self.runs,
            samples=self.samples,
            unloaded_s=self.unloaded_s,
            steady=self.steady.get(step.index),
        )

    def doubts(self, summaries: Sequence[StepSummary]) -> list[Issue]:
        return cell_issues(
            self.cell,
            summaries,
            samples=self.samples,
            unloaded_s=self.unloaded_s or None,
            host_cpus=self.host_cpus,
            runs=self.runs,
        )

    def judged(self, summary: StepSummary, *, void: bool) -> JudgedStep:
        slos = judge(self.cell, summary, runs=self.runs, samples=self.samples)
        # What was broken on purpose is no doubt about the measurement.
        on_purpose = summary.step.kind == "fault"
        issues = (
            ()
            if on_purpose
            else step_issues(self.cell, summary, runs=self.runs, samples=self.samples)
        )
        settled = summary.steady is None or summary.steady.settled
        return JudgedStep(
            summary=summary,
            slos=slos,
            issues=tuple(issues),
            verdict=verdict_of(slos, fatal=void or _fatal(issues), settled=settled),
        )


def judge_cell(
    record: CellRecord, *, options: Judging = DEFAULT, host_cpus: float | None = None
) -> JudgedCell:
    """Judge every measured step; a fatal doubt about the cell voids all of them.

    Args:
        record: the cell's facts.
        options: how to judge, where not as measured.
        host_cpus: CPUs of the machine; without them a full machine is not doubted.
    """
    steps = measured_steps(record.steps)
    case = _case(record, steps, options=options, host_cpus=host_cpus)
    summaries = [case.summary(step) for step in steps]
    # What was broken on purpose is no doubt about the others.
    issues = case.doubts([each for each in summaries if each.step.kind != "fault"])
    void = _fatal(issues)
    return JudgedCell(
        steps=tuple(case.judged(summary, void=void) for summary in summaries),
        issues=tuple(issues),
        unloaded_s=case.unloaded_s,
    )


def judge_step(
    record: CellRecord,
    upto_index: int,
    *,
    options: Judging = DEFAULT,
    host_cpus: float | None = None,
) -> JudgedStep | None:
    """One step, judged knowing of no later one: the live search's eye.

    Args:
        record: the cell's facts so far.
        upto_index: `Step.index` of the step to judge.
        options: as for `judge_cell`.
        host_cpus: as for `judge_cell`.

    Returns:
        `None` for a warm-up step.

    Raises:
        ValueError: there is no such step.
    """
    known = [step for step in record.steps if step.index <= upto_index]
    step = next((step for step in known if step.index == upto_index), None)
    if step is None:
        raise ValueError(f"no step {upto_index} among the {len(record.steps)} given")
    if step.kind == "warmup":
        return None
    needed = [other for other in known if other is step or other.kind == "unloaded"]
    case = _case(record, needed, options=options, host_cpus=host_cpus)
    summaries = [case.summary(other) for other in needed]
    void = _fatal(case.doubts(summaries))
    return case.judged(summaries[needed.index(step)], void=void)


def _case(
    record: CellRecord, steps: Sequence[Step], *, options: Judging, host_cpus: float | None
) -> _Case:
    last = max((step.index for step in steps), default=0)
    runs = [run for run in record.runs if run.step <= last]
    samples = Indexed(record.samples)
    found = {
        step.index: steady_of(step, runs=runs, samples=samples, warmup=options.warmup)
        for step in steps
    }
    steady = {index: window for index, window in found.items() if window is not None}
    windows = {index: window.window for index, window in steady.items()}
    return _Case(
        cell=options.of(record.cell),
        runs=runs,
        samples=samples,
        steady=steady,
        unloaded_s=unloaded_response_s(steps, runs, windows=windows),
        host_cpus=host_cpus,
    )


def _fatal(issues: Sequence[Issue]) -> bool:
    return any(issue.severity == "fatal" for issue in issues)
