"""Facts made wrong in one place, and what the validity checks say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from factory import Rung, make_facts

from harness.analysis.judging import judge_cell
from harness.analysis.measures.steps import StepSummary
from harness.analysis.validity import Issue, cell_issues, step_issues
from harness.facts.model import Phase, Run, Sample, Step
from harness.facts.table import CellFacts, SamplesTable

UNLOADED = Rung(concurrency=1, kind="unloaded")


def sound(cell: dict[str, Any] | None = None, **truth: Any) -> CellFacts:
    """One unloaded run, then 8 runs in flight: 1 s to launch, 4 s to run, 40 s of hold."""
    return make_facts([UNLOADED, Rung(concurrency=8, **truth)], **(cell or {}))


def hold_of_last(facts: CellFacts) -> Phase:
    """The planned hold of the last step."""
    hold = facts.steps[-1].phase("hold")
    assert hold is not None
    return hold


def rebuilt(
    facts: CellFacts,
    *,
    runs: Sequence[Run] | None = None,
    steps: Sequence[Step] | None = None,
    frame: pl.DataFrame | None = None,
) -> CellFacts:
    """The same cell with other runs, steps or samples."""
    return CellFacts(
        cell=facts.cell,
        steps=list(facts.steps if steps is None else steps),
        runs=list(facts.runs if runs is None else runs),
        samples=facts.samples if frame is None else SamplesTable(frame),
        events=[],
    )


def with_step(facts: CellFacts, **changes: Any) -> CellFacts:
    """The last step changed."""
    return rebuilt(facts, steps=[*facts.steps[:-1], replace(facts.steps[-1], **changes)])


def with_runs(facts: CellFacts, change: Callable[[int, Run], Run], *, every: int = 1) -> CellFacts:
    """Every n-th run of the last step changed, by its number from 0."""
    last, runs, number = facts.steps[-1].index, [], 0
    for run in facts.runs:
        changed = run
        if run.step == last:
            if number % every == 0:
                changed = change(number, run)
            number += 1
        runs.append(changed)
    return rebuilt(facts, runs=runs)


def with_arrivals(facts: CellFacts, sent_s: Iterable[float], *, stay_s: float = 5.0) -> CellFacts:
    """The last step's runs replaced by successes sent at these seconds after its hold began."""
    index, start_s = facts.steps[-1].index, hold_of_last(facts).start_s
    others = [run for run in facts.runs if run.step != index]
    own = [
        Run(
            step=index,
            user=number,
            run_id=f"{index}-{number}",
            intended_s=start_s + at_s,
            sent_s=start_s + at_s,
            started_s=start_s + at_s + 0.2 * stay_s,
            ended_s=start_s + at_s + stay_s,
            status="SUCCESS",
        )
        for number, at_s in enumerate(sent_s)
    ]
    return rebuilt(facts, runs=[*others, *own])


def with_readings(
    facts: CellFacts, device: str, source: str, key: str, values: Sequence[float]
) -> CellFacts:
    """These readings of one series spread evenly over the last hold, in place of its own ones."""
    hold = hold_of_last(facts)
    gap_s = (hold.end_s - hold.start_s) / len(values)
    own = [
        Sample(device=device, source=source, key=key, due_s=at_s, taken_s=at_s, value=value)
        for number, value in enumerate(values)
        for at_s in (hold.start_s + (number + 0.5) * gap_s,)
    ]
    of_series = (
        (pl.col("device") == device)
        & (pl.col("source") == source)
        & (pl.col("key") == key)
        & pl.col("taken_s").is_between(hold.start_s, hold.end_s, closed="left")
    )
    return rebuilt(
        facts, frame=pl.concat([facts.samples.frame.filter(~of_series), SamplesTable.of(own).frame])
    )


def moved_clock(
    facts: CellFacts, device: str, *, by_s: float, after_s: float, until_s: float = 1e9
) -> CellFacts:
    """The looks of a device moved, from and until so many seconds after the last hold began."""
    start_s = hold_of_last(facts).start_s
    held = pl.col("due_s").is_between(start_s + after_s, start_s + until_s, closed="left")
    shift = pl.when((pl.col("device") == device) & held).then(by_s).otherwise(0.0)
    columns = [(pl.col(name) + shift).alias(name) for name in ("due_s", "taken_s")]
    return rebuilt(facts, frame=facts.samples.frame.with_columns(columns))


def last_summary(facts: CellFacts) -> StepSummary:
    """Figures of the last step."""
    return judge_cell(facts).steps[-1].summary


def doubts(facts: CellFacts, **changes: Any) -> list[Issue]:
    """Doubts about the last step, with these fields of its summary changed."""
    summary = replace(last_summary(facts), **changes)
    return step_issues(facts.cell, summary, runs=facts.runs, samples=facts.samples)


def cell_doubts(facts: CellFacts, *, host_cpus: float | None = None) -> list[Issue]:
    """Doubts about the cell, everything there is to know given."""
    judged = judge_cell(facts)
    return cell_issues(
        facts.cell,
        [step.summary for step in judged.steps],
        samples=facts.samples,
        unloaded_s=judged.unloaded_s,
        host_cpus=host_cpus,
        runs=facts.runs,
    )


def found(issues: Sequence[Issue], code: str) -> list[str]:
    """Severities of the issues with this code."""
    return [issue.severity for issue in issues if issue.code == code]
