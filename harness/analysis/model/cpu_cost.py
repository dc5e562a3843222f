"""CPU a run costs: to start it, and for its own work; and what idling costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import stdtrit

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import Samples, counters, gauges, runs_of_step, whole_of
from harness.facts.model import Phase, Run

INTERVAL_STEPS = 3
"""Fewer steps have no interval of their mean."""

IDLE_BIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """One step's CPU: above idling, over `runs` runs, and what their own work took of it.

    `step`: its index. `start_s`: CPU seconds of a bare Python start in the same seconds, where the
    device `pace` was there to see.
    """

    step: int
    spent_s: float
    runs: int
    work_s: float | None
    start_s: float | None = None

    @property
    def launch_work(self) -> float | None:
        """CPU of a launch in bare Python starts of the same seconds: what is busy beside the
        server slows both alike, so it cancels.
        """
        launch_s = self.launch_s
        if launch_s is None or launch_s <= 0 or not self.start_s:
            return None
        return launch_s / self.start_s

    @property
    def launch_s(self) -> float | None:
        """CPU seconds of a run that its work did not take."""
        return None if self.work_s is None else self.spent_s / self.runs - self.work_s


def idle_cores_of(samples: Samples, idle: Phase | None) -> float | None:
    """CPU of the idle server, all replicas: of each the lower quartile over bins of a second.

    Not the mean, nor the median of a short window: the warm-up's last run is still on its way out
    when the window begins, on half a CPU for two seconds of three. Bins of a second hold one poll
    each.
    """
    if idle is None:
        return None
    edges = np.linspace(
        idle.start_s, idle.end_s, max(1, int((idle.end_s - idle.start_s) / IDLE_BIN_S)) + 1
    )
    rates: dict[str, list[float]] = {}
    for start_s, end_s in pairwise(edges.tolist()):
        part = Phase(name="idle", start_s=start_s, end_s=end_s)
        for source, growth in counters(samples, "cgroup", "cpu_s", window=part).items():
            rates.setdefault(source, []).append(growth.rate)
    if not rates:
        return None
    return sum(float(np.quantile(seen, 0.25, method="lower")) for seen in rates.values())


def step_costs(
    summaries: Sequence[StepSummary], runs: Sequence[Run], samples: Samples, *, idle_cores: float
) -> list[StepCost]:
    """CPU above idle of each step, all replicas together.

    Over whole steps, drain included: every run a step launched also ends in it, so what was
    spent and what was done belong together exactly. A hold window would count the launches of
    runs that end after it. Steps with any other ending than success are left out.
    """
    costs = []
    for summary in summaries:
        step = summary.step
        own = [run for run in runs if run.step == step.index]
        window = whole_of(step)
        if not own or window is None or any(run.status != "SUCCESS" for run in own):
            continue
        used = counters(samples, "cgroup", "cpu_s", window=window)
        if not used:
            continue
        cores = sum(each.rate for each in used.values()) - idle_cores
        work = [run.work_cpu_s for run in own if run.work_cpu_s is not None]
        costs.append(
            StepCost(
                step=summary.step.index,
                spent_s=cores * (window.end_s - window.start_s),
                runs=len(own),
                work_s=mean(work),
                start_s=_bare_start_s(samples, window),
            )
        )
    return costs


def _bare_start_s(samples: Samples, window: Phase) -> float | None:
    seen = gauges(samples, "pace", "start_cpu_s", window=window)
    return mean([value for values in seen.values() for value in values.tolist()])


def own_work(summary: StepSummary, runs: Sequence[Run]) -> list[float]:
    """What the successful runs of a step said of their own work, in CPU seconds."""
    return [
        run.work_cpu_s
        for run in runs_of_step(runs, summary.step)
        if run.status == "SUCCESS" and run.work_cpu_s is not None
    ]


def launch_cpu_of(costs: Sequence[StepCost], run_cpu_s: float | None) -> float | None:
    """What is left of all the CPU of all runs without their work; unknown where nothing is."""
    completed = sum(cost.runs for cost in costs)
    if not completed or run_cpu_s is None:
        return None
    left_s = sum(cost.spent_s for cost in costs) / completed - run_cpu_s
    return left_s if left_s > 0 else None


def interval_of(
    middle: float | None, means: Sequence[tuple[float | None, int]]
) -> tuple[float, float] | None:
    """95 % interval of a weighted mean from the scatter of its parts, not below zero.

    Steps are the units, not runs: runs of one step share its moment of the machine. Half width:
    t(0.975, k − 1) · √(k ⁄ (k − 1) · Σ wᵢ² (xᵢ − m)²), wᵢ the share of the runs.

    Args:
        middle: the mean m.
        means: of each step (xᵢ, its runs); `None` where it has none.
    """
    known = [(value, runs) for value, runs in means if value is not None]
    k = len(known)
    if middle is None or k < INTERVAL_STEPS:
        return None
    runs = np.array([count for _, count in known], dtype=np.float64)
    off = np.array([value for value, _ in known]) - middle
    error = math.sqrt(k / (k - 1) * float(((runs / runs.sum()) ** 2 * off**2).sum()))
    half = float(stdtrit(k - 1, 0.975)) * error
    return max(0.0, middle - half), middle + half


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean, `None` of nothing."""
    return float(np.mean(values)) if values else None
