"""What is asked of a deployment, and what would hold it.

Rates are per second, times in seconds, memory in MiB (as in `findings.json`), money in the price
table's currency. Everything that was not measured at that very size is labelled `predicted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.campaign.profiles import FARGATE

Basis = Literal["measured", "predicted"]
Limit = Literal["launch_cpu", "run_cpu", "memory", "worker_pool", "control_plane"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long a run takes alone, from start to end. `p95_s`: `None` where only a mean is given."""

    mean_s: float
    p95_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of run: `share` of all runs (0 to 1, together 1), like this measured workload."""

    workload: str
    share: float
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What has to be held.

    `runs_per_hour`: mean over the day, today. `burst`: busiest rate ÷ mean rate, from 1 on.
    `growth`: runs expected ÷ runs today, above 0.
    """

    runs_per_hour: float
    parts: tuple[Part, ...]
    burst: float
    growth: float

    @property
    def mean_rate_per_s(self) -> float:
        """Runs a second, with growth."""
        return self.runs_per_hour * self.growth / 3600

    @property
    def peak_rate_per_s(self) -> float:
        """Runs a second at the busiest time, with growth."""
        return self.mean_rate_per_s * self.burst


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an hour costs; `as_of` (ISO date) and `source` say where from."""

    per_vcpu_hour: float
    per_gib_hour: float
    currency: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One task size × replicas, and how it would do under the demand.

    Attributes:
        holds: every foreseen objective holds at the busiest time with the wanted headroom; `None`
            where the model cannot say.
        basis: whether this size was measured.
        in_flight: mean runs in flight at the busiest time, all replicas, by Little's law with the
            response this size gives under that load; `None` where the load exceeds what it can do.
        in_flight_p95: of 20 looks, 19 see no more.
        replica_p95: the same of one replica: runs fall on replicas by chance, not evenly.
        capacity: concurrency the replicas hold together; `capacity_low` and `capacity_high` its
            interval, `None` where unknown.
        utilisation: busiest rate ÷ highest rate the CPU can do (1 is full).
        binding: which limit would give first; `None` where none is foreseen.
        headroom: 1 − replica_p95 ÷ a replica's part of capacity_low (or capacity): what is left,
            may be negative; `None` too where nothing is held.
        memory_mib: of one replica with `replica_p95` runs in flight.
        wait_s_p95: 95th percentile of the wait in the run queue at `max_concurrent_runs`.
        blast_mean, blast_worst: runs lost when one server dies at the busiest time.
        per_month, per_1000_runs: price; a month is 730 hours.
        reason: why it holds or does not, one sentence without a full stop.
        evidence: what this rests on, in sentences.
    """

    profile: str
    vcpu: float
    memory_limit_mib: float
    replicas: int
    basis: Basis
    holds: bool | None
    in_flight: float | None
    in_flight_p95: int | None
    replica_p95: int | None
    capacity: int
    capacity_low: int | None
    capacity_high: int | None
    utilisation: float | None
    binding: Limit | None
    headroom: float | None
    memory_mib: float | None
    wait_s_p95: float | None
    blast_mean: float | None
    blast_worst: int | None
    max_workers: int | None
    max_concurrent_runs: int | None
    per_month: float
    per_1000_runs: float
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A rule of thumb beside what is known here. `source`: who says it, and the cells behind it.

    `basis` `not measured`: what is said is read from code or documentation, or nothing is known.
    """

    question: str
    guide: str
    measured: str
    basis: Basis | Literal["not measured"]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """What is pasted: one deployment, in the words of one Dagster version.

    `max_concurrent_runs` is of the whole deployment. `steps_at_once`: of the multiprocess
    executor, `None` leaves it out.
    """

    dagster: str
    location: str
    image: str
    vcpu: float
    memory_mib: int
    replicas: int
    max_workers: int | None
    max_concurrent_runs: int
    steps_at_once: int | None = None

    @property
    def fargate(self) -> bool:
        """Whether Fargate offers this pair of vCPU and memory."""
        pairs = {(size.vcpu, size.memory_mib) for size in FARGATE.values()}
        return (self.vcpu, self.memory_mib) in pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingFinding:
    """The answer of `harness size`.

    `options` in order of price, those that do not hold among them; `choice` is one of them, or
    `None` with the reason in `why`. `sources`: results folders and cells the models come from.
    `unknown`: what this cannot know, in sentences.
    """

    demand: Demand
    price: Price
    options: tuple[Option, ...]
    choice: Option | None
    why: tuple[str, ...]
    shipping: Shipping | None
    comparisons: tuple[Comparison, ...]
    sources: tuple[str, ...]
    unknown: tuple[str, ...]
