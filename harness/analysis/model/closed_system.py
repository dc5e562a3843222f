"""A fixed number of runs that share a CPU quota: mean response and throughput, exactly.

Each of n runs alternates between waiting (`think_s`, which costs no CPU) and CPU work
(`demand_s`), done by a station that shares itself equally among the runs present and does
min(j, cores) CPU seconds a second for j of them, because one run keeps at most one core busy.
This is the machine repairman with processor sharing, a product-form network (Baskett, Chandy,
Muntz & Palacios 1975): its means depend on the means of demand and wait alone, not on their
distributions, and are those of exact mean value analysis (Reiser & Lavenberg 1980).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What one run asks for and what there is: seconds, and cores left for runs."""

    demand_s: float
    think_s: float
    cores: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Means at one number of runs.

    `stretch`: seconds one CPU second takes. `response_s` = think + demand × stretch.
    """

    runs: int
    response_s: float
    throughput_per_s: float
    stretch: float


def balance(runs: int, shared: Shared) -> Balance:
    """The steady state with `runs` in flight.

    The number j of runs at the CPU has weight Π (n − i + 1) · demand ÷ (think · min(i, cores)),
    i from 1 to j.

    Raises:
        ValueError: no runs, or a demand or cores that are not positive, or a negative wait.
    """
    demand_s, think_s, cores = shared.demand_s, shared.think_s, shared.cores
    if runs < 1 or demand_s <= 0 or cores <= 0 or think_s < 0:
        raise ValueError(f"no steady state for {runs} runs and {shared}")
    busy = np.minimum(np.arange(1, runs + 1), cores)
    if think_s == 0:
        used_cores = float(busy[-1])
    else:
        waiting = np.arange(runs, 0, -1)
        ratio = math.log(demand_s) - math.log(think_s)
        steps = np.log(waiting) + ratio - np.log(busy)
        logs = np.concatenate(([0.0], np.cumsum(steps)))
        weights = np.exp(logs - logs.max())
        used_cores = float((weights[1:] * busy).sum() / weights.sum())
    throughput_per_s = used_cores / demand_s
    response_s = runs / throughput_per_s  # Little's law
    return Balance(
        runs=runs,
        response_s=response_s,
        throughput_per_s=throughput_per_s,
        stretch=(response_s - think_s) / demand_s,
    )
