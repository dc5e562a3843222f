"""The contract of `findings.json` (results/README.md) as dataclasses.

Every number in here is finite or `None`; sizes are in MiB because people read them, everything
else in SI base units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.analysis.capacity import Capacity
from harness.analysis.slo import Verdict
from harness.analysis.steps import LaunchPhases
from harness.analysis.workers import Recommendation


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFinding:
    """Memory in MiB: of an idle server, and of one more run with its 95 % interval."""

    base_mib: float | None
    per_run_mib: float | None
    per_run_mib_ci: tuple[float, float] | None
    method: str | None
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuFinding:
    """CPU seconds a run: to start it, and of its own work. `n` runs stand behind the first."""

    launch_cpu_s: float | None
    run_cpu_s: float | None
    idle_cores: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinding:
    """One judged step."""

    index: int
    kind: str
    concurrency: int
    repetition: int
    verdict: Verdict
    broken: tuple[str, ...]
    outcome: str
    outcome_detail: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinding:
    """One cell: what it was, what it holds, what a run costs, what to ship."""

    id: str
    profile: ProfileFinding
    workload: str
    run_s: float | None
    dagster: str
    max_workers: int
    replicas: int
    feed: str
    target: str
    limits_enforced: bool
    capacity: Capacity
    throughput_runs_per_s: float | None
    memory: MemoryFinding
    cpu: CpuFinding
    steps: tuple[StepFinding, ...]
    recommendation: Recommendation


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
class Findings:
    """Everything judged in one campaign."""

    schema: int
    method: int
    campaign: dict[str, Any]
    environment: dict[str, Any]
    validity: tuple[IssueFinding, ...]
    cells: tuple[CellFinding, ...]
