"""Did what feeds the server give out before the server did?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import counters, gauges
from harness.analysis.validity.case import (
    StepCase,
    StepCheck,
    load_of,
    saturation,
    sent_within,
)
from harness.analysis.validity.issue import Issue, Severity
from harness.facts.model import Cell, Phase, Run
from harness.units import show_seconds

SUPPORT_BUSY_CORES = 0.9
"""Webserver and daemon are one Python process each: a core is all they can use."""

QUOTA_PERIODS_PER_S = 10.0
"""The kernel's default period is 100 ms; only the throttled ones of a helper are sampled."""

SUPPORT_THROTTLED = 0.05
"""The helpers have no CPU limit of ours, so any quota is somebody else's. Five per cent of the
periods is what a start-up burst leaves."""

WEBSERVER_FLOOR_S = 0.5
"""Below it nothing is said: an idle webserver takes about 0.1 s."""

WEBSERVER_SHARE_WARNING = 0.05
WEBSERVER_SHARE_FATAL = 0.25
"""Of the median response: beyond a quarter the answer is the webserver's, not the server's."""

DATABASE_FULL = 0.8
"""Of the connections Postgres allows: processes come with several at once."""

CONNECTIONS_ALLOWED = {"compose": 400, "process": 300}
"""`max_connections` of our own targets, where `run_queue/pg_max_connections` was not sampled."""

DEQUEUE_INTERVAL_S = 5.0
"""Dagster's default; a run waits up to one interval for a daemon that keeps up."""

WAITING, TAKEN = "queued", ("starting", "started", "canceling")
"""Runs by status, all read at the same looks."""

_NO_CONNECTION = re.compile(r"too many clients already|remaining connection slots", re.IGNORECASE)


def _busy(case: StepCase) -> Iterator[Issue]:
    for name, cores in sorted(case.summary.support_cpu_cores.items()):
        if cores >= SUPPORT_BUSY_CORES:
            yield case.issue(
                "support_busy",
                "warning",
                f"{name} used {cores:.2f} cores",
                remedy="What feeds the server may limit it: compare with the queued feed, or use "
                "faster CPUs.",
            )


def _throttled(case: StepCase) -> Iterator[Issue]:
    if case.hold is None:
        return
    seen = counters(case.samples, "support", "throttled_periods", window=case.hold)
    for name, grown in sorted(seen.items()):
        ratio = grown.rate / QUOTA_PERIODS_PER_S
        if ratio >= SUPPORT_THROTTLED:
            yield case.issue(
                "support_throttled",
                "warning",
                f"{name} ran out of CPU quota in {min(1.0, ratio):.0%} of the periods",
                remedy="Give the helper containers no CPU limit, or a higher one.",
            )


def _webserver_slow(case: StepCase) -> Iterator[Issue]:
    """Time in a launch that neither the server's spawning nor its full pool explains.

    The webserver asks the server for the execution plan before it makes a run, so a saturated
    server lengthens this part too: then nothing is said.
    """
    response = case.summary.times.response_s.p50
    response_s = response.finite if response else None
    if case.hold is None or not response_s or saturation(case.summary):
        return
    sent = sent_within(case.runs, case.hold)
    own = [own_s for run in sent if (own_s := _webserver_s(run, case.cell)) is not None]
    own_s = median(own)
    if own_s is None or own_s <= max(WEBSERVER_FLOOR_S, WEBSERVER_SHARE_WARNING * response_s):
        return
    fatal = own_s > WEBSERVER_SHARE_FATAL * response_s and load_of(case.summary) == "free"
    yield case.issue(
        "webserver_slow",
        "fatal" if fatal else "warning",
        f"{show_seconds(own_s)} of a launch (median of {len(own)}) were spent in the webserver "
        f"and on the way, {own_s / response_s:.0%} of the median response",
        remedy="Use faster or more CPUs for the webserver: it answers launches and the poll.",
    )


def _webserver_s(run: Run, cell: Cell) -> float | None:
    """Accept time without the spawn it contains (feed `direct`: `StartRun` is awaited)."""
    if run.accepted_s is None:
        return None
    accept_s = run.accepted_s - run.sent_s
    if cell.feed == "queued":
        return accept_s
    if run.dequeued_s is None or run.process_started_s is None:
        return None
    return max(0.0, accept_s - (run.process_started_s - run.dequeued_s))


def _database_full(case: StepCase) -> Iterator[Issue]:
    refused = sum(bool(_NO_CONNECTION.search(run.error or "")) for run in case.runs)
    if refused:
        yield case.issue(
            "database_full",
            "fatal",
            f"Postgres refused a connection to {refused} of {len(case.runs)} runs",
            remedy="Raise Postgres' max_connections, or offer fewer runs.",
        )
        return
    used, allowed = _connections(case)
    if used is not None and allowed is not None and used >= DATABASE_FULL * allowed:
        yield case.issue(
            "database_full",
            "warning",
            f"{used:.0f} of {allowed:.0f} database connections were open",
            remedy="Raise Postgres' max_connections.",
        )


def _connections(case: StepCase) -> tuple[float | None, float | None]:
    """Most connections open at a look in the window, and how many are allowed."""
    if case.hold is None:
        return None, None
    used = _highest(case, "pg_connections", case.hold)
    allowed = _highest(case, "pg_max_connections", case.hold)
    return used, allowed if allowed is not None else CONNECTIONS_ALLOWED.get(case.cell.target)


def _highest(case: StepCase, key: str, hold: Phase) -> float | None:
    seen = gauges(case.samples, "run_queue", key, window=hold)
    return max((float(values.max()) for values in seen.values()), default=None)


def _queue_limited(case: StepCase) -> Iterator[Issue]:
    """Runs waited in Dagster's queue longer than its cadence explains, the server having room."""
    if case.cell.feed != "queued" or case.hold is None or saturation(case.summary):
        return
    queued = gauges(case.samples, "run_queue", "queued", window=case.hold)
    waiting = median(np.concatenate(list(queued.values())).tolist()) if queued else None
    if not waiting:
        return
    wait_s = _queue_wait_s(case, case.hold)
    if wait_s is not None and wait_s <= _interval_s(case.cell):
        return
    severity, why, remedy = _whose_queue(case, case.hold)
    waited = "" if wait_s is None else f", for {show_seconds(wait_s)} (median)"
    yield case.issue(
        "queue_limited",
        severity,
        f"{waiting:g} runs waited in the run queue (median){waited}: {why}",
        remedy=remedy,
    )


def _whose_queue(case: StepCase, hold: Phase) -> tuple[Severity, str, str]:
    limit = case.cell.max_concurrent_runs
    taken = _taken_while_waiting(case, hold)
    if limit is not None and (taken is None or taken >= limit):
        return (
            "warning",
            f"max_concurrent_runs is {limit} on purpose",
            "This capacity is the setting's: raise max_concurrent_runs to find the server's.",
        )
    remedy = "Raise dequeue_threads or shorten dequeue_interval_s, or measure the direct feed."
    if load_of(case.summary) == "unknown":
        return "warning", "whether the server had room is not known", remedy
    if case.cell.detail.get("on_trial"):
        return "warning", "the daemon took them as slowly as it is configured to", remedy
    return "fatal", "the daemon took them too slowly, the server had room", remedy


def _taken_while_waiting(case: StepCase, hold: Phase) -> float | None:
    """Runs past the queue at the looks that saw others wait in it, median; `None` if not read.

    Not over the whole window: a burst is long gone at its end, and what is past the queue then
    says nothing about why the others had waited.
    """
    readings = [gauges(case.samples, "run_queue", key, window=hold) for key in (WAITING, *TAKEN)]
    database = next(iter(readings[0]), "")
    queued, *taken = (each.get(database, np.empty(0)) for each in readings)
    if any(len(each) != len(queued) for each in taken):
        return None
    return median(np.sum(taken, axis=0)[queued > 0].tolist())


def _queue_wait_s(case: StepCase, hold: Phase) -> float | None:
    """Median wait of the window's runs; one still queued has waited until the window's end."""
    waits = [
        min(hold.end_s, run.dequeued_s or hold.end_s) - run.enqueued_s
        for run in case.runs
        if run.enqueued_s is not None
        and run.enqueued_s < hold.end_s
        and (run.dequeued_s is None or run.dequeued_s >= hold.start_s)
    ]
    return median(waits)


def _interval_s(cell: Cell) -> float:
    told = cell.detail.get("dequeue_interval_s")
    return float(told) if isinstance(told, int | float) else DEQUEUE_INTERVAL_S


STEP_CHECKS: tuple[StepCheck, ...] = (
    _busy,
    _throttled,
    _webserver_slow,
    _database_full,
    _queue_limited,
)
