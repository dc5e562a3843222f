"""The three small protocols that join target, load and telemetry.

`target`, `load` and `telemetry` never import one another; the conductor hands each of them the
neutral records below. All paths are on this host, all addresses on 127.0.0.1, but for those of
deployments that exist already and of engines elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.facts.model import Event, Limits, Run, Sample, Step, StepKind
from harness.rig.breaking import FaultOrder
from harness.rig.host_clock import OUR_CLOCK, HostClock
from harness.rig.orders import Access, LoadOrder, LoadOutcome, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A process tree the harness started and telemetry may look at.

    `pid` is its root on this host (`None` where it cannot be seen), `container` the engine's id
    (`None` for a plain process). A process target without a cgroup of its own has `cgroup_pid`
    `None`: its cgroup would be the harness's.
    """

    name: str
    pid: int | None = None
    cgroup_pid: int | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica(Watched):
    """One code server under test. `pool_path` is where its pool probe's lines arrive. `tells`: its
    own Ping has its container's memory or CPU, and nothing else that is known of has.
    """

    grpc_address: str
    limits: Limits
    pool_path: Path | None = None
    tells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where everything is, once a target has started. Valid until the next start or restart.

    `tags` every run is to carry. `most_failures`: so many failed runs in one step end everything.
    `most_at_once`: so many runs may be in flight, whatever a step asks for.
    `elsewhere`: the servers run on another host than this, whose clock is `clock`; nothing read of
    this host then tells of them.
    """

    webserver_url: str
    location: str
    database_dsn: str | None
    replicas: tuple[Replica, ...]
    support: tuple[Watched, ...] = ()
    access: Access = field(default_factory=Access)
    tags: Mapping[str, str] = field(default_factory=dict)
    most_failures: int | None = None
    most_at_once: int | None = None
    elsewhere: bool = False
    clock: HostClock = OUR_CLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDeath:
    """A server that is no longer there, and everything that speaks about why.

    `witnesses` lists who said OOM (`docker inspect`, `exit 137`, the cgroup's `oom_kill`, the
    engine's `oom` event): none of them alone can be trusted.
    """

    replica: str
    exit_code: int | None
    oom: bool
    witnesses: tuple[str, ...]
    log_tail: str


class Target(Protocol):
    """What hosts the server under test, and everything it needs to serve."""

    def start(self) -> Endpoints:
        """Bring everything up and wait until it serves.

        Raises:
            TargetFailed: it never will; nothing is left running.
        """

    def describe(self) -> Mapping[str, Any]:
        """Images, versions, effective limits; for `cell.json`. Valid after `start`."""

    def effective_limits(self) -> Limits | None:
        """The limits as the kernel enforces them, or `None` where it enforces none."""

    def deaths(self) -> tuple[ServerDeath, ...]:
        """Servers that have died since `start` or `restart`; cheap enough for 2 Hz.

        Raises:
            TargetFailed: what the measurement needs beside the server is gone (the database, the
                webserver, the container engine): no step can be measured any more.
        """

    def restart(self) -> Endpoints:
        """Replace the server by a fresh one, keeping the database. Blocks until it serves."""

    def stop(self) -> None:
        """Save the logs and take everything down. Safe to call twice, and half-started."""


class LoadDriver(Protocol):
    """Drives one step at a time."""

    def wait_until_loadable(self, endpoints: Endpoints, timeout_s: float) -> None:
        """Block until the webserver can launch the location's job.

        Raises:
            TargetFailed: the location reports an error, or time is up.
        """

    def execute(
        self,
        order: LoadOrder,
        *,
        abort: Callable[[], str],
        progress: Callable[[Progress], None],
    ) -> LoadOutcome:
        """Run one step. `abort()` is asked twice a second; a non-empty answer ends the step.

        Raises:
            GeneratorFailed: the generator died or could not start.
        """

    def give_up(self, endpoints: Endpoints, tags: Mapping[str, str]) -> int:
        """Have Dagster call all runs with these tags ended; how many were under way.

        Raises:
            TargetFailed: it does not.
        """

    def stop(self) -> None:
        """End the generator at once, if it runs. Safe to call twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCost:
    """What a device is said to cost, so that a user can choose (`doctor --devices`)."""

    name: str
    reads: str
    rate_hz: float
    cost: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one look returned: numbers by (source, key), and moments worth an event.

    `stamped` carries readings a remote sampler took itself: (taken_s, source, key, value).
    """

    values: dict[tuple[str, str], float] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    stamped: list[tuple[float, str, str, float]] = field(default_factory=list)


class Device(Protocol):
    """One instrument. `read` is called at `cost.rate_hz` from a thread of its own.

    A read that fails raises; the sampler counts it as `<device>/errors` and goes on. A device
    whose object has ended returns an empty `Reading`.
    """

    cost: DeviceCost

    def read(self) -> Reading:
        """Look once."""

    def close(self) -> None:
        """Let go of sockets and files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The latest readings, for the live view and the live gauges; `None` is not known (yet).

    Memory, CPU, throttling and probe are of the worst replica, queues and runs are summed over
    them; `probe_s` is not known while the last probe of one was lost. `cpu_cores` and
    `throttled_ratio` (share of quota periods that ran out) are over about the last second.
    `ping_queued` is what Dagster's own Ping last *said*, `ping_age_s` how long ago it was asked.
    `events`: of the moments noticed since the cell began the last 100, and every death and fresh
    server; oldest first.
    """

    at_s: float
    memory_bytes: float | None = None
    memory_peak_bytes: float | None = None
    memory_limit_bytes: float | None = None
    cpu_cores: float | None = None
    cpu_limit_cores: float | None = None
    throttled_ratio: float | None = None
    run_queue: float | None = None
    pool_queue: float | None = None
    starting: float | None = None
    ping_queued: float | None = None
    ping_age_s: float | None = None
    resident_runs: float | None = None
    probe_s: float | None = None
    probes_lost: int = 0
    oom_kills: int = 0
    events: tuple[Event, ...] = ()


class Telemetry(Protocol):
    """All devices of a cell together."""

    def start(self, endpoints: Endpoints) -> None:
        """Begin sampling these endpoints; called again after a restart with the new ones."""

    def begin_step(self) -> None:
        """Reset the kernel's memory peak where it can be reset."""

    def peak_bytes(self) -> tuple[float | None, str]:
        """Highest memory of any replica since `begin_step`, and whose counter said so."""

    def take(self) -> tuple[list[Sample], list[Event]]:
        """Everything sampled since the last `take`, oldest first."""

    def vitals(self) -> Vitals:
        """The latest reading of each thing a person watches; cheap, from any thread."""

    def stop(self) -> None:
        """End all devices. Safe to call twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOrder:
    """The next step a search wants, and why. `rate_per_s` is that of an open model, `fault` what is
    broken in a step of that kind.
    """

    kind: StepKind
    concurrency: int
    repetition: int
    reason: str
    rate_per_s: float | None = None
    fault: FaultOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The search has what it wants, or cannot go on."""

    reason: str


NextStep = Callable[[Sequence[Step]], StepOrder | Done]
"""A search, as the conductor sees it: the steps so far in, the next one out.

It may read the cell's stored facts (they are on disk before it is asked), so judging stays
outside of `rig`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A cell about to be measured: `expected_s` and at most `longest_s` from start to stop."""

    cell_id: str
    expected_s: float
    longest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the search thinks after a step; made outside of the rig, shown to whoever listens.

    `verdict` and `broken` are of the step. `low`..`high` is where the threshold lies so far,
    `high` `None` while nothing bounds it; `probability` that `low` really holds. `seeks`: whether
    a threshold is looked for at all.
    """

    step: int
    kind: StepKind
    concurrency: int
    repetition: int
    verdict: str
    broken: tuple[str, ...]
    throughput_runs_per_s: float | None
    response_p95_s: float | None
    launch_p95_s: float | None
    slowdown_p95: float | None
    low: int | None
    high: int | None
    probability: float | None
    seeks: bool = True


class Listener(Protocol):
    """Whoever wants to know what is going on; called from the conductor's thread."""

    def say(self, text: str) -> None:
        """A sentence for the person watching."""

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:
        """These cells will be measured, in this order."""

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        """Cell `number` of `total` (from 1) begins."""

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        """A step begins; without its drain it takes `duration_s`."""

    def progress(self, progress: Progress) -> None:
        """How the current step goes; about once a second."""

    def vitals(self, vitals: Vitals) -> None:
        """How the server does; about once a second while a step runs."""

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        """The step's facts are on disk."""

    def step_judged(self, opinion: Opinion) -> None:
        """What the search made of a step; after its `step_done`, before the next begins."""

    def cell_done(self, cell_id: str, ended: str) -> None:
        """The cell's facts are sealed; `ended` says why it is over."""
