"""From a cell's figures to the model of it, and from several sizes of one workload to one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from harness.analysis.measures.percentiles import Quantile
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.cell_model import UNKNOWN_TAIL, CellModel, Figure, Kind
from harness.analysis.model.resources import Resources
from harness.facts.model import Cell

__all__ = ["CellModel", "Figure", "Kind", "kind_of", "model_of", "pooled"]

Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alone:
    """What a run takes unloaded, in seconds, over `runs` runs; `core`: of one it can use."""

    response_s: float
    launch_s: float
    runs: int
    core: float


def kind_of(cell: Cell) -> Kind:
    """What a model of this cell is valid for."""
    facts = {**cell.params, "sensors": cell.sensors}
    return Kind(
        workload=cell.workload,
        params=", ".join(f"{name}={facts[name]!r}" for name in sorted(facts)),
        dagster=cell.dagster,
        executor=cell.executor,
        feed=cell.feed,
        target=cell.target,
    )


def model_of(
    cell: Cell, summaries: Sequence[StepSummary], resources: Resources
) -> CellModel | None:
    """The model of one cell.

    Args:
        summaries: of the steps to learn from; without steps under load the tails are unknown.
        resources: of the same steps.

    Returns:
        `None` when no run succeeded unloaded, or the CPU of launching or of the runs' own work
        is not known, or idling takes all there is.
    """
    idle_cores = (resources.idle_cpu_cores or 0.0) / cell.replicas
    alone = _alone(summaries, core=min(1.0, cell.vcpu - idle_cores))
    launch_cpu_s, run_cpu_s = resources.launch_cpu_s, resources.run_cpu_s
    if alone is None or launch_cpu_s is None or run_cpu_s is None:
        return None
    launch = _figure(launch_cpu_s, resources.launch_cpu_s_ci, n=resources.cpu_steps)
    work = _figure(run_cpu_s, resources.run_cpu_s_ci, n=resources.run_cpu_n)
    before_s = min(launch_cpu_s, alone.launch_s * alone.core)
    base, per_run = _memory(resources)
    model = CellModel(
        kind=kind_of(cell),
        profiles=(cell.profile,),
        vcpu=cell.vcpu,
        base_bytes=base,
        bytes_per_run=per_run,
        launch_cpu_s=launch,
        run_cpu_s=work,
        idle_cores=idle_cores,
        z_s=_thinking(alone, launch, work),
        launch_wait_s=max(0.0, alone.launch_s - before_s / alone.core),
        launch_before_s=before_s,
        hold_share=_hold_share(cell, summaries),
    )
    return _with_tails(model, cell, summaries) if cell.limits_enforced else model


def pooled(models: Sequence[CellModel]) -> CellModel:
    """One model of several sizes: the median of every figure.

    Intervals span those of the models, and their values where a model has no interval: sizes
    that disagree widen them.

    Raises:
        ValueError: no model, or models of different kinds.
    """
    if not models or len({model.kind for model in models}) > 1:
        raise ValueError("only models of one kind can be pooled, and at least one")
    if len(models) == 1:
        return models[0]

    def over(figure: Callable[[CellModel], Figure | None]) -> Figure | None:
        return _together([found for model in models if (found := figure(model)) is not None])

    first = models[0]
    return replace(
        first,
        profiles=tuple(dict.fromkeys(name for model in models for name in model.profiles)),
        vcpu=None,
        base_bytes=over(lambda model: model.base_bytes),
        bytes_per_run=over(lambda model: model.bytes_per_run),
        launch_cpu_s=over(lambda model: model.launch_cpu_s) or first.launch_cpu_s,
        run_cpu_s=over(lambda model: model.run_cpu_s) or first.run_cpu_s,
        idle_cores=median(model.idle_cores for model in models),
        z_s=over(lambda model: model.z_s) or first.z_s,
        launch_wait_s=median(model.launch_wait_s for model in models),
        launch_before_s=median(model.launch_before_s for model in models),
        hold_share=over(lambda model: model.hold_share),
        tail_response=over(lambda model: _seen(model.tail_response)) or UNKNOWN_TAIL,
        tail_launch=over(lambda model: _seen(model.tail_launch)) or UNKNOWN_TAIL,
    )


def _alone(summaries: Sequence[StepSummary], *, core: float) -> _Alone | None:
    """Medians over the unloaded steps."""
    times = [each.times for each in summaries if each.step.kind == "unloaded"]
    response = _middle([each.response_s.p50 for each in times])
    launch = _middle([each.launch_s.p50 for each in times])
    if response is None or launch is None or core <= 0:
        return None
    runs = sum(each.response_s.p50.n for each in times if each.response_s.p50)
    return _Alone(response_s=response, launch_s=launch, runs=runs, core=core)


def _memory(resources: Resources) -> tuple[Figure | None, Figure | None]:
    """Base and slope of the kernel peak; unknown where it does not grow with the runs."""
    peak = resources.peak
    if peak is None or peak.at_zero_bytes is None or peak.bytes_per_run <= 0:
        return None, None
    slope = _figure(peak.bytes_per_run, peak.ci_bytes, n=peak.points)
    return Figure(value=peak.at_zero_bytes, n=peak.points), slope


def _thinking(alone: _Alone, launch: Figure, work: Figure) -> Figure:
    """What the CPU time leaves of the response; the more CPU, the less of it is waiting."""

    def left(cpu_s: float) -> float:
        return max(0.0, alone.response_s - cpu_s / alone.core)

    low = high = None
    if launch.high is not None and work.high is not None:
        low = left(launch.high + work.high)
    if launch.low is not None and work.low is not None:
        high = left(launch.low + work.low)
    return Figure(value=left(launch.value + work.value), low=low, high=high, n=alone.runs)


def _hold_share(cell: Cell, summaries: Sequence[StepSummary]) -> Figure | None:
    """Spawn phase (direct feed without it: accepting) ÷ launch time, medians of each step."""
    shares = []
    for summary in summaries:
        phases, launch = summary.times.phases, summary.times.launch_s.p50
        accepting_s = phases.accept_s if cell.feed == "direct" else None
        hold_s = phases.spawn_s if phases.spawn_s is not None else accepting_s
        if hold_s is not None and launch is not None and launch.finite:
            shares.append(Figure(value=min(1.0, hold_s / launch.finite), n=1))
    return _together(shares)


def _with_tails(model: CellModel, cell: Cell, summaries: Sequence[StepSummary]) -> CellModel:
    """p95 seen ÷ mean modelled, over the steps of a closed system under load."""
    response: list[Figure] = []
    launch: list[Figure] = []
    for summary in summaries:
        times = summary.times
        if summary.step.kind != "load" or summary.step.load_model != "closed":
            continue
        at = model.at(math.ceil(summary.concurrency / cell.replicas), vcpu=cell.vcpu)
        for p95, mean_s, ratios in (
            (times.response_s.p95, at.response_s, response),
            (times.launch_s.p95, model.launch_s(at), launch),
        ):
            if p95 is not None and p95.finite is not None and mean_s > 0:
                ratios.append(Figure(value=p95.finite / mean_s, n=1))
    return replace(
        model,
        tail_response=_together(response) or UNKNOWN_TAIL,
        tail_launch=_together(launch) or UNKNOWN_TAIL,
    )


def _together(figures: Sequence[Figure]) -> Figure | None:
    """The median; the lowest and the highest end as interval, from two figures on."""
    if not figures:
        return None
    if len(figures) == 1:
        return figures[0]
    ends = [end for f in figures for end in (f.low, f.value, f.high) if end is not None]
    return Figure(
        value=median(f.value for f in figures),
        low=min(ends),
        high=max(ends),
        n=sum(f.n for f in figures),
    )


def _seen(tail: Figure) -> Figure | None:
    return tail if tail.n else None


def _figure(value: float, interval: Interval, *, n: int) -> Figure:
    low, high = interval or (None, None)
    return Figure(value=value, low=low, high=high, n=n)


def _middle(quantiles: Sequence[Quantile | None]) -> float | None:
    known = [each.finite for each in quantiles if each is not None and each.finite is not None]
    return median(known) if known else None
