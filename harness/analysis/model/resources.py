"""What one run costs the server: memory while it lives, CPU to start it, CPU of its own work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import Samples
from harness.analysis.model.cpu_cost import (
    idle_cores_of,
    interval_of,
    launch_cpu_of,
    mean,
    own_work,
    step_costs,
)
from harness.analysis.model.memory_cost import PerRun, base_bytes, peak_per_run, per_run, slope
from harness.facts.model import Cell, Phase, Run

__all__ = ["PerRun", "Resources", "resources_of", "slope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the server takes idle and what a run adds, over all steps of one cell.

    `base_bytes`: anonymous memory of one idle replica. `per_run`: of one resident run.
    `peak`: kernel peak of one replica on its share of the concurrency, the idle server a point
    too; more a run than `per_run`, because runs that are ending are still resident beside the
    ones that follow them. `launch_cpu_s`: CPU seconds per completed run beyond idling and beyond
    the runs' own work. `run_cpu_s`: mean of what the runs' own work reported. Their intervals
    (95 %) say how far equal sums over single steps scatter; `cpu_steps` and `run_cpu_n` (runs)
    say over how many. `idle_cpu_cores`: all replicas together. `launch_work`: CPU of a launch in
    bare Python starts (`StepCost.launch_work`), by step index.
    """

    base_bytes: float | None
    per_run: PerRun | None
    idle_cpu_cores: float | None
    launch_cpu_s: float | None
    run_cpu_s: float | None
    completed: int
    peak: PerRun | None = None
    launch_cpu_s_ci: tuple[float, float] | None = None
    run_cpu_s_ci: tuple[float, float] | None = None
    cpu_steps: int = 0
    run_cpu_n: int = 0
    launch_work: Mapping[int, float] = field(default_factory=dict)


def resources_of(
    cell: Cell, summaries: Sequence[StepSummary], *, runs: Sequence[Run], samples: Samples
) -> Resources:
    """The costs of one run in this cell.

    Args:
        summaries: of the measured steps; those without a hold window are left out.
        runs: of the cell.
        samples: of the cell.
    """
    idle = _idle_window(cell)
    idle_cores = idle_cores_of(samples, idle)
    work = [own_work(summary, runs) for summary in summaries]
    costs = step_costs(summaries, runs, samples, idle_cores=idle_cores or 0.0)
    run_cpu_s = mean([value for values in work for value in values])
    launch_s = launch_cpu_of(costs, run_cpu_s)
    return Resources(
        base_bytes=base_bytes(samples, idle),
        per_run=per_run(cell, summaries, samples=samples, idle=idle),
        idle_cpu_cores=idle_cores,
        launch_cpu_s=launch_s,
        run_cpu_s=run_cpu_s,
        completed=sum(cost.runs for cost in costs),
        peak=peak_per_run(cell, summaries, samples=samples, idle=idle),
        launch_cpu_s_ci=interval_of(launch_s, [(c.launch_s, c.runs) for c in costs]),
        run_cpu_s_ci=interval_of(run_cpu_s, [(mean(values), len(values)) for values in work]),
        cpu_steps=len(costs),
        run_cpu_n=sum(len(values) for values in work),
        launch_work={cost.step: cost.launch_work for cost in costs if cost.launch_work is not None},
    )


def _idle_window(cell: Cell) -> Phase | None:
    start_s, end_s = cell.idle_start_s, cell.idle_end_s
    if start_s is None or end_s is None or end_s <= start_s:
        return None
    return Phase(name="idle", start_s=start_s, end_s=end_s)
