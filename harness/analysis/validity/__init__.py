"""Doubt the measurement before the server: what could make these facts say something else.

A `fatal` issue voids the verdict of its step, or of the whole cell when it comes from
`cell_issues`. A `warning` stays beside the verdict. Every check looks at recorded facts only; its
thresholds stand at the head of its module with their reasons, and all of them in
docs/validity.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import Samples
from harness.analysis.validity import (
    arithmetic,
    clock,
    control_plane,
    generator,
    host,
    patience,
    sampling,
    server,
    work,
)
from harness.analysis.validity.case import CellCase, CellCheck, StepCase, StepCheck
from harness.analysis.validity.issue import Code, Issue, Severity
from harness.facts.model import Cell, Run

__all__ = ["Code", "Issue", "Severity", "cell_issues", "step_issues"]

_STEP_CHECKS: tuple[StepCheck, ...] = (
    *server.STEP_CHECKS,
    *generator.STEP_CHECKS,
    *control_plane.STEP_CHECKS,
    *patience.STEP_CHECKS,
    *clock.STEP_CHECKS,
    *host.STEP_CHECKS,
    *sampling.STEP_CHECKS,
    *arithmetic.STEP_CHECKS,
)
_CELL_CHECKS: tuple[CellCheck, ...] = (
    *server.CELL_CHECKS,
    *clock.CELL_CHECKS,
    *sampling.CELL_CHECKS,
    *host.CELL_CHECKS,
    *work.CELL_CHECKS,
)


def cell_issues(
    cell: Cell,
    summaries: Sequence[StepSummary],
    *,
    samples: Samples,
    unloaded_s: float | Mapping[str, float] | None,
    host_cpus: float | None = None,
    runs: Sequence[Run] = (),
) -> list[Issue]:
    """Doubts about the cell as a whole.

    Args:
        cell: as it was meant and as it was.
        summaries: of its measured steps.
        samples: of the cell.
        unloaded_s: its unloaded median response, `None` or empty where unknown.
        host_cpus: CPUs of the machine; without them nothing is said about a full machine.
        runs: of all steps; without them nothing is said about the runs' own work.
    """
    case = CellCase(
        cell=cell,
        summaries=tuple(summaries),
        runs=runs,
        samples=samples,
        unloaded_known=bool(unloaded_s),
        host_cpus=host_cpus,
    )
    return [issue for check in _CELL_CHECKS for issue in check(case)]


def step_issues(
    cell: Cell, summary: StepSummary, *, runs: Sequence[Run], samples: Samples
) -> list[Issue]:
    """Doubts about one step.

    Args:
        cell: the cell it belongs to.
        summary: its figures; `hold` is the judged window.
        runs: of the cell; other steps' runs are ignored.
        samples: of the cell.
    """
    own = tuple(run for run in runs if run.step == summary.step.index)
    case = StepCase(cell=cell, summary=summary, runs=own, samples=samples)
    return [issue for check in _STEP_CHECKS for issue in check(case)]
