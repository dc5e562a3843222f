"""The contract of `findings.json` (results/README.md) as dataclasses.

Every number in here is finite or `None`; sizes are in MiB because people read them, everything
else in SI base units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.analysis.advice.recommendation import Recommendation
from harness.analysis.blast import Blast
from harness.analysis.capacity import Capacity
from harness.analysis.measures.steps import LaunchPhases
from harness.analysis.model.cell_model import Figure
from harness.analysis.model.knee import Knee
from harness.analysis.model.prediction import Prediction
from harness.analysis.model.usl import Usl
from harness.analysis.slo import Verdict
from harness.analysis.workers.rule import WorkerFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFinding:
    """A task size."""

    name: str
    vcpu: float
    memory_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadFinding:
    """Median and p95 in seconds. `enough`: p95 is more than the largest value."""

    p50: float | None
    p95: float | None
    n: int
    enough: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFinding:
    """Probe times in seconds. `enough`: p99 is more than the largest value."""

    p50: float | None
    p99: float | None
    n: int
    lost: int
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFinding:
    """One objective. `ok` is `None` where it could not be decided; `note` says why."""

    observed: float | None
    limit: float
    ok: bool | None
    n: int
    note: str
    margin: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyFinding:
    """Which part of the hold was judged: `cut_s` were left out at its start, and why."""

    cut_s: float
    settled: bool
    method: str
    n: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFinding:
    """Memory in MiB: of an idle server, and of one more run with its 95 % interval.

    `per_run_mib` is anonymous memory on resident runs; `peak_per_run_mib` the kernel's peak on
    concurrency, which the objective looks at.
    """

    base_mib: float | None
    per_run_mib: float | None
    per_run_mib_ci: tuple[float, float] | None
    method: str | None
    points: int
    peak_base_mib: float | None
    peak_per_run_mib: float | None
    peak_per_run_mib_ci: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuFinding:
    """CPU seconds a run: to start it, and of its own work, with 95 % intervals over steps.

    `n` runs stand behind the first.
    """

    launch_cpu_s: float | None
    launch_cpu_s_ci: tuple[float, float] | None
    run_cpu_s: float | None
    run_cpu_s_ci: tuple[float, float] | None
    idle_cores: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFinding:
    """What predictions rest on (docs/method.md); memory in MiB, rates per second."""

    launch_cpu_s: Figure
    run_cpu_s: Figure
    z_s: Figure
    base_mib: Figure | None
    per_run_mib: Figure | None
    tail_response: Figure
    tail_launch: Figure
    hold_share: Figure | None
    max_launch_rate_per_s: float | None
    launch_ceiling_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingFinding:
    """Which limit gave first, how clear that is, and why the others are not it."""

    limit: str | None
    strength: str
    runner_up: str | None
    evidence: tuple[str, ...]
    ruled_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFinding:
    """How the steps were chosen, and why the search ended."""

    strategy: str
    confidence: float
    steps: int
    ended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinding:
    """One judged step. `run_rss_mib`: RSS of one run at work (`measures.grown_run`). `launch_work`:
    CPU of a launch in bare Python starts (`model.cpu_cost.StepCost`).
    """

    index: int
    kind: str
    concurrency: int
    repetition: int
    verdict: Verdict
    broken: tuple[str, ...]
    outcome: str
    outcome_detail: str
    reason: str
    load_model: str
    rate_per_s: float | None
    dropped_arrivals: int
    steady: SteadyFinding | None
    hold_s: float | None
    completed: int
    failed: int
    lost: int
    unfinished: int
    throughput_runs_per_s: float | None
    mean_in_flight: float | None
    response_s: SpreadFinding
    launch_s: SpreadFinding
    exec_s: SpreadFinding
    phases: LaunchPhases
    slowdown_p95: float | None
    memory_peak_mib: float | None
    memory_peak_ratio: float | None
    peak_source: str
    cpu_cores: float | None
    cpu_ratio: float | None
    throttled_ratio: float | None
    cpu_s_per_run: float | None
    pool_queue_median: float | None
    pool_queue_max: float | None
    run_queue_max: float | None
    probe_s: ProbeFinding
    oom_kills: int
    restarts: int
    support_cpu_cores: dict[str, float]
    generator_cpu_cores: float | None
    observer_cpu_cores: float | None
    slo: dict[str, SloFinding]
    run_rss_mib: float | None = None
    launch_work: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinding:
    """One cell: what it was, what it holds, what a run costs, what to ship.

    `repetition`: which of several equal cells, from 1; `None` where there is one. `software`: what
    it ran, by name: lock, images, database, and the version the server itself says it is.
    """

    id: str
    profile: ProfileFinding
    workload: str
    run_s: float | None
    unloaded_response_s: dict[str, float]
    dagster: str
    max_workers: int
    replicas: int
    feed: str
    target: str
    limits_enforced: bool
    max_concurrent_runs: int | None
    search: SearchFinding
    capacity: Capacity
    binding: BindingFinding | None
    knee: Knee
    throughput_runs_per_s: float | None
    memory: MemoryFinding
    cpu: CpuFinding
    model: ModelFinding | None
    predicted: Prediction | None
    usl: Usl
    blasts: tuple[Blast, ...]
    steps: tuple[StepFinding, ...]
    recommendation: Recommendation
    defaults: tuple[str, ...]
    repetition: int | None = None
    software: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFinding:
    """One doubt about the measurement and where it applies (`step`: index in that cell)."""

    cell: str
    step: int | None
    concurrency: int | None
    code: str
    severity: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingFinding:
    """How it was judged, where not as measured; see `harness.analysis.judging.Judging`."""

    slos: dict[str, float | None] | None
    warmup: float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything judged in one campaign.

    `rounds`: what equal cells hold together, by the id of their kind (`findings.rounds.kind_id`);
    empty where no cell is a repetition.
    """

    schema: int
    method: int
    campaign: dict[str, Any]
    environment: dict[str, Any]
    judging: JudgingFinding
    validity: tuple[IssueFinding, ...]
    cells: tuple[CellFinding, ...]
    workers: tuple[WorkerFinding, ...]
    rounds: dict[str, Capacity] = field(default_factory=dict)
