"""One cell's picture: its facts, thinned to what a page can carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.analysis.findings.types import CellFinding
from harness.analysis.measures.indexed import Indexed
from harness.analysis.measures.windows import CellRecord, Samples
from harness.analysis.picture.absence import missing_of
from harness.analysis.picture.budget import DEFAULT, Budget, shares
from harness.analysis.picture.canvas import Canvas
from harness.analysis.picture.curve import curve_of
from harness.analysis.picture.lanes import lanes_of
from harness.analysis.picture.marks import marks_of
from harness.analysis.picture.queues import probe_of, queues_of
from harness.analysis.picture.series import cpu_of, memory_of, throttling_of
from harness.analysis.picture.stack import processes_of
from harness.analysis.picture.types import CellPicture, Lanes, Span
from harness.facts.model import Run, Step

LOOKED_AT = {
    "cgroup": ("usage_bytes", "working_set_bytes", "anon_bytes", "peak_bytes", "cpu_s", "periods"),
    "processes": ("server_rss_bytes", "server_pss_bytes"),
    "run_queue": ("queued", "starting"),
    "pool": ("pool_queue",),
    "ping": ("ping_queued", "ping_failed"),
    "probe": ("probe_s", "probe_lost"),
}
"""What is drawn, by device: the picture begins with the first of these readings."""

Window = tuple[float, float]


def picture_of(
    record: CellRecord,
    *,
    judged: Mapping[int, Window] | None = None,
    finding: CellFinding | None = None,
    budget: Budget = DEFAULT,
) -> CellPicture:
    """What is drawn for one cell, whatever of it there is.

    Args:
        record: of one cell, sealed or not.
        judged: by step index, start and end of the judged window in epoch seconds.
        finding: what was found of the cell.
        budget: how much a page can carry.
    """
    samples = Indexed(record.samples)
    moments = [*_looks(samples), *(p.start_s for s in record.steps for p in s.phases[:1])]
    origin_s = min(moments, default=min((event.at_s for event in record.events), default=0.0))
    canvas = Canvas(
        samples=samples,
        origin_s=origin_s,
        points=budget.points,
        steps_s=np.sort([step.phases[0].start_s for step in record.steps if step.phases]),
    )
    marks = marks_of(record, canvas)
    return CellPicture(
        cell=record.cell.id,
        origin_s=origin_s,
        end_s=canvas.seconds(np.array([max(_ends(record, samples), default=origin_s)]))[0],
        spans=tuple(_span(step, canvas, (judged or {}).get(step.index)) for step in record.steps),
        marks=marks.marks,
        memory=memory_of(record, canvas),
        cpu=cpu_of(record, canvas),
        throttling=throttling_of(record, canvas),
        queues=queues_of(record, canvas),
        probe=probe_of(record, canvas),
        processes=processes_of(record, canvas),
        runs=_runs(record, canvas, budget.runs),
        missing=(*missing_of(record), *marks.left_out),
        curve=curve_of(finding),
    )


def _looks(samples: Samples) -> Iterator[float]:
    """First and last look of everything that is drawn."""
    drawn = ((device, key) for device, keys in LOOKED_AT.items() for key in keys)
    for device, key in drawn:
        for source in samples.sources(device, key):
            times, _ = samples.series(device, key, source=source)
            if len(times):
                yield from (float(times[0]), float(times[-1]))


def _ends(record: CellRecord, samples: Samples) -> Iterator[float]:
    yield from _looks(samples)
    yield from (phase.end_s for step in record.steps for phase in step.phases)
    yield from (event.at_s for event in record.events)
    yield from (run.ended_s for run in record.runs if run.ended_s is not None)


def _span(step: Step, canvas: Canvas, judged: Window | None) -> Span:
    bounds = [moment for phase in step.phases for moment in (phase.start_s, phase.end_s)]
    edges = canvas.seconds(np.array([*bounds, *(judged or ())], dtype=np.float64))
    phases = tuple(
        (phase.name, edges[2 * place], edges[2 * place + 1])
        for place, phase in enumerate(step.phases)
    )
    return Span(
        index=step.index,
        kind=step.kind,
        concurrency=step.concurrency,
        repetition=step.repetition,
        outcome=step.outcome,
        start_s=phases[0][1] if phases else 0.0,
        end_s=phases[-1][2] if phases else 0.0,
        phases=phases,
        judged_s=(edges[-2], edges[-1]) if judged else None,
    )


def _runs(record: CellRecord, canvas: Canvas, most: int) -> tuple[Lanes, ...]:
    by_step: defaultdict[int, list[Run]] = defaultdict(list)
    for run in record.runs:
        by_step[run.step].append(run)
    steps: Sequence[Step] = [step for step in record.steps if by_step[step.index]]
    allowed = shares([len(by_step[step.index]) for step in steps], most)
    return tuple(
        lanes_of(step, by_step[step.index], canvas, most=room)
        for step, room in zip(steps, allowed, strict=True)
    )
