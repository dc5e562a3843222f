"""Settings to ship, from what was measured, in plain words with the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.analysis.advice.headroom import Headroom, headroom_of
from harness.analysis.advice.paste import paste_lines
from harness.analysis.capacity import Capacity
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.resources import Resources
from harness.analysis.workers.points import sensing
from harness.analysis.workers.rule import WorkerFinding
from harness.facts.model import Cell

POLLERS = 3
"""Requests that come at any time: the webserver's watch, the daemon's, and a health check."""

MIN_WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Settings for one cell's server; `None` where nothing can be recommended, and why.

    `max_concurrent_runs` is the setting of the whole deployment, for `replicas` servers.
    `headroom`: what is left with it. `paste`: lines to paste, comments among them.
    """

    max_workers: int | None
    max_concurrent_runs: int | None
    replicas: int | None
    why: tuple[str, ...]
    headroom: Headroom | None = None
    paste: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What else is known of the cell; everything may be missing.

    `workers`: the finding of cells that differ from this one in their workers. `steps_at_once`:
    what the multiprocess executor was measured with. `runs_wanted`: runs that must be possible at
    once, on as many replicas as that takes.
    """

    resources: Resources | None = None
    workers: WorkerFinding | None = None
    steps_at_once: int | None = None
    runs_wanted: int | None = None


NOTHING = Background()


def recommend(
    cell: Cell,
    capacity: Capacity,
    at_capacity: StepSummary | None,
    *,
    background: Background = NOTHING,
) -> Recommendation:
    """Workers and concurrency for the measured server.

    `max_workers` = max(4, ⌈launch rate × start hold + sensor ticks under way⌉ + 3): a gRPC worker
    is held while a run's process starts and no longer, so by Little's law rate × hold of them
    are busy launching, a sensor holds one while it ticks, and three more keep polls and health
    checks from waiting. Cells that were measured with other numbers of workers correct it.

    Args:
        cell: what was measured.
        capacity: of the cell; its `concurrency` is the end that is sure.
        at_capacity: a passing step at that concurrency, `None` if there is none.
        background: what else is known.

    Raises:
        ValueError: `runs_wanted` below one.
    """
    if background.runs_wanted is not None and background.runs_wanted < 1:
        raise ValueError(f"at least one run must be wanted, not {background.runs_wanted}")
    if capacity.status == "invalid" or not capacity.concurrency:
        return _nothing(capacity)
    workers, why_workers = _workers(cell, at_capacity, background.workers)
    replicas, runs, why_replicas = _replicas(cell, capacity.concurrency, background.runs_wanted)
    headroom = headroom_of(cell, at_capacity, background.resources)
    return Recommendation(
        max_workers=workers,
        max_concurrent_runs=runs,
        replicas=replicas,
        why=(_concurrency(cell, capacity), *why_replicas, *why_workers),
        headroom=headroom,
        paste=paste_lines(
            cell, max_workers=workers, max_concurrent_runs=runs, replicas=replicas,
            steps_at_once=background.steps_at_once,
        ),
    )  # fmt: skip


def workers_for(busy: float) -> int:
    """gRPC workers of one replica on which `busy` are held at a time, on average."""
    return max(MIN_WORKERS, math.ceil(busy) + POLLERS)


def _nothing(capacity: Capacity) -> Recommendation:
    reason = {
        "invalid": "No setting: the measurement supports no capacity.",
        "below_min": "No setting: not even the lowest concurrency tried held every objective.",
    }.get(capacity.status, "No setting: no capacity was found.")
    return Recommendation(max_workers=None, max_concurrent_runs=None, replicas=None, why=(reason,))


def _concurrency(cell: Cell, capacity: Capacity) -> str:
    runs = f"{capacity.concurrency} concurrent run{'' if capacity.concurrency == 1 else 's'}"
    where = f"on {cell.replicas} replica{'s' if cell.replicas > 1 else ''} of {cell.profile}"
    sure = _sureness(capacity)
    if capacity.status == "above_max":
        return f"Every objective held at {runs} {where}{sure}, the highest tried; more may fit."
    slo = f" ({capacity.broken_slo} broke)" if capacity.broken_slo else ""
    return (
        f"Every objective held at {runs} {where}{sure}; {capacity.first_failing} was too many{slo}."
    )


def _sureness(capacity: Capacity) -> str:
    """How probable it is that this concurrency really holds, and if that is not sure enough."""
    if capacity.probability is None:
        return ""
    # Rounding up to certainty would claim what nobody measured.
    percent = math.floor(capacity.probability * 100)
    probable = f"with a probability of {'more than 99' if percent >= 99 else percent} %"
    return f" ({probable})" if capacity.confirmed else f" ({probable}: not confirmed)"


def _replicas(cell: Cell, concurrency: int, wanted: int | None) -> tuple[int, int, tuple[str, ...]]:
    """Replicas, the runs they hold together, and why; as measured where nothing is wanted."""
    if wanted is None:
        return cell.replicas, concurrency, ()
    replicas = math.ceil(wanted * cell.replicas / concurrency)
    runs = concurrency * replicas // cell.replicas
    if replicas == cell.replicas:
        return replicas, concurrency, (f"{wanted} runs at once are wanted: that is enough.",)
    each = concurrency / cell.replicas
    return (
        replicas,
        runs,
        (
            f"{wanted} runs at once are wanted, {each:.3g} fit a replica: {replicas} replicas, "
            f"predicted from {cell.replicas}. Replicas get their runs by chance, not evenly: "
            f"measure {replicas} of them before relying on it.",
        ),
    )


def _workers(
    cell: Cell, at_capacity: StepSummary | None, others: WorkerFinding | None
) -> tuple[int | None, tuple[str, ...]]:
    rate = at_capacity.throughput_runs_per_s if at_capacity else None
    hold_s = start_hold_s(cell, at_capacity) if at_capacity else None
    if rate is None or hold_s is None:
        return None, ("How many workers launches hold is not known: their phases are missing.",)
    share, ticks = rate / cell.replicas, sensing(cell)
    busy = math.ceil(share * hold_s + ticks)
    workers = workers_for(share * hold_s + ticks)
    sensors = f", sensors {ticks:.1f} more" if ticks else ""
    why = [
        f"{share:.2f} launches/s and replica, each holding a worker for {hold_s:.1f} s, keep "
        f"{share * hold_s:.1f} workers busy{sensors}; {POLLERS} more serve polls and health checks."
    ]
    if busy + POLLERS < MIN_WORKERS:
        why.append(f"Fewer than {MIN_WORKERS} workers are never recommended.")
    if others is not None:
        workers, seen = _corrected(workers, others)
        why += seen
    measured = {cell.max_workers, *(each.value for each in others.results)} if others else ()
    if workers not in (measured or {cell.max_workers}):
        why.append(f"Measured with {cell.max_workers} workers; {workers} is predicted.")
    return workers, tuple(why)


def _corrected(workers: int, others: WorkerFinding) -> tuple[int, list[str]]:
    """The rule's number, moved to what was seen: up to what held, then down to what was safe.

    Down only where more than that was tried: above the highest number tried nothing was seen.
    """
    seen = []
    if others.smallest is not None and workers < others.smallest:
        seen.append(
            f"The rule says {workers}, but at {others.concurrency} runs fewer than "
            f"{others.smallest} workers did not hold every objective."
        )
        workers = others.smallest
    safe = others.largest_safe
    tried_more = safe is not None and any(each.value > safe for each in others.results)
    if safe is not None and tried_more and workers > safe:
        seen.append(
            f"{workers} would do, but at {others.concurrency} runs no more than "
            f"{safe} workers were shown to be safe: launches all import at once."
        )
        workers = safe
    return workers, seen


def start_hold_s(cell: Cell, summary: StepSummary) -> float | None:
    """Median time a launch holds a gRPC worker, in seconds.

    From its dequeueing to the start of its process; with the direct feed, where the log lacks
    those, the time `launchRun` took, which contains it.
    """
    phases = summary.times.phases
    if phases.spawn_s is not None:
        return phases.spawn_s
    return phases.accept_s if cell.feed == "direct" else None
