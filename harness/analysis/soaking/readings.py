"""One value a segment, of everything a soak watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import CellRecord, FloatArray, hold_of, runs_of_step
from harness.analysis.soaking.growth import Point, Subject, warmed
from harness.analysis.soaking.seeing import MEMORY, memory_limit_bytes
from harness.analysis.soaking.stretches import longest_stretch
from harness.facts.model import Phase, Step
from harness.units import mib


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A sampled value: of which device and key, what it is called, in which unit.

    `lives`: it begins anew with a fresh server. `limited`: the server's memory limit is its own.
    `and_key`: is added to it where it was read. `without`: only of sources that lack this key.
    """

    device: str
    key: str
    what: str
    unit: str = ""
    lives: bool = True
    limited: bool = False
    and_key: str = ""
    without: str = ""


WATCHED = (
    Watched(
        device="cgroup", key="anon_bytes", and_key="shmem_bytes", what=MEMORY, unit="MiB",
        limited=True,
    ),
    # What a server tells of itself: there is no better, and it counts as against its limit.
    Watched(
        device="cgroup", key="working_set_bytes", without="anon_bytes", what=MEMORY, unit="MiB",
        limited=True,
    ),
    Watched(device="processes", key="server_pss_bytes", what="server process", unit="MiB"),
    Watched(device="processes", key="runs_pss_bytes", what="run processes", unit="MiB"),
    Watched(device="support", key="rss_bytes", what="memory", unit="MiB", lives=False),
    Watched(device="processes", key="server_fds", what="file handles"),
    Watched(device="processes", key="server_threads", what="threads"),
    Watched(device="cgroup", key="pids", what="processes and threads"),
    Watched(device="run_queue", key="pg_connections", what="database connections", lives=False),
)  # fmt: skip


def segments_of(record: CellRecord) -> list[Step]:
    """The segments without a fault, in order, that ran to their end."""
    return [
        step
        for step in record.steps
        if step.kind == "load" and step.outcome == "completed" and hold_of(step) is not None
    ]


def longest_life(segments: Sequence[Step]) -> list[Step]:
    """The segments of the server that served the most of them."""
    lives = Counter(step.server for step in segments)
    most = max(lives, key=lambda server: lives[server], default=None)
    return [step for step in segments if step.server == most]


def readings(record: CellRecord) -> Iterator[tuple[Subject, Sequence[Point]]]:
    """Every watched thing with its points, warm."""
    segments = segments_of(record)
    life, stretch = longest_life(segments), longest_stretch(record, segments)
    limit_bytes = memory_limit_bytes(record.cell)
    limit = None if limit_bytes is None else mib(limit_bytes)
    for watched in WATCHED:
        for source in _sources(record, watched):
            subject = Subject(
                what=watched.what,
                of=source,
                unit=watched.unit,
                limit=limit if watched.limited else None,
            )
            steps = life if watched.lives else stretch
            yield subject, warmed(list(_points(record, watched, source, steps)))
    yield Subject(what="launch, median", of="runs", unit="s"), warmed(list(_launches(record, life)))


def _sources(record: CellRecord, watched: Watched) -> list[str]:
    samples = record.samples
    others = set(samples.sources(watched.device, watched.without)) if watched.without else ()
    return [each for each in samples.sources(watched.device, watched.key) if each not in others]


def _points(
    record: CellRecord, watched: Watched, source: str, steps: Sequence[Step]
) -> Iterator[Point]:
    scale = mib(1) if watched.unit == "MiB" else 1.0
    for step in steps:
        hold = hold_of(step)
        if hold is None:
            continue
        values = _values(record, watched, source, hold)
        if len(values):
            yield Point(
                at_s=(hold.start_s + hold.end_s) / 2,
                value=float(np.median(values)) * scale,
                top=float(np.max(values)) * scale,
            )


def _values(record: CellRecord, watched: Watched, source: str, hold: Phase) -> FloatArray:
    """What was read in the hold; where two keys make one figure, at the looks of the first."""

    def read(key: str) -> tuple[FloatArray, FloatArray]:
        return record.samples.series(
            watched.device, key, source=source, start_s=hold.start_s, end_s=hold.end_s
        )

    times, values = read(watched.key)
    if watched.and_key and len(values):
        more_at, more = read(watched.and_key)
        if len(more):
            return values + np.interp(times, more_at, more)
    return values


def _launches(record: CellRecord, steps: Sequence[Step]) -> Iterator[Point]:
    for step in steps:
        hold = hold_of(step)
        runs = runs_of_step(record.runs, step)
        times = [run.started_s - run.sent_s for run in runs if run.started_s is not None]
        usual = median(times)
        if hold is not None and usual is not None:
            yield Point(at_s=(hold.start_s + hold.end_s) / 2, value=usual, top=max(times))
