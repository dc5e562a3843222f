"""When runs are meant to be sent, and by how many users: pure arithmetic on an order.

Times are epoch seconds. An order's sending lasts from the ramp's start to the hold's end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.rig.orders import LoadOrder

OPEN_MODELS = ("uniform", "poisson")
"""Runs arrive at a rate, whatever becomes of the earlier ones."""

LEAST_OPEN_USERS = 50
MOST_OPEN_USERS = 500
USERS_PER_RUN = 8
"""Room for eight times the runs that were meant to be in flight, before arrivals are dropped."""


def schedule(order: LoadOrder, start_s: float) -> dict[str, tuple[float, float]]:
    """Planned start and end of `ramp`, `settle` and `hold`; phases without length are left out."""
    spans: dict[str, tuple[float, float]] = {}
    lengths = {"ramp": order.ramp_s, "settle": order.settle_s, "hold": order.hold_s}
    for name, length_s in lengths.items():
        if length_s > 0:
            spans[name] = (start_s, start_s + length_s)
            start_s += length_s
    return spans


def users_of(order: LoadOrder) -> int:
    """How many users stand ready; each has at most one run in flight.

    Of `uniform` and `poisson` eight times the concurrency, from 50 to 500: arrivals must not
    depend on earlier ones having ended, and a server that ends nothing must not exhaust us. Never
    more than `most_at_once`: arrivals that then find nobody are dropped.
    """
    most = MOST_OPEN_USERS if order.most_at_once is None else order.most_at_once
    if order.model not in OPEN_MODELS:
        return order.concurrency
    return min(most, MOST_OPEN_USERS, max(LEAST_OPEN_USERS, USERS_PER_RUN * order.concurrency))


def first_send_s(order: LoadOrder, user: int, start_s: float) -> float:
    """When a user (from 0) of the closed model is meant to begin: evenly over the ramp."""
    return start_s if order.burst else start_s + user * order.ramp_s / order.concurrency


def arrivals(order: LoadOrder, start_s: float) -> Iterator[float]:
    """The intended moments of a model that is not closed, ascending.

    `uniform`: k ÷ rate after the start, k from 0. `poisson`: exponential gaps of mean 1 ÷ rate,
    the first of them before the first arrival; drawn from a generator seeded with the order's
    seed and step, so that a step can be repeated exactly while two equal steps of a cell differ.
    Both end before the hold does, or after `max_runs`. `burst`: `concurrency` times the start of
    the hold.

    Raises:
        ValueError: the closed model, which has none, or an open one without a rate above 0.
    """
    if order.model == "closed":
        raise ValueError("in the closed model a run is due when the one before it has ended")
    hold_s = start_s + order.ramp_s + order.settle_s
    if order.model == "burst":
        return iter([hold_s] * _limited(order.concurrency, order.max_runs))
    if order.rate_per_s is None or order.rate_per_s <= 0:
        raise ValueError(f"the {order.model} model needs a rate above 0, not {order.rate_per_s}")
    moments = _uniform if order.model == "uniform" else _poisson
    return moments(order, order.rate_per_s, start_s, hold_s + order.hold_s)


def sends_any(order: LoadOrder) -> bool:
    """Whether any run is meant to be sent: at a low rate chance may leave a step empty.

    Raises:
        ValueError: as `arrivals`.
    """
    return order.model == "closed" or next(arrivals(order, 0.0), None) is not None


def _uniform(order: LoadOrder, rate_per_s: float, start_s: float, end_s: float) -> Iterator[float]:
    number, at_s = 0, start_s
    while at_s < end_s and number != order.max_runs:
        yield at_s
        number += 1
        # Not a sum of gaps: its rounding errors would add up.
        at_s = start_s + number / rate_per_s


def _poisson(order: LoadOrder, rate_per_s: float, start_s: float, end_s: float) -> Iterator[float]:
    chance = random.Random(f"{order.seed}/{order.step}")
    number, at_s = 0, start_s + chance.expovariate(rate_per_s)
    while at_s < end_s and number != order.max_runs:
        yield at_s
        number += 1
        at_s += chance.expovariate(rate_per_s)


def _limited(count: int, limit: int | None) -> int:
    return count if limit is None else min(count, limit)
