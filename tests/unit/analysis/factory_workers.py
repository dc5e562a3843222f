"""Cells whose worker pool is known: how many workers were busy and how many requests waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from factory import ALL_SLOS, Rung, make_facts

from harness.analysis.judging import judge_cell
from harness.analysis.model.resources import resources_of
from harness.analysis.workers.groups import MeasuredCell
from harness.campaign.plan import CellPlan, Queue, Workload
from harness.campaign.profiles import FARGATE
from harness.facts.model import Sample
from harness.facts.table import CellFacts, SamplesTable

_CELLS: dict[str, MeasuredCell] = {}  # made once: a cell has thousands of samples

UNLOADED = Rung(concurrency=1, kind="unloaded", pool_queue=0)

HOLD_SHARE = 0.5
"""Of `Rung.launch_s`: dequeued at a tenth of it, the process started at six tenths."""


def with_busy(facts: CellFacts, busy: Mapping[int, float]) -> CellFacts:
    """The same cell with workers busy, constant in each step; by step index."""
    sources = facts.samples.sources("pool", "pool_queue")
    more = [
        Sample(
            device="pool",
            source=source,
            key="pool_busy",
            due_s=phase.start_s + tick,
            taken_s=phase.start_s + tick,
            value=busy[step.index],
        )
        for step in facts.steps
        if step.index in busy
        for phase in step.phases
        for tick in range(int(phase.end_s - phase.start_s))
        for source in sources
    ]
    frame = pl.concat([facts.samples.frame, SamplesTable.of(more).frame])
    return replace(facts, samples=SamplesTable(frame))


def measured(facts: CellFacts) -> MeasuredCell:
    """A cell as `worker_findings` takes it."""
    judged = judge_cell(facts)
    summaries = [step.summary for step in judged.steps]
    costs = resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)
    return facts, judged, costs


def cell_with(
    max_workers: int, rungs: Sequence[Rung], *, busy: float | None = 2.0, **cell: Any
) -> MeasuredCell:
    """A measured cell with so many workers, its steps after an unloaded one; not to be changed."""
    given = {"id": f"w{max_workers}", "slos": ALL_SLOS, **cell}
    key = repr((max_workers, rungs, busy, given))
    if key not in _CELLS:
        facts = make_facts([UNLOADED, *rungs], max_workers=max_workers, **given)
        everywhere = {} if busy is None else {step.index: busy for step in facts.steps}
        _CELLS[key] = measured(with_busy(facts, everywhere))
    return _CELLS[key]


def plan_of(
    workload: str, max_workers: int = 6, *, queue: Queue | None = None, **changes: Any
) -> CellPlan:
    """The plan of a 1 vCPU cell."""
    return CellPlan(
        profile=FARGATE["1vcpu-2gb"],
        workload=Workload(name=workload, **changes),
        dagster="1.13.27",
        max_workers=max_workers,
        replicas=1,
        feed="direct",
        queue=queue or Queue(),
    )
