"""Runs that arrive by chance at servers: how many are in flight, exactly.

A run waits (which no CPU ends) and works at a station that shares itself equally among the runs
present and does min(j, cores) CPU seconds a second for j of them: the open version of
`harness.analysis.model.closed_system`. With Poisson arrivals this is a product-form network
(Baskett, Chandy, Muntz & Palacios 1975). The number at the CPU is a birth-death chain and the
number waiting is Poisson, independent of each other, and both depend on the durations' means
alone: how durations spread around them, and which kinds of runs they come from, does not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from harness.analysis.model.closed_system import Shared

Weights = npt.NDArray[np.float64]

FULL = 0.999
"""Utilisation from which on no steady state is told: reaching it would take days."""

NEGLIGIBLE = 1e-10
"""Probability of what is cut off where a distribution has no end."""


@dataclass(frozen=True)
class Stationary:
    """The steady state of one server; of the whole deployment with `replicas`.

    Each replica gets its runs by chance, so a replica's arrivals are Poisson too.

    Attributes:
        rate_per_s: arrivals at all replicas together, > 0.
        shared: what a run asks for and what one replica has.
    """

    rate_per_s: float
    shared: Shared
    replicas: int = 1

    @property
    def utilisation(self) -> float:
        """Arrival rate ÷ the highest rate the CPU can do; 1 is full."""
        return self._load / self.shared.cores

    @property
    def in_flight(self) -> float:
        """Mean runs in flight, all replicas."""
        return self.rate_per_s * self.response_s

    @property
    def response_s(self) -> float:
        """Mean response, by Little's law."""
        return self.shared.think_s + self.shared.demand_s * self.stretch

    @property
    def stretch(self) -> float:
        """Seconds that one CPU second takes on average."""
        return self._mean_at_cpu / self._load

    @cached_property
    def of_one_replica(self) -> Weights:
        """Probability of 0, 1, 2 … runs in flight on one replica."""
        waiting = self.rate_per_s / self.replicas * self.shared.think_s
        return _joined(self._at_cpu, _poisson(waiting))

    @cached_property
    def of_all(self) -> Weights:
        """Probability of 0, 1, 2 … runs in flight on all replicas together."""
        at_cpu = self._at_cpu
        for _ in range(self.replicas - 1):
            at_cpu = _trimmed(np.convolve(at_cpu, self._at_cpu))
        return _joined(at_cpu, _poisson(self.rate_per_s * self.shared.think_s))

    @property
    def _load(self) -> float:
        """CPU seconds that arrive at one replica in a second."""
        return self.rate_per_s / self.replicas * self.shared.demand_s

    @cached_property
    def _chain(self) -> tuple[Weights, float]:
        """Weights of 0 … ⌈cores⌉ runs at the CPU; each further one weighs `ratio` times the last.

        From ⌈cores⌉ runs on the CPU is full, so the rest is geometric.
        """
        cores = self.shared.cores
        busy = np.minimum(np.arange(1, math.ceil(cores) + 1), cores)
        weights = np.concatenate(([1.0], np.cumprod(self._load / busy)))
        return weights, self._load / cores

    @property
    def _mean_at_cpu(self) -> float:
        weights, ratio = self._chain
        full = len(weights) - 1
        tail = float(weights[-1]) / (1 - ratio)
        total = float(weights[:-1].sum()) + tail
        below = float((np.arange(full) * weights[:-1]).sum())
        return (below + tail * (full + ratio / (1 - ratio))) / total

    @cached_property
    def _at_cpu(self) -> Weights:
        weights, ratio = self._chain
        further = math.ceil(math.log(NEGLIGIBLE) / math.log(ratio))
        tail = float(weights[-1]) * ratio ** np.arange(1, further + 1)
        found = np.concatenate((weights, tail))
        return np.asarray(found / found.sum())


def stationary(rate_per_s: float, shared: Shared, *, replicas: int = 1) -> Stationary | None:
    """The steady state, or `None` where the load is more than the replicas can do.

    Args:
        rate_per_s: arrivals at all replicas together.
        shared: of one replica.

    Raises:
        ValueError: no arrivals, no replica, or a demand or wait that cannot be.
    """
    if rate_per_s <= 0 or replicas < 1 or shared.demand_s <= 0 or shared.think_s < 0:
        raise ValueError(f"no steady state for {rate_per_s} runs/s on {replicas} × {shared}")
    if shared.cores <= 0:
        return None
    found = Stationary(rate_per_s=rate_per_s, shared=shared, replicas=replicas)
    return found if found.utilisation < FULL else None


def quantile(weights: Weights, share: float) -> int:
    """The smallest number that is not exceeded with this probability."""
    return int(np.searchsorted(np.cumsum(weights), share))


def _poisson(mean: float) -> Weights:
    """Probability of 0, 1, 2 … up to far above the mean; by logarithms, as e^−mean may vanish."""
    if mean <= 0:
        return np.ones(1)
    numbers = np.arange(math.ceil(mean + 10 * math.sqrt(mean) + 20) + 1)
    logs = numbers * math.log(mean) - mean - gammaln(numbers + 1)
    found = np.exp(logs)
    return np.asarray(found / found.sum())


def _joined(first: Weights, second: Weights) -> Weights:
    return _trimmed(np.convolve(first, second))


def _trimmed(weights: Weights) -> Weights:
    """Without what is negligible at the end."""
    kept = np.flatnonzero(weights > NEGLIGIBLE * 1e-6)
    return weights[: int(kept[-1]) + 1]
