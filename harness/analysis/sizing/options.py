"""Every task size × replicas under the demand: what it holds, how full it gets, what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.advice.recommendation import workers_for
from harness.analysis.model.closed_system import balance
from harness.analysis.model.prediction import memory_limit
from harness.analysis.sizing.blend import Blend
from harness.analysis.sizing.demand import duration_scv
from harness.analysis.sizing.holding import Held, held_by
from harness.analysis.sizing.known import Known, Source
from harness.analysis.sizing.pricing import per_1000_runs, per_month
from harness.analysis.sizing.stationary import Stationary, quantile, stationary
from harness.analysis.sizing.types import Demand, Limit, Option, Price
from harness.analysis.sizing.waiting import queueing
from harness.campaign.profiles import Profile
from harness.units import mib, show_bytes, show_span

MOST_USED = 0.80
"""CPU used at the busiest time at most. Above it waits grow steeply, and a cost that is a fifth
higher than measured fills the rest."""

P95 = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every size is held against.

    `measured_for` is the only workload of the demand, where it is one as measured; with it a size
    that was measured answers for itself.
    """

    demand: Demand
    blend: Blend
    slos: Mapping[str, float]
    price: Price
    measured_for: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """One profile × replicas, with what it holds and what comes about on it."""

    profile: Profile
    replicas: int
    held: Held
    source: Source | None
    state: Stationary | None

    @property
    def sure_runs(self) -> int:
        """What one replica surely holds."""
        return self.held.runs if self.held.low is None else self.held.low

    @property
    def limit(self) -> int | None:
        """`max_concurrent_runs`: as found where measured, the sure end where predicted."""
        runs = self.held.runs if self.source else self.sure_runs
        return runs * self.replicas or None

    @property
    def replica_p95(self) -> int | None:
        return quantile(self.state.of_one_replica, P95) if self.state else None


def all_options(
    terms: Terms, profiles: Iterable[Profile], *, max_replicas: int
) -> tuple[Option, ...]:
    """All of them, in order of price, then of replicas (more first), then of name.

    Raises:
        ValueError: none of the objectives can be foreseen.
    """
    found = []
    for profile in profiles:
        held = held_by(terms.blend, profile, terms.slos)
        if held is None:
            raise ValueError("none of the objectives can be foreseen")
        found += [
            option_of(terms, profile, held, replicas=replicas)
            for replicas in range(1, max_replicas + 1)
        ]
    return tuple(sorted(found, key=lambda each: (each.per_month, -each.replicas, each.profile)))


def option_of(terms: Terms, profile: Profile, held: Held, *, replicas: int) -> Option:
    """One of them.

    Args:
        held: what one replica of this profile is predicted to hold.
        replicas: they get their runs by chance, as Dagster's client does it: every replica's
            arrivals are Poisson of rate ÷ replicas, and each must hold its own 95th percentile.
    """
    size = _size(terms, profile, held, replicas=replicas)
    holds, reason, binding = _verdict(terms, size)
    state, p95, limit = size.state, size.replica_p95, size.limit
    month = per_month(
        terms.price, vcpu=profile.vcpu, memory_mib=profile.memory_mib, replicas=replicas
    )
    memory = terms.blend.memory_bytes(p95) if p95 is not None else None
    return Option(
        profile=profile.name,
        vcpu=profile.vcpu,
        memory_limit_mib=float(profile.memory_mib),
        replicas=replicas,
        basis="measured" if size.source else "predicted",
        holds=holds,
        in_flight=state.in_flight if state else None,
        in_flight_p95=quantile(state.of_all, P95) if state else None,
        replica_p95=p95,
        capacity=size.held.runs * replicas,
        capacity_low=_times(size.held.low, replicas),
        capacity_high=_times(size.held.high, replicas),
        utilisation=_utilisation(terms, size),
        binding=binding,
        headroom=1 - p95 / size.sure_runs if p95 is not None and size.sure_runs else None,
        memory_mib=None if memory is None else mib(memory),
        wait_s_p95=_wait_s_p95(terms, state, limit),
        blast_mean=state.in_flight / replicas if state else None,
        blast_worst=None if p95 is None or limit is None else min(p95, limit),
        max_workers=_workers(terms, size),
        max_concurrent_runs=limit,
        per_month=month,
        per_1000_runs=per_1000_runs(month, terms.demand),
        reason=reason,
        evidence=_evidence(terms, size),
    )


def _size(terms: Terms, profile: Profile, held: Held, *, replicas: int) -> _Size:
    source = _source(terms, profile, replicas)
    return _Size(
        profile=profile,
        replicas=replicas,
        held=_as_measured(held, source, replicas) if source else held,
        source=source,
        state=stationary(
            terms.demand.peak_rate_per_s, terms.blend.shared(profile.vcpu), replicas=replicas
        ),
    )


def _source(terms: Terms, profile: Profile, replicas: int) -> Source | None:
    if terms.measured_for is None:
        return None
    run_s = terms.demand.parts[0].duration.mean_s
    return terms.measured_for.measured(profile.name, replicas, run_s)


def _as_measured(held: Held, source: Source, replicas: int) -> Held:
    """What was found for all replicas together, as each one's part."""
    capacity = source.finding.capacity
    binding: Limit | None = next(
        (limit for limit in _LIMITS if limit == capacity.binding), held.binding
    )
    low, high = capacity.low, capacity.high
    return Held(
        runs=(capacity.concurrency or 0) // replicas,
        low=None if low is None else low // replicas,
        high=None if high is None else high // replicas,
        binding=binding,
        memory_known=held.memory_known,
        first="" if capacity.concurrency else f"{capacity.broken_slo} broke with one run already",
    )


_LIMITS: tuple[Limit, ...] = ("launch_cpu", "run_cpu", "memory", "worker_pool", "control_plane")


def _verdict(terms: Terms, size: _Size) -> tuple[bool | None, str, Limit | None]:
    """Whether it holds, why, and which limit gives or would give first."""
    fault = _fault(terms, size)
    if fault is not None:
        return False, *fault
    used = _utilisation(terms, size)
    said = (
        f"up to {size.replica_p95} {_where(size)} (p95) where {_range(size)} hold, "
        f"CPU {used:.0%} used"
    )
    if not size.held.memory_known:
        return None, f"{said}; memory a run is not known", size.held.binding
    return True, said, size.held.binding


def _fault(terms: Terms, size: _Size) -> tuple[str, Limit | None] | None:
    """Why it does not hold and which limit gives; `None` where nothing speaks against it."""
    held, p95, used = size.held, size.replica_p95, _utilisation(terms, size)
    blend, profile = terms.blend, size.profile
    cpu: Limit = "launch_cpu" if blend.launch_cpu_s >= blend.run_cpu_s else "run_cpu"
    memory = blend.memory_bytes(p95) if p95 is not None else None
    most = (memory_limit(terms.slos) or math.inf) * profile.memory_bytes
    if not held.runs:
        return held.first, held.binding
    if p95 is None or used is None:
        need = terms.demand.peak_rate_per_s * blend.cpu_s
        free = size.replicas * blend.shared(profile.vcpu).cores
        return f"the runs need {need:.2f} cores, there are {free:.2f}", cpu
    if memory is not None and memory > most:
        said = f"{p95} runs {_where(size)} (p95) take {show_bytes(memory)}"
        return f"{said}, {show_bytes(most)} are allowed", "memory"
    if p95 > size.sure_runs:
        one = "a replica has" if size.replicas > 1 else "there are"
        return f"{one} up to {p95} in flight (p95), {_range(size)} hold", held.binding
    if used > MOST_USED:
        return f"the CPU is {used:.0%} used, {MOST_USED:.0%} are allowed here", cpu
    return None


def _where(size: _Size) -> str:
    return "on a replica" if size.replicas > 1 else "in flight"


def _range(size: _Size) -> str:
    low, high = size.held.low, size.held.high
    return str(size.sure_runs) if low is None else show_span(low, high)


def _utilisation(terms: Terms, size: _Size) -> float | None:
    """Of one replica's CPU; also where it is more than there is."""
    cores = terms.blend.shared(size.profile.vcpu).cores
    if cores <= 0:
        return None
    return terms.demand.peak_rate_per_s / size.replicas * terms.blend.cpu_s / cores


def _wait_s_p95(terms: Terms, state: Stationary | None, limit: int | None) -> float | None:
    if state is None or limit is None:
        return None
    found = queueing(
        state.of_all, limit, rate_per_s=state.rate_per_s, scv=duration_scv(terms.demand)
    )
    return found.wait_s_p95 if found else None


def _workers(terms: Terms, size: _Size) -> int | None:
    """By the rule of the recommendation, with every slot of the limit taken."""
    if size.limit is None:
        return None
    if size.source and size.source.finding.recommendation.max_workers is not None:
        return size.source.finding.recommendation.max_workers
    full = balance(size.limit // size.replicas, terms.blend.shared(size.profile.vcpu))
    hold_s = terms.blend.hold_s(full.stretch)
    return None if hold_s is None else workers_for(full.throughput_per_s * hold_s)


def _times(runs: int | None, replicas: int) -> int | None:
    return None if runs is None else runs * replicas


def _evidence(terms: Terms, size: _Size) -> tuple[str, ...]:
    said = [words for each in terms.blend.ingredients for words in each.words]
    if size.source:
        capacity = size.source.finding.capacity
        sure = f" ({capacity.confidence:.0%} sure)" if capacity.confirmed else " (not confirmed)"
        said.append(f"what it holds was measured: {size.source.name}{sure}")
    if size.state is not None:
        said.append(
            f"at the busiest time a run takes {size.state.response_s:.1f} s from sending to end; "
            f"a CPU second takes {size.state.stretch:.2f} s"
        )
    return tuple(said)
