"""What the question is asked of, and what the answer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.judging import JudgedCell, JudgedStep
from harness.analysis.measures.windows import CellRecord, Samples
from harness.analysis.model.resources import Resources
from harness.facts.model import Cell, Event, Run

Limit = Literal["launch_cpu", "worker_pool", "memory", "control_plane", "run_cpu"]

LIMITS: tuple[Limit, ...] = ("memory", "launch_cpu", "run_cpu", "control_plane", "worker_pool")
"""In the order in which the first of equals is named: the hard wall, then the server's CPU, then
doubt, and the worker pool last, because a starved server queues requests too."""

Strength = Literal["clear", "likely", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The limit that gave way first, and why it is taken to be that one.

    `limit` is `None` when nothing stands out, or when the CPU does and nothing tells whose it is;
    `strength` is `unclear` then. `evidence` has sentences with the figures of the failing step and
    of the one below it. `runner_up` is another limit for which something speaks.
    `ruled_out` says of each other limit why it is not that one; a limit that could not be judged
    is not ruled out, and `evidence` says so.
    """

    limit: Limit | None
    evidence: tuple[str, ...]
    runner_up: Limit | None = None
    strength: Strength = "unclear"
    ruled_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingEvidence:
    """Everything there is to look at.

    Attributes:
        failing: the failed steps of one concurrency, one a repetition; not empty.
        below: the step next below in concurrency, best one that held; `None` where none was run.
        resources: of the cell; they tell the CPU of launching from the runs' own.
        cell: what was measured.
        host_cpus: CPUs of the machine, `None` where unknown.
        samples: of the cell.
        events: of the cell, by time.
        runs: of the cell. Without them the CPU is split by the cost of one run, and nothing is
            known of how runs failed.
    """

    failing: tuple[JudgedStep, ...]
    below: JudgedStep | None
    resources: Resources
    cell: Cell
    host_cpus: float | None
    samples: Samples
    events: Sequence[Event] = ()
    runs: Sequence[Run] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` without a failing step."""
        if not self.failing:
            raise ValueError("which limit binds can only be asked of a step that failed")


def evidence_at(
    judged: JudgedCell,
    record: CellRecord,
    *,
    concurrency: int | None,
    resources: Resources,
    host_cpus: float | None,
) -> BindingEvidence | None:
    """The evidence at one concurrency of a cell; `None` where no step failed there.

    Args:
        judged: the cell.
        record: its facts.
        concurrency: the first one that failed, `None` where none did.
        resources: of the cell.
        host_cpus: CPUs of the machine, `None` where unknown.
    """
    failing = tuple(
        step
        for step in judged.steps
        if step.verdict == "fail" and step.summary.concurrency == concurrency
    )
    if not failing or concurrency is None:
        return None
    lower = [step for step in judged.steps if step.summary.concurrency < concurrency]
    passed = [step for step in lower if step.verdict == "pass"]
    return BindingEvidence(
        failing=failing,
        below=max(passed or lower, key=lambda step: step.summary.concurrency, default=None),
        resources=resources,
        cell=record.cell,
        host_cpus=host_cpus,
        samples=record.samples,
        events=record.events,
        runs=record.runs,
    )
