"""What of `findings.json` an entry is made of.

A thousand campaigns are read in a second only if no more is taken from each than is needed. The
names are those of `harness.analysis.findings.types`, so that whatever reads values of a cell reads
them from an outline too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class SpreadOutline:
    """Of times in seconds."""

    p50: float | None
    n: int


@dataclass(slots=True)
class ProbeOutline:
    """Of probe times in seconds."""

    p50: float | None
    n: int
    lost: int


@dataclass(slots=True)
class PhasesOutline:
    """Of a launch, in seconds."""

    accept_s: float | None
    queue_s: float | None
    spawn_s: float | None
    import_s: float | None
    first_step_s: float | None


@dataclass(slots=True)
class StepOutline:
    """Of a step."""

    kind: str
    concurrency: int
    verdict: str
    load_model: str
    hold_s: float | None
    completed: int
    throughput_runs_per_s: float | None
    response_s: SpreadOutline
    launch_s: SpreadOutline
    phases: PhasesOutline
    cpu_s_per_run: float | None
    probe_s: ProbeOutline
    run_rss_mib: float | None = None
    launch_work: float | None = None


@dataclass(slots=True)
class MemoryOutline:
    """Of memory in MiB."""

    base_mib: float | None
    per_run_mib: float | None
    peak_per_run_mib: float | None


@dataclass(slots=True)
class CpuOutline:
    """Of CPU."""

    launch_cpu_s: float | None
    idle_cores: float | None


@dataclass(slots=True)
class CapacityOutline:
    """Of a capacity."""

    concurrency: int | None
    status: str


@dataclass(slots=True)
class ProfileOutline:
    """Of a task size."""

    vcpu: float
    memory_mib: float


@dataclass(slots=True)
class CellOutline:
    """Of a cell."""

    profile: ProfileOutline
    workload: str
    dagster: str
    max_workers: int
    replicas: int
    feed: str
    target: str
    limits_enforced: bool
    max_concurrent_runs: int | None
    capacity: CapacityOutline
    memory: MemoryOutline
    cpu: CpuOutline
    steps: list[StepOutline]
    repetition: int | None = None
    software: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Outline:
    """Of the findings of a campaign."""

    schema: int
    method: int
    campaign: dict[str, Any]
    environment: dict[str, Any]
    cells: list[CellOutline]
