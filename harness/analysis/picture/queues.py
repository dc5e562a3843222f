"""The charts of waiting: the queues beside what Dagster's Ping said of them, and the probe."""

from __future__ import annotations

from harness.analysis.measures.windows import CellRecord
from harness.analysis.picture.absence import why_nothing
from harness.analysis.picture.canvas import Canvas, Quantity
from harness.analysis.picture.series import gauges
from harness.analysis.picture.types import Group

RUN_QUEUE = Quantity(name="run queue: runs QUEUED in Dagster", metric="queued", unit="runs")
STARTING = Quantity(name="starting: runs STARTING in Dagster", metric="starting", unit="runs")
POOL_QUEUE = Quantity(
    name="pool queue: requests waiting for a worker", metric="pool_queue", unit="requests"
)
PING_QUEUED = Quantity(
    name="queued as Dagster's Ping said, when it answered", metric="ping_queued", unit="requests"
)
PROBE = Quantity(name="probe time", metric="probe_s", unit="s", digits=4)
PROBE_SLO = "probe_s_p99"


def queues_of(record: CellRecord, canvas: Canvas) -> Group:
    """The three queue depths, and Dagster's own word at the moment it came.

    An answer is a sample taken when it arrived (`ping_answered_s`). A Ping that was not answered
    leaves a gap.
    """
    lines = (
        *gauges(canvas, "run_queue", RUN_QUEUE),
        *gauges(canvas, "run_queue", STARTING),
        *gauges(canvas, "pool", POOL_QUEUE),
        *gauges(canvas, "ping", PING_QUEUED, lost="ping_failed"),
    )
    return Group(
        lines=lines, missing="" if lines else why_nothing(record, "queue", "pool", "run_queue")
    )


def probe_of(record: CellRecord, canvas: Canvas) -> Group:
    """Probe time of each replica, against its objective. A lost probe leaves a gap."""
    lines = gauges(canvas, "probe", PROBE, lost="probe_lost")
    limit_s = record.cell.slos.get(PROBE_SLO)
    return Group(
        lines=lines,
        limit=limit_s,
        limit_name="" if limit_s is None else f"objective {PROBE_SLO}",
        missing="" if lines else why_nothing(record, "probe", "probe"),
    )
