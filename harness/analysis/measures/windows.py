"""Which facts belong to a stretch of time: runs, counters and gauges over a window.

A step is judged on its hold phase. A run belongs to it when it was *in flight at any moment of
it*: sent before its end and not ended before its start. Taking only the runs that ended inside
would drop those that never end, the ones that matter most (survivor bias); taking only the runs
sent or ended inside would be blind when runs are longer than the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.facts.model import Cell, Event, Phase, Run, Step

FloatArray = NDArray[np.float64]

EDGE_S = 3.0
"""How far beyond a window a counter is read, so that its value at the edges interpolates."""

SPARSE_S = 2.0
"""Looks further apart than this are few: what they say of a window has to be earned.

Our own devices look at the server five times or once a second; a server's own word comes every 5 s.
"""

FEWEST = 3
"""Sparse readings that say something of a window: two stretches between them, so that one odd one
is not all there is."""

COVERED = 0.8
"""Of a window that sparse readings of a counter have to span."""


class Samples(Protocol):
    """What judging needs of the stored samples (`harness.facts.table.SamplesTable` offers it)."""

    def series(
        self,
        device: str,
        key: str,
        /,
        *,
        source: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Times taken (ascending) and values."""

    def sources(self, device: str, key: str, /) -> Sequence[str]:
        """What was read under this key."""

    def lateness_s(self, device: str, /) -> FloatArray:
        """Taken − due of every look of a device, in seconds."""


class CellRecord(Protocol):
    """What judging needs of a stored cell (`harness.facts.table.CellFacts` offers it)."""

    @property
    def cell(self) -> Cell:
        """What was measured."""

    @property
    def steps(self) -> Sequence[Step]:
        """By index."""

    @property
    def runs(self) -> Sequence[Run]:
        """Of all steps."""

    @property
    def samples(self) -> Samples:
        """Of all devices."""

    @property
    def events(self) -> Sequence[Event]:
        """By time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How far a cumulative counter went, and the part of the window its samples cover."""

    delta: float
    covered_s: float

    @property
    def rate(self) -> float:
        """Per second of covered time."""
        return self.delta / self.covered_s


def hold_of(step: Step) -> Phase | None:
    """The step's hold window, or `None` when it has none of any length."""
    hold = step.phase("hold")
    return hold if hold is not None and hold.end_s > hold.start_s else None


def end_of(run: Run) -> float:
    """When the run left the system; +inf when it never did (`LOST`, `UNFINISHED`).

    A rejected launch left when it was answered.
    """
    if run.ended_s is not None:
        return run.ended_s
    if run.status == "REJECTED":
        return run.accepted_s if run.accepted_s is not None else run.sent_s
    return math.inf


def runs_of_step(runs: Iterable[Run], step: Step, window: Phase | None = None) -> list[Run]:
    """The step's runs that were in flight at any moment of a window.

    Args:
        runs: of the cell.
        step: whose runs.
        window: the judged one; left out, the planned hold. Without a hold (the step broke off
            before) all its runs: what happened to them is all there is to judge.
    """
    own = [run for run in runs if run.step == step.index]
    within = window or hold_of(step)
    if within is None:
        return own
    return [run for run in own if run.sent_s < within.end_s and end_of(run) >= within.start_s]


def ended_within(runs: Iterable[Run], window: Phase) -> list[Run]:
    """Successful runs that ended in `[start_s, end_s)`: the goodput."""
    return [
        run
        for run in runs
        if run.status == "SUCCESS"
        and run.ended_s is not None
        and window.start_s <= run.ended_s < window.end_s
    ]


def in_flight_at(runs: Sequence[Run], times: FloatArray) -> FloatArray:
    """How many runs were sent and not ended at each time."""
    sent = np.sort(np.array([run.sent_s for run in runs], dtype=np.float64))
    ended = np.sort(np.array([end_of(run) for run in runs], dtype=np.float64))
    begun = np.searchsorted(sent, times, side="right")
    gone = np.searchsorted(ended, times, side="right")
    return (begun - gone).astype(np.float64)


def mean_in_flight(runs: Iterable[Run], window: Phase) -> float:
    """Time average of the runs in flight over the window, exact from their stamps."""
    inside = sum(
        max(0.0, min(end_of(run), window.end_s) - max(run.sent_s, window.start_s)) for run in runs
    )
    return inside / (window.end_s - window.start_s)


def counted(times: FloatArray, values: FloatArray, window: Phase) -> Counted | None:
    """Growth of a cumulative counter over the window, interpolated at both edges.

    A fall of the counter is a restart of what is counted: it began again at zero. Nothing is
    extrapolated; `covered_s` says how much of the window the samples span.
    """
    if len(times) < 2:
        return None
    steps = np.diff(values)
    grown = np.where(steps < 0, values[1:], steps)
    total = np.concatenate(([0.0], np.cumsum(grown)))
    start_s, end_s = max(window.start_s, times[0]), min(window.end_s, times[-1])
    if end_s <= start_s:
        return None
    first, last = np.interp([start_s, end_s], times, total)
    return Counted(delta=float(last - first), covered_s=float(end_s - start_s))


def counters(samples: Samples, device: str, key: str, *, window: Phase) -> dict[str, Counted]:
    """`counted` for every source that has enough samples around the window; see `SPARSE_S`."""
    found = {}
    for source in samples.sources(device, key):
        times, values = samples.series(
            device,
            key,
            source=source,
            start_s=window.start_s - EDGE_S,
            end_s=window.end_s + EDGE_S,
        )
        growth = counted(times, values, window)
        if growth is not None and (device != "cgroup" or _earned(times, growth, window)):
            found[source] = growth
    return found


def is_sparse(times: FloatArray) -> bool:
    """Whether these looks, ascending, are so far apart that few of them fall into a window."""
    return len(times) >= 2 and float(np.median(np.diff(times))) > SPARSE_S


def _earned(times: FloatArray, growth: Counted, window: Phase) -> bool:
    """Whether sparse readings are enough for the window, and span enough of it."""
    if not is_sparse(times):
        return True
    wanted_s = COVERED * (window.end_s - window.start_s)
    return len(times) >= FEWEST and growth.covered_s >= wanted_s


def gauges(samples: Samples, device: str, key: str, *, window: Phase) -> dict[str, FloatArray]:
    """Readings inside the window for every source that has any."""
    found = {}
    for source in samples.sources(device, key):
        _, values = samples.series(
            device, key, source=source, start_s=window.start_s, end_s=window.end_s
        )
        if len(values):
            found[source] = values
    return found


def of_the_host(samples: Samples, key: str, *, window: Phase) -> FloatArray | None:
    """Readings of the host the servers run on, in the window; `None` where nobody reads it, as
    where only the generator's host, another one, is read.
    """
    return gauges(samples, "host", key, window=window).get("host")


def bin_means(samples: Samples, device: str, key: str, *, edges: FloatArray) -> FloatArray | None:
    """Means of a gauge in equal bins, all sources added up; `None` where nothing was read.

    A bin in which a source was not read interpolates that source.
    """
    middles = (edges[:-1] + edges[1:]) / 2
    means = []
    for source in samples.sources(device, key):
        times, values = samples.series(
            device, key, source=source, start_s=float(edges[0]), end_s=float(edges[-1])
        )
        if len(times):
            counts, _ = np.histogram(times, bins=edges)
            sums, _ = np.histogram(times, bins=edges, weights=values)
            known = counts > 0
            means.append(np.interp(middles, middles[known], sums[known] / counts[known]))
    return np.sum(means, axis=0) if means else None


def whole_of(step: Step) -> Phase | None:
    """From the first send to the end of the drain; `None` where a step had no such stretch."""
    if not step.phases or step.phases[-1].end_s <= step.phases[0].start_s:
        return None
    return Phase(name="whole", start_s=step.phases[0].start_s, end_s=step.phases[-1].end_s)
