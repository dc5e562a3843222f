"""The wait in the run queue in front of a limit on the runs in flight.

A product-form network behind a limit acts like one station that does X(n) runs a second with n
inside, the network's closed throughput (flow equivalence: Chandy, Herzog & Woo 1975). Without the
limit the numbers inside have probabilities p(n) with p(n) ÷ p(n − 1) = rate ÷ X(n), so those tell
X(n). At the limit c the throughput stays X(c), and who finds c inside waits. Where runs do not
slow each other down X(n) = n ÷ response, and this is Erlang's delay formula (Erlang 1917).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.analysis.sizing.stationary import Weights

NEVER = 1e-9
"""Where so little lies beyond the limit, its tail is cut off and tells no throughput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """How a run fares that arrives at any moment.

    `share_waiting`: probability that it must wait. `drain_per_s`: how much faster than arrivals
    the full deployment works off. `wait_s_p95`: 95th percentile of the wait over all runs, those
    that do not wait among them.
    """

    share_waiting: float
    drain_per_s: float
    wait_s_p95: float


def queueing(
    in_flight: Weights, limit: int, *, rate_per_s: float, scv: float = 1.0
) -> Queueing | None:
    """The queue before `limit` runs in flight.

    Args:
        in_flight: probabilities of 0, 1, 2 … in flight without a limit.
        limit: `max_concurrent_runs`, at least 1.
        rate_per_s: arrivals.
        scv: variance of the durations ÷ mean squared. Exact for 1; otherwise waits are taken
            (1 + scv) ÷ 2 times as long (Allen & Cunneen's approximation).

    Returns:
        `None` where the limit lets fewer through than arrive: the queue only grows.

    Raises:
        ValueError: a limit below one.
    """
    if limit < 1:
        raise ValueError(f"a limit lets at least one run through, not {limit}")
    if float(np.sum(in_flight[limit:])) < NEVER:
        return Queueing(share_waiting=0.0, drain_per_s=math.inf, wait_s_p95=0.0)
    # So much lies beyond the limit that just below it nothing is left that a float can hold.
    if in_flight[limit - 1] <= 0:
        return None
    ratio = float(in_flight[limit] / in_flight[limit - 1])
    if ratio >= 1:
        return None
    full = float(in_flight[limit]) / (1 - ratio)
    waiting = full / (float(np.sum(in_flight[:limit])) + full)
    drain_per_s = rate_per_s * (1 / ratio - 1)
    beyond = max(0.0, math.log(waiting / 0.05))
    return Queueing(
        share_waiting=waiting,
        drain_per_s=drain_per_s,
        wait_s_p95=beyond / drain_per_s * (1 + scv) / 2,
    )
