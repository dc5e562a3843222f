"""Settings to ship, from what was measured, in plain words with the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.analysis.capacity import Capacity
from harness.analysis.steps import StepSummary
from harness.facts.model import Cell

POLLERS = 3
"""Requests that come at any time: the webserver's watch, the daemon's, and a health check."""

MIN_WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Settings for one cell's server; `None` where nothing can be recommended, and why."""

    max_workers: int | None
    max_concurrent_runs: int | None
    replicas: int | None
    why: tuple[str, ...]


def recommend(cell: Cell, capacity: Capacity, at_capacity: StepSummary | None) -> Recommendation:
    """Workers and concurrency for the measured server.

    `max_workers` = max(4, ⌈launch rate × start hold⌉ + 3): a gRPC worker is held while a run's
    process starts and no longer, so by Little's law rate × hold of them are busy launching, and
    three more keep polls and health checks from waiting.

    Args:
        capacity: of the cell.
        at_capacity: a passing step at that concurrency, `None` if there is none.
    """
    if capacity.status == "invalid" or not capacity.concurrency:
        reason = {
            "invalid": "No setting: the measurement supports no capacity.",
            "below_min": "No setting: not even the lowest concurrency tried held every objective.",
        }.get(capacity.status, "No setting: no capacity was found.")
        return Recommendation(
            max_workers=None, max_concurrent_runs=None, replicas=None, why=(reason,)
        )
    workers, why = _workers(cell, at_capacity)
    return Recommendation(
        max_workers=workers,
        max_concurrent_runs=capacity.concurrency,
        replicas=cell.replicas,
        why=(_concurrency(cell, capacity), *why),
    )


def _concurrency(cell: Cell, capacity: Capacity) -> str:
    runs = f"{capacity.concurrency} concurrent run{'' if capacity.concurrency == 1 else 's'}"
    where = f"on {cell.replicas} replica{'s' if cell.replicas > 1 else ''} of {cell.profile}"
    if capacity.status == "above_max":
        return f"Every objective held at {runs} {where}, the highest tried; more may fit."
    slo = f" ({capacity.broken_slo} broke)" if capacity.broken_slo else ""
    return f"Every objective held at {runs} {where}; {capacity.first_failing} was too many{slo}."


def _workers(cell: Cell, at_capacity: StepSummary | None) -> tuple[int | None, tuple[str, ...]]:
    rate = at_capacity.throughput_runs_per_s if at_capacity else None
    hold_s = start_hold_s(cell, at_capacity) if at_capacity else None
    if rate is None or hold_s is None:
        return None, ("How many workers launches hold is not known: their phases are missing.",)
    share = rate / cell.replicas
    launching = math.ceil(share * hold_s)
    workers = max(MIN_WORKERS, launching + POLLERS)
    why = [
        f"{share:.2f} launches/s and replica, each holding a worker for {hold_s:.1f} s, keep "
        f"{share * hold_s:.1f} workers busy; {POLLERS} more serve polls and health checks."
    ]
    if workers == MIN_WORKERS and launching + POLLERS < MIN_WORKERS:
        why.append(f"Fewer than {MIN_WORKERS} workers are never recommended.")
    if workers != cell.max_workers:
        why.append(f"Measured with {cell.max_workers} workers; {workers} is predicted.")
    return workers, tuple(why)


def start_hold_s(cell: Cell, summary: StepSummary) -> float | None:
    """Median time a launch holds a gRPC worker, in seconds.

    From its dequeueing to the start of its process; with the direct feed, where the log lacks
    those, the time `launchRun` took, which contains it.
    """
    phases = summary.times.phases
    if phases.spawn_s is not None:
        return phases.spawn_s
    return phases.accept_s if cell.feed == "direct" else None
