"""A judged cell as it stands in `findings.json`: its answer, and all that stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.advice.recommendation import Background, recommend
from harness.analysis.binding import Binding, binding_at
from harness.analysis.blast import blasts_of
from harness.analysis.capacity import Capacity, capacity_of, with_binding
from harness.analysis.findings.steps import step_finding, value_of
from harness.analysis.findings.types import (
    BindingFinding,
    CellFinding,
    CpuFinding,
    MemoryFinding,
    ModelFinding,
    ProfileFinding,
    SearchFinding,
)
from harness.analysis.judging import JudgedCell, JudgedStep
from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import CellRecord
from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.fitting import model_of
from harness.analysis.model.knee import knee_of
from harness.analysis.model.memory_cost import PerRun
from harness.analysis.model.prediction import predict, setting_of
from harness.analysis.model.resources import Resources
from harness.analysis.model.usl import Usl, fit_usl
from harness.analysis.search.base import Observation, observe
from harness.analysis.workers.dagster_defaults import (
    default_sentences,
    defaults_here,
    defaults_on_fargate,
    steps_at_once,
)
from harness.analysis.workers.rule import WorkerFinding
from harness.campaign.plan import CellPlan, Search
from harness.facts.model import Cell
from harness.facts.server_host import server_host
from harness.units import mib

FEEDING = frozenset(
    ("queue_limited", "generator_busy", "generator_late", "load_not_offered", "arrivals_dropped",
     "support_busy", "support_throttled", "webserver_slow", "webserver_unreachable",
     "database_full")
)  # fmt: skip
"""Fatal doubts that say: what fed the server gave out before it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRecord:
    """A cell's facts, their verdicts, and what a run costs there."""

    record: CellRecord
    judged: JudgedCell
    resources: Resources

    @property
    def cell(self) -> Cell:
        """What was measured."""
        return self.record.cell

    @property
    def summaries(self) -> list[StepSummary]:
        """Of the sound steps, in their order."""
        return [step.summary for step in self.judged.sound]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known beside one cell: its plan, the search, the host, its neighbours."""

    search: Search
    environment: Mapping[str, Any]
    host_cpus: float | None
    plan: CellPlan | None
    workers: tuple[WorkerFinding, ...]


def observation_of(judged: JudgedStep) -> Observation:
    """What a judged step tells a search, and the capacity."""
    response = judged.summary.times.response_s.p95
    return observe(
        judged.summary.concurrency, judged.verdict, judged.slos, runs=response.n if response else 0
    )


def capacity_in(judged: JudgedCell, *, confidence: float) -> Capacity:
    """The capacity a judged cell supports, its binding limit not yet named."""
    return capacity_of(
        [observation_of(step) for step in judged.sound],
        broken=[(step.summary.concurrency, step.broken[0]) for step in judged.sound if step.broken],
        confidence=confidence,
    )


def cell_finding(found: JudgedRecord, around: Surroundings) -> CellFinding:
    """Everything about one cell."""
    cell, judged, resources = found.cell, found.judged, found.resources
    capacity, binding = _answer(found, around)
    at_capacity = _at_capacity(judged, capacity)
    model = model_of(cell, found.summaries, resources)
    return CellFinding(
        id=cell.id,
        profile=ProfileFinding(
            name=cell.profile, vcpu=cell.vcpu, memory_mib=mib(cell.memory_bytes)
        ),
        workload=cell.workload,
        run_s=_run_s(cell, judged),
        unloaded_response_s=dict(judged.unloaded_s),
        dagster=cell.dagster,
        max_workers=cell.max_workers,
        replicas=cell.replicas,
        feed=cell.feed,
        target=cell.target,
        limits_enforced=cell.limits_enforced,
        max_concurrent_runs=cell.max_concurrent_runs,
        search=_search(found, around.search),
        capacity=capacity,
        binding=_binding_finding(binding),
        knee=knee_of(found.summaries),
        throughput_runs_per_s=_mean([s.throughput_runs_per_s for s in at_capacity]),
        memory=_memory(resources),
        cpu=_cpu(resources),
        model=_model(model),
        predicted=predict(model, setting_of(cell), cell.slos) if model else None,
        usl=_usl(found.summaries),
        blasts=blasts_of(found.record),
        steps=tuple(
            step_finding(step, launch_work=resources.launch_work.get(step.summary.step.index))
            for step in judged.steps
        ),
        recommendation=recommend(
            cell,
            capacity,
            at_capacity[0] if at_capacity else None,
            background=_background(found, around),
        ),
        defaults=_defaults(cell, around),
        repetition=cell.repetition,
        software=_software(cell.detail),
    )


def _software(detail: Mapping[str, Any]) -> dict[str, str]:
    """What the target said it ran, as far as it said so."""
    images = detail.get("images") or {}
    said = {
        "dagster": detail.get("dagster_version"),
        "lock": (detail.get("lock") or {}).get("sha256"),
        "image": (images.get("dagster") or {}).get("name"),
        "database": detail.get("postgres") or (images.get("postgres") or {}).get("name"),
    }
    return {name: str(value) for name, value in said.items() if value}


def _answer(found: JudgedRecord, around: Surroundings) -> tuple[Capacity, Binding | None]:
    """The capacity with the limit that binds, and what is known of that limit."""
    judged = found.judged
    capacity = capacity_in(judged, confidence=around.search.confidence)
    binding = binding_at(
        judged,
        found.record,
        concurrency=capacity.first_failing,
        resources=found.resources,
        host_cpus=around.host_cpus,
    )
    if binding is None:
        return _fed_to_the_end(judged, capacity), None
    sure = binding.strength != "unclear"
    return with_binding(capacity, binding.limit, binding.evidence, sure=sure), binding


def _fed_to_the_end(judged: JudgedCell, capacity: Capacity) -> Capacity:
    """Where nothing broke because nothing more could be fed, that is what bound."""
    held = capacity.concurrency or 0
    starved = [
        f"at {step.summary.concurrency}: {issue.evidence}"
        for step in judged.sound
        if step.verdict == "invalid" and step.summary.concurrency > held
        for issue in step.issues
        if issue.severity == "fatal" and issue.code in FEEDING
    ]
    return with_binding(capacity, "control_plane", starved) if starved else capacity


def _at_capacity(judged: JudgedCell, capacity: Capacity) -> list[StepSummary]:
    """The passing steps at the capacity."""
    return [
        step.summary
        for step in judged.sound
        if step.verdict == "pass" and step.summary.concurrency == capacity.concurrency
    ]


def _binding_finding(binding: Binding | None) -> BindingFinding | None:
    if binding is None:
        return None
    return BindingFinding(
        limit=binding.limit,
        strength=binding.strength,
        runner_up=binding.runner_up,
        evidence=binding.evidence,
        ruled_out=binding.ruled_out,
    )


def _search(found: JudgedRecord, search: Search) -> SearchFinding:
    return SearchFinding(
        strategy=search.strategy,
        confidence=search.confidence,
        steps=len(found.judged.steps),
        ended=found.cell.ended,
    )


def _run_s(cell: Cell, judged: JudgedCell) -> float | None:
    """As planned, else the median execution time of the unloaded steps."""
    if cell.run_s is not None:
        return cell.run_s
    unloaded = [step.summary for step in judged.steps if step.summary.step.kind == "unloaded"]
    return _mean([value_of(summary.times.exec_s.p50) for summary in unloaded])


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _memory(resources: Resources) -> MemoryFinding:
    per_run, peak = resources.per_run, resources.peak
    at_zero = peak.at_zero_bytes if peak else None
    return MemoryFinding(
        base_mib=None if resources.base_bytes is None else mib(resources.base_bytes),
        per_run_mib=mib(per_run.bytes_per_run) if per_run else None,
        per_run_mib_ci=_interval_mib(per_run),
        method=per_run.method if per_run else None,
        points=per_run.points if per_run else 0,
        peak_base_mib=None if at_zero is None else mib(at_zero),
        peak_per_run_mib=mib(peak.bytes_per_run) if peak else None,
        peak_per_run_mib_ci=_interval_mib(peak),
    )


def _interval_mib(per_run: PerRun | None) -> tuple[float, float] | None:
    interval = per_run.ci_bytes if per_run else None
    return (mib(interval[0]), mib(interval[1])) if interval else None


def _cpu(resources: Resources) -> CpuFinding:
    return CpuFinding(
        launch_cpu_s=resources.launch_cpu_s,
        launch_cpu_s_ci=resources.launch_cpu_s_ci,
        run_cpu_s=resources.run_cpu_s,
        run_cpu_s_ci=resources.run_cpu_s_ci,
        idle_cores=resources.idle_cpu_cores,
        n=resources.completed,
    )


def _model(model: CellModel | None) -> ModelFinding | None:
    if model is None:
        return None
    return ModelFinding(
        launch_cpu_s=model.launch_cpu_s,
        run_cpu_s=model.run_cpu_s,
        z_s=model.z_s,
        base_mib=_figure_mib(model.base_bytes),
        per_run_mib=_figure_mib(model.bytes_per_run),
        tail_response=model.tail_response,
        tail_launch=model.tail_launch,
        hold_share=model.hold_share,
        max_launch_rate_per_s=model.max_launch_rate_per_s,
        launch_ceiling_per_s=model.launch_ceiling_per_s,
    )


def _figure_mib(figure: Figure | None) -> Figure | None:
    if figure is None:
        return None
    low, high = figure.low, figure.high
    return Figure(
        value=mib(figure.value),
        low=None if low is None else mib(low),
        high=None if high is None else mib(high),
        n=figure.n,
    )


def _usl(summaries: Sequence[StepSummary]) -> Usl:
    return fit_usl(
        [
            (summary.concurrency, summary.throughput_runs_per_s)
            for summary in summaries
            if summary.step.load_model == "closed" and summary.throughput_runs_per_s is not None
        ]
    )


def _background(found: JudgedRecord, around: Surroundings) -> Background:
    cell, plan = found.cell, around.plan
    own = (each for each in around.workers if each.setting == "max_workers")
    environment = plan.workload.environment if plan else {}
    return Background(
        resources=found.resources,
        workers=next((each for each in own if cell.id in each.cells), None),
        steps_at_once=steps_at_once(cell, environment, around.host_cpus),
    )


def _defaults(cell: Cell, around: Surroundings) -> tuple[str, ...]:
    known = (defaults_here(cell, server_host(around.environment)), defaults_on_fargate(cell))
    sentences = [text for each in known if each for text in default_sentences(cell, each)]
    return tuple(dict.fromkeys(sentences))
