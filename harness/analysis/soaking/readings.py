"""One value a segment, of everything a soak watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import CellRecord, hold_of, runs_of_step
from harness.analysis.soaking.growth import Point, Subject, warmed
from harness.facts.model import Step
from harness.units import mib


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A sampled value: of which device and key, what it is called, in which unit.

    `lives`: it begins anew with a fresh server. `limited`: the cell's memory limit is its own.
    """

    device: str
    key: str
    what: str
    unit: str = ""
    lives: bool = True
    limited: bool = False


WATCHED = (
    Watched(device="cgroup", key="anon_bytes", what="memory", unit="MiB", limited=True),
    Watched(device="processes", key="server_pss_bytes", what="server process", unit="MiB"),
    Watched(device="processes", key="runs_pss_bytes", what="run processes", unit="MiB"),
    Watched(device="support", key="rss_bytes", what="memory", unit="MiB", lives=False),
    Watched(device="processes", key="server_fds", what="file handles"),
    Watched(device="processes", key="server_threads", what="threads"),
    Watched(device="cgroup", key="pids", what="processes and threads"),
    Watched(device="run_queue", key="pg_connections", what="database connections", lives=False),
)


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
    life = longest_life(segments)
    limit = mib(record.cell.memory_bytes)
    for watched in WATCHED:
        for source in record.samples.sources(watched.device, watched.key):
            subject = Subject(
                what=watched.what,
                of=source,
                unit=watched.unit,
                limit=limit if watched.limited else None,
            )
            steps = life if watched.lives else segments
            yield subject, warmed(list(_points(record, watched, source, steps)))
    yield Subject(what="launch, median", of="runs", unit="s"), warmed(list(_launches(record, life)))


def _points(
    record: CellRecord, watched: Watched, source: str, steps: Sequence[Step]
) -> Iterator[Point]:
    scale = mib(1) if watched.unit == "MiB" else 1.0
    for step in steps:
        hold = hold_of(step)
        if hold is None:
            continue
        _, values = record.samples.series(
            watched.device, watched.key, source=source, start_s=hold.start_s, end_s=hold.end_s
        )
        if len(values):
            yield Point(
                at_s=(hold.start_s + hold.end_s) / 2,
                value=float(np.median(values)) * scale,
                top=float(np.max(values)) * scale,
            )


def _launches(record: CellRecord, steps: Sequence[Step]) -> Iterator[Point]:
    for step in steps:
        hold = hold_of(step)
        runs = runs_of_step(record.runs, step)
        times = [run.started_s - run.sent_s for run in runs if run.started_s is not None]
        usual = median(times)
        if hold is not None and usual is not None:
            yield Point(at_s=(hold.start_s + hold.end_s) / 2, value=usual, top=max(times))
