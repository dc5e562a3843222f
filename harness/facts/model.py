"""The raw facts one campaign leaves behind: plain, frozen, without opinion.

All times are epoch seconds (UTC) on the host's clock, because one record joins stamps of
several processes on that host. Names carry their unit. `None` means *not known*, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1

RunStatus = Literal["SUCCESS", "FAILURE", "CANCELED", "LOST", "UNFINISHED", "REJECTED"]
"""How a run ended, as the load generator and the event log together saw it.

`LOST`: its server died under it. `UNFINISHED`: still running when the drain ended.
`REJECTED`: `launchRun` itself answered with an error, so no run exists.
"""

StepKind = Literal["warmup", "unloaded", "load", "fault"]
"""`fault`: a segment of a soak in which something was broken on purpose."""
StepOutcome = Literal["completed", "aborted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run the generator offered, with its phase clock.

    `intended_s` ≤ `sent_s` ≤ `accepted_s`; the rest comes from Dagster's event log, in the
    order given here. `error_class` names the family of a failure (see
    `harness.rig.load.phases`), `error` holds its first line.
    """

    step: int
    user: int
    run_id: str | None
    intended_s: float
    sent_s: float
    accepted_s: float | None = None
    enqueued_s: float | None = None
    dequeued_s: float | None = None
    process_started_s: float | None = None
    started_s: float | None = None
    first_step_s: float | None = None
    ended_s: float | None = None
    status: RunStatus = "UNFINISHED"
    error_class: str | None = None
    error: str | None = None
    replica: str | None = None
    work_cpu_s: float | None = None
    job: str = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading of one device. `source` is what was read: a replica, a service, the host."""

    device: str
    source: str
    key: str
    due_s: float
    taken_s: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a moment: an OOM kill, a restart, an abort, a remark."""

    at_s: float
    kind: str
    source: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`[start_s, end_s)` of a step: `ramp`, `settle`, `hold` or `drain`."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stretch of constant offered load, as it went.

    `load_model` is one of `closed`, `uniform`, `poisson`, `burst`; `rate_per_s` the planned
    arrival rate of the open ones. `server` counts server lives in the cell (0 is the first; a
    fresh one follows a death).
    `kernel_peak_bytes` is the highest memory of any replica in this step, by the kernel's own
    counter where it can be reset, else the highest sample; `peak_source` says which.
    """

    index: int
    kind: StepKind
    concurrency: int
    repetition: int
    reason: str
    phases: tuple[Phase, ...]
    outcome: StepOutcome
    outcome_detail: str = ""
    server: int = 0
    kernel_peak_bytes: float | None = None
    peak_source: str = ""
    oom_kills: int = 0
    restarts: int = 0
    generator_cpu_cores: float | None = None
    observer_cpu_cores: float | None = None
    dropped_arrivals: int = 0
    load_model: str = "closed"
    rate_per_s: float | None = None

    def phase(self, name: str) -> Phase | None:
        """The named phase, or `None` when the step never reached it."""
        return next((p for p in self.phases if p.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A container's limits; `None` means unlimited."""

    cpu_cores: float | None
    memory_bytes: int | None
    pids: int | None = None
    swap_bytes: int | None = None


def broke_off(ended: str) -> bool:
    """Whether a cell was over before its search was, by its `ended`."""
    return ended.startswith(("interrupted", "failed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one cell was meant to be and what it really was.

    `repetition`: which of several equal cells, from 1. `detail` has what the target says of its
    software. `ended`: `interrupted`, `failed: …`, or why the search was done; empty while it goes
    on.
    """

    id: str
    profile: str
    vcpu: float
    memory_bytes: int
    workload: str
    params: dict[str, Any]
    dagster: str
    max_workers: int
    replicas: int
    feed: str
    target: str
    requested_limits: Limits
    effective_limits: Limits | None
    limits_enforced: bool
    overcommitted: bool
    devices: tuple[str, ...]
    slos: dict[str, float]
    run_s: float | None = None
    max_concurrent_runs: int | None = None
    executor: str = "in_process"
    sensors: dict[str, Any] | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    repetition: int | None = None
    idle_start_s: float | None = None
    idle_end_s: float | None = None
    sealed: bool = False
    ended: str = ""

    def unavailable(self, device: str) -> str:
        """Why this device could not tell all it otherwise does; empty where it could."""
        return str((self.detail.get("unavailable") or {}).get(device, ""))
