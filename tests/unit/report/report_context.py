"""Contexts of campaigns for the tests of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.analysis.findings.types import Findings, StepFinding
from harness.report.context import CellRecord, PageContext

HOSTILE = "a|b <b>bold</b> `tick` *star* @team #1 [x](y) $1$ &amp; \x00\x1b[31m\ud800 \r\nline"
"""What a log line may hold, and what no report may be confused by."""


def context_of(findings: Findings, **changes: Any) -> PageContext:
    """A finished campaign of these cells."""
    context = PageContext(
        title="quick",
        folder="results/20260101T000000Z-quick",
        version="0.1.0",
        started_utc="2026-01-01T00:00:00+00:00",
        command=("harness", "run", "--set", "slos.launch_s_p95=20 s"),
        planned=tuple(cell.id for cell in findings.cells),
        records=tuple(
            CellRecord(cell=cell.id, ended=cell.search.ended or "done", sealed=True)
            for cell in findings.cells
        ),
    )
    return replace(context, **changes)


def only(findings: Findings, cell: str) -> Findings:
    """The campaign as if it had had this cell alone."""
    return replace(
        findings,
        cells=tuple(each for each in findings.cells if each.id == cell),
        validity=tuple(each for each in findings.validity if each.cell == cell),
    )


def with_steps(findings: Findings, steps: Sequence[StepFinding]) -> Findings:
    """The first cell alone, with these steps."""
    return replace(findings, cells=(replace(findings.cells[0], steps=tuple(steps)),))


def hostile(findings: Findings) -> Findings:
    """The same campaign, every fact that is text made hostile."""
    cells = tuple(
        replace(
            cell,
            workload=HOSTILE,
            capacity=replace(cell.capacity, evidence=(HOSTILE, f"1. {HOSTILE}")),
            search=replace(cell.search, ended=HOSTILE),
            recommendation=replace(cell.recommendation, paste=(f"# {HOSTILE}", "a: ```")),
            steps=tuple(
                replace(
                    step,
                    slo={name: replace(slo, note=HOSTILE) for name, slo in step.slo.items()},
                )
                for step in cell.steps
            ),
            defaults=(HOSTILE,),
        )
        for cell in findings.cells
    )
    issues = tuple(replace(each, evidence=HOSTILE, remedy=HOSTILE) for each in findings.validity)
    return replace(
        findings, cells=cells, validity=issues, environment={"host": {"cpu_model": HOSTILE}}
    )
