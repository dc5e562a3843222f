"""What one cell says about any size: the costs of a run, and where it waits.

Costs are of one replica. Everything here was measured; `harness.analysis.model.prediction` says
what follows for other settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.model.closed_system import Balance, Shared, balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value, its 95 % interval where one is known, and how many values it rests on."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0

    @property
    def sure(self) -> bool:
        """Whether an interval is known."""
        return self.low is not None and self.high is not None


UNKNOWN_TAIL = Figure(value=1.0)
"""No step under load was seen: `n` is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a model is valid for: the same work, on the same Dagster, reached the same way."""

    workload: str
    params: str
    dagster: str
    executor: str
    feed: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellModel:
    """The costs of a run on one replica.

    Attributes:
        vcpu: of the size it was measured on; `None` when several sizes were pooled.
        base_bytes: kernel peak of the idle replica; `bytes_per_run`: what each run in flight
            adds to it.
        launch_cpu_s: CPU seconds to start (and end) a run; `run_cpu_s`: of its own work.
        idle_cores: of the idle replica, 0 where unknown (its CPU is then in the other two).
        z_s: thinking time, what a run takes alone beyond its CPU time: waiting that no CPU ends.
        launch_wait_s: the part of it before the run has started.
        launch_before_s: CPU seconds before the run has started; the rest of `launch_cpu_s`
            comes later.
        hold_share: part of the launch time during which a gRPC worker is held; `None` unknown.
        tail_response, tail_launch: p95 seen under load ÷ the mean this model gives for the same
            concurrency, median over the steps; lowest and highest step as interval.
    """

    kind: Kind
    profiles: tuple[str, ...]
    vcpu: float | None
    base_bytes: Figure | None
    bytes_per_run: Figure | None
    launch_cpu_s: Figure
    run_cpu_s: Figure
    idle_cores: float
    z_s: Figure
    launch_wait_s: float
    launch_before_s: float
    hold_share: Figure | None
    tail_response: Figure = UNKNOWN_TAIL
    tail_launch: Figure = UNKNOWN_TAIL

    @property
    def cpu_s(self) -> float:
        """CPU seconds of a run in all."""
        return self.launch_cpu_s.value + self.run_cpu_s.value

    @property
    def max_launch_rate_per_s(self) -> float | None:
        """Runs a second its CPU can start and work off: (vCPU − idle) ÷ CPU of a run."""
        return None if self.vcpu is None else self.free_cores(self.vcpu) / self.cpu_s

    @property
    def launch_ceiling_per_s(self) -> float | None:
        """Runs a second its CPU could start if they did nothing: (vCPU − idle) ÷ launch CPU."""
        return None if self.vcpu is None else self.free_cores(self.vcpu) / self.launch_cpu_s.value

    def at(self, runs: int, *, vcpu: float, run_s: float | None = None) -> Balance:
        """Mean response and throughput with `runs` in flight on one replica of this size.

        Args:
            run_s: what a run takes alone from start to end; left out, as measured.

        Raises:
            ValueError: the size has no CPU left beside idling, or `runs` is below one.
        """
        free = self.free_cores(vcpu)
        waiting_s = self.z_s.value
        if run_s is not None:
            work_s = self.run_cpu_s.value / min(1.0, free) if free > 0 else 0.0
            waiting_s = self.launch_wait_s + max(0.0, run_s - work_s)
        return balance(runs, Shared(demand_s=self.cpu_s, think_s=waiting_s, cores=free))

    def launch_s(self, at: Balance) -> float:
        """Mean launch time: its CPU seconds take as much longer as all others do."""
        return self.launch_wait_s + self.launch_before_s * at.stretch

    def hold_s(self, at: Balance) -> float | None:
        """Mean time a launch holds a gRPC worker."""
        return None if self.hold_share is None else self.hold_share.value * self.launch_s(at)

    def free_cores(self, vcpu: float) -> float:
        """What idling leaves of one replica's quota; may be negative."""
        return vcpu - self.idle_cores
