"""Whose CPU it is: that of launching runs, or of the work they do."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.analysis.binding.evidence import BindingEvidence
from harness.analysis.judging import JudgedStep
from harness.analysis.measures.windows import runs_of_step
from harness.analysis.model.resources import Resources
from harness.facts.model import Phase

CHANCE = 2.0
"""Standard deviations: of counts that differ by less, nothing says that they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuShare:
    """How the CPU divides. Only the ratio of `launch` to `work` decides.

    They are cores of the judged window where runs tell what fell into it (`in_window`), else
    CPU-seconds a run. `launch_cpu_s` and `run_cpu_s` are the costs of one run behind them.
    `overlap`: the intervals of the two costs overlap, so the larger may be the smaller.
    """

    launch: float
    work: float
    launch_cpu_s: float
    run_cpu_s: float
    in_window: bool = False
    overlap: bool = False

    @property
    def launch_ratio(self) -> float:
        """Launching's part of both, 0 to 1."""
        return self.launch / (self.launch + self.work)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fell:
    """Launches and executions that fell into a window, one half inside counting half."""

    launches: float
    executions: float
    length_s: float


def share_of(evidence: BindingEvidence) -> CpuShare | None:
    """The division over the failing steps; `None` where the cost of one run is not known.

    In a steady state there are as many launches as executions. Where the window had more of one
    (a burst, runs longer than the window) by more than chance explains, it has more of that CPU.
    """
    costs = evidence.resources
    launch_s, run_s = costs.launch_cpu_s, costs.run_cpu_s
    if launch_s is None or run_s is None or launch_s + run_s <= 0:
        return None
    plain = CpuShare(
        launch=launch_s,
        work=run_s,
        launch_cpu_s=launch_s,
        run_cpu_s=run_s,
        overlap=_overlap(costs),
    )
    fell = [found for step in evidence.failing if (found := _fell(step, evidence)) is not None]
    return _in_window(plain, fell) if fell else plain


def _in_window(plain: CpuShare, fell: list[_Fell]) -> CpuShare:
    launches = sum(part.launches for part in fell)
    executions = sum(part.executions for part in fell)
    length_s = sum(part.length_s for part in fell)
    if abs(launches - executions) <= CHANCE * math.sqrt(launches + executions):
        launches = executions = (launches + executions) / 2
    launch = launches * plain.launch_cpu_s / length_s
    work = executions * plain.run_cpu_s / length_s
    if launch + work <= 0:
        return plain
    return CpuShare(
        launch=launch,
        work=work,
        launch_cpu_s=plain.launch_cpu_s,
        run_cpu_s=plain.run_cpu_s,
        in_window=True,
        overlap=plain.overlap,
    )


def _fell(step: JudgedStep, evidence: BindingEvidence) -> _Fell | None:
    """What of the runs' lives fell into the judged window.

    How long a run that never ended would have executed is not known. Then the work is what is
    left of the CPU that was used, and counts as so many executions.
    """
    summary, costs = step.summary, evidence.resources
    hold = summary.hold
    runs = runs_of_step(evidence.runs, summary.step, hold)
    if hold is None or not runs:
        return None
    length_s = hold.end_s - hold.start_s
    started = [run for run in runs if run.started_s is not None]
    launches = sum(_part(run.sent_s, run.started_s, hold) for run in started)
    executions = sum(_part(run.started_s, run.ended_s, hold) for run in started)
    used, run_s = summary.server.cpu_cores, costs.run_cpu_s
    if any(run.ended_s is None for run in started) and used is not None and run_s:
        left = used - (costs.idle_cpu_cores or 0.0)
        left -= launches * (costs.launch_cpu_s or 0.0) / length_s
        executions = max(0.0, left) * length_s / run_s
    return _Fell(launches=launches, executions=executions, length_s=length_s)


def _part(start_s: float | None, end_s: float | None, window: Phase) -> float:
    """The part of `[start_s, end_s)` inside the window, 0 to 1; 0 where one is not known."""
    if start_s is None or end_s is None:
        return 0.0
    if end_s <= start_s:
        return float(window.start_s <= start_s < window.end_s)
    inside_s = min(end_s, window.end_s) - max(start_s, window.start_s)
    return max(0.0, inside_s) / (end_s - start_s)


def _overlap(costs: Resources) -> bool:
    launch, work = costs.launch_cpu_s_ci, costs.run_cpu_s_ci
    if launch is None or work is None:
        return False
    return launch[0] <= work[1] and work[0] <= launch[1]
