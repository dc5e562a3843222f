"""The charts of what a server used: memory, CPU, throttling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.analysis.measures.windows import CellRecord, FloatArray, is_sparse
from harness.analysis.picture.absence import why_nothing
from harness.analysis.picture.canvas import Canvas, Quantity
from harness.analysis.picture.rates import rate_of
from harness.analysis.picture.thinning import NO_TIMES, curve_of
from harness.analysis.picture.types import Group, Line
from harness.units import MIB

DEVICE = "cgroup"
WORKING_SET = Quantity(
    name="working set", metric="working_set_bytes", unit="MiB", digits=1, scale=1 / MIB
)
USAGE = replace(WORKING_SET, name="memory charged, page cache included", metric="usage_bytes")
ANON = replace(WORKING_SET, name="anonymous memory", metric="anon_bytes")
KERNEL_PEAK = replace(WORKING_SET, name="kernel peak of the step so far", metric="peak_bytes")
CPU = Quantity(name="CPU used, means of 1 s", metric="cpu_cores", unit="vCPU", digits=3)
CPU_TOLD = replace(CPU, name="CPU used, means from one look to the next")
THROTTLED = Quantity(
    name="throttled share of quota periods, means of 1 s", metric="throttled_ratio",
    unit="ratio", digits=3,
)  # fmt: skip


def memory_of(record: CellRecord, canvas: Canvas) -> Group:
    """Working set, anonymous memory and the kernel's peak of each replica, MiB."""
    used = WORKING_SET if canvas.samples.sources(DEVICE, WORKING_SET.metric) else USAGE
    lines = [
        line for quantity in (used, ANON, KERNEL_PEAK) for line in gauges(canvas, DEVICE, quantity)
    ]
    limits = record.cell.effective_limits if record.cell.limits_enforced else None
    size_bytes = limits.memory_bytes if limits else None
    return Group(
        lines=tuple(lines),
        limit=None if size_bytes is None else round(size_bytes / MIB, WORKING_SET.digits),
        limit_name="" if size_bytes is None else _limit_name(record, "memory"),
        missing="" if lines else why_nothing(record, "memory", DEVICE),
    )


def cpu_of(record: CellRecord, canvas: Canvas) -> Group:
    """Cores each replica used."""
    lines = []
    for source in canvas.samples.sources(DEVICE, "cpu_s"):
        times, used_s = canvas.samples.series(DEVICE, "cpu_s", source=source)
        quantity = CPU_TOLD if is_sparse(times) else CPU
        lines.append(canvas.line(quantity, source, rate_of(times, used_s)))
    limits = record.cell.effective_limits if record.cell.limits_enforced else None
    cores = limits.cpu_cores if limits else None
    return Group(
        lines=drawable(lines),
        limit=cores,
        limit_name="" if cores is None else _limit_name(record, "CPU"),
        missing="" if drawable(lines) else why_nothing(record, "CPU time", DEVICE),
    )


def throttling_of(record: CellRecord, canvas: Canvas) -> Group:
    """Share of each replica's quota periods that ran out of quota, 0 to 1.

    Nothing to draw where no period ever passed: there was no quota to run out of.
    """
    lines = []
    for source in canvas.samples.sources(DEVICE, "throttled_periods"):
        times, throttled, periods = together(
            canvas, DEVICE, ("throttled_periods", "periods"), source=source
        )
        if periods.any():
            lines.append(canvas.line(THROTTLED, source, rate_of(times, throttled, over=periods)))
    return Group(
        lines=drawable(lines),
        missing="" if drawable(lines) else why_nothing(record, "quota period", DEVICE),
    )


def gauges(canvas: Canvas, device: str, quantity: Quantity, *, lost: str = "") -> tuple[Line, ...]:
    """One line a source of what a device read, as it was read.

    Args:
        lost: the key that is 1 where a question was not answered: a gap.
    """
    lines = []
    for source in canvas.samples.sources(device, quantity.metric):
        times, values = canvas.samples.series(device, quantity.metric, source=source)
        lost_s = moments_of(canvas, device, lost, source=source) if lost else NO_TIMES
        lines.append(canvas.line(quantity, source, curve_of(times, values, lost_s=lost_s)))
    return drawable(lines)


def moments_of(canvas: Canvas, device: str, key: str, *, source: str) -> FloatArray:
    """Epoch seconds at which a yes-or-no reading was yes."""
    times, values = canvas.samples.series(device, key, source=source)
    return times[values > 0]


def together(
    canvas: Canvas, device: str, keys: tuple[str, ...], *, source: str
) -> tuple[FloatArray, ...]:
    """The times at which all the keys were read in one look, and the values of each."""
    read = [canvas.samples.series(device, key, source=source) for key in keys]
    times = np.unique(read[0][0])
    for other, _ in read[1:]:
        times = np.intersect1d(times, other)
    return times, *(values[np.searchsorted(at, times)] for at, values in read)


def drawable(lines: list[Line]) -> tuple[Line, ...]:
    """Those with anything in them."""
    return tuple(line for line in lines if line.times_s)


def _limit_name(record: CellRecord, what: str) -> str:
    return f"enforced {what} limit" + (" of each replica" if record.cell.replicas > 1 else "")
