"""Every metric of one cell, from its findings; where there is none, why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.types import Metric
from harness.analysis.findings.types import CellFinding, SpreadFinding, StepFinding

Place = tuple[str, int | None]
"""A metric's key, and the concurrency where it is one of a step."""


class Known(NamedTuple):
    """A figure, or why there is none.

    `grain`: the smallest change it can show, as a share of it: a count of five runs moves in steps
    of 0.2. 0 where that does not matter. `beyond`: there is none because it is beyond all bounds,
    which is worse than any figure.
    """

    value: float | None
    why: str = ""
    grain: float = 0.0
    beyond: bool = False


BEYOND_RUNS = "beyond all bounds: half of the runs or more never got there"
BEYOND = {"probe_s": "beyond all bounds: more than half of the probes were not answered"}


class _Part(NamedTuple):
    """One step's contribution. `runs` that never happened are beyond all bounds."""

    value: float | None
    weight: float
    beyond: bool = False


def cell_values(cell: CellFinding) -> dict[Place, Known]:
    """Every metric of the cell; those of a step at each concurrency it went to.

    Of a cell without a valid step nothing is known: not even its idle memory, because what made
    its steps void may have been there before them.

    All judged steps of one concurrency count together, weighted by what stands behind each: times
    by their runs, so that a step of few runs does not pull as one of many; rates and memory by
    the length of the hold, so that throughput is all runs ÷ all time.
    """
    found: dict[Place, Known] = {}
    for metric in METRICS:
        if not metric.at_load:
            found[metric.key, None] = _of_cell(cell, metric)
    for load in sorted({step.concurrency for step in cell.steps if step.kind != "fault"}):
        steps = _steps_at(cell, load)
        for metric in METRICS:
            if metric.at_load:
                found[metric.key, load] = _of_steps(cell, metric, steps)
    return found


def _of_cell(cell: CellFinding, metric: Metric) -> Known:
    if not any(step.verdict != "invalid" for step in cell.steps):
        return Known(None, "no valid step")
    value, why = _CELL[metric.key](cell)
    return Known(value, "" if value is not None else why)


def _steps_at(cell: CellFinding, load: int) -> tuple[StepFinding, ...]:
    """The steps at this concurrency; in an open model without the unloaded one, which is closed."""
    steps = [step for step in cell.steps if step.concurrency == load and step.kind != "fault"]
    loaded = [step for step in steps if step.kind != "unloaded"]
    mixed = len({step.load_model for step in steps}) > 1
    return tuple(loaded if mixed else steps)


def _of_steps(cell: CellFinding, metric: Metric, steps: Sequence[StepFinding]) -> Known:
    judged = [step for step in steps if step.verdict != "invalid"]
    if not judged:
        return Known(None, f"no valid step at {steps[0].concurrency}")
    read, why = _STEP[metric.key]
    parts = [read(step) for step in judged]
    if any(part.beyond for part in parts):
        return Known(None, BEYOND.get(metric.key, BEYOND_RUNS), beyond=True)
    known = [(part.value, part.weight) for part in parts if part.value is not None and part.weight]
    if not known:
        return Known(None, f"{why} (Dagster {cell.dagster}, feed {cell.feed})")
    weight = sum(each for _, each in known)
    value = sum(each * share for each, share in known) / weight
    grain = 0.0
    if metric.key == "throughput_runs_per_s" and value:
        grain = 1 / (value * weight)
    return Known(value, "", grain)


def _spread(read: Callable[[StepFinding], SpreadFinding]) -> Callable[[StepFinding], _Part]:
    def part(step: StepFinding) -> _Part:
        spread = read(step)
        return _Part(spread.p50, spread.n, beyond=spread.n > 0 and spread.p50 is None)

    return part


def _by_runs(read: Callable[[StepFinding], float | None]) -> Callable[[StepFinding], _Part]:
    return lambda step: _Part(read(step), step.completed)


def _by_time(read: Callable[[StepFinding], float | None]) -> Callable[[StepFinding], _Part]:
    return lambda step: _Part(read(step), step.hold_s or 0.0)


def _probe(step: StepFinding) -> _Part:
    probes = step.probe_s
    return _Part(probes.p50, probes.n, beyond=2 * probes.lost > probes.n)


_CELL: dict[str, Callable[[CellFinding], tuple[float | None, str]]] = {
    "launch_cpu_s": lambda cell: (cell.cpu.launch_cpu_s, "no CPU reading, or no run that ended"),
    "base_mib": lambda cell: (cell.memory.base_mib, "no memory reading of the idle server"),
    "per_run_mib": lambda cell: (cell.memory.per_run_mib, "no line through the steps' memory"),
    "peak_per_run_mib": lambda cell: (
        cell.memory.peak_per_run_mib, "no line through the steps' memory peaks"
    ),
    "idle_cores": lambda cell: (cell.cpu.idle_cores, "no CPU reading of the idle server"),
}  # fmt: skip

_NO_STAMP = "the event log does not tell this phase"

_STEP: dict[str, tuple[Callable[[StepFinding], _Part], str]] = {
    "launch_s": (_spread(lambda step: step.launch_s), "no run was launched"),
    "response_s": (_spread(lambda step: step.response_s), "no run came to an end"),
    "accept_s": (_by_runs(lambda step: step.phases.accept_s), _NO_STAMP),
    "queue_s": (_by_runs(lambda step: step.phases.queue_s), _NO_STAMP),
    "spawn_s": (_by_runs(lambda step: step.phases.spawn_s), _NO_STAMP),
    "import_s": (_by_runs(lambda step: step.phases.import_s), _NO_STAMP),
    "first_step_s": (_by_runs(lambda step: step.phases.first_step_s), _NO_STAMP),
    "cpu_s_per_run": (_by_runs(lambda step: step.cpu_s_per_run), "no CPU reading"),
    "throughput_runs_per_s": (_by_time(lambda step: step.throughput_runs_per_s), "no hold"),
    "launch_work": (_by_runs(lambda step: step.launch_work), "no reading of the machine's pace"),
    "run_rss_mib": (_by_time(lambda step: step.run_rss_mib), "no reading of the processes"),
    "probe_s": (_probe, "no probe was answered"),
}
