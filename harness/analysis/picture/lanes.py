"""Runs as a timeline: each in the lowest row that is free when it is sent."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from harness.analysis.measures.windows import FloatArray, end_of
from harness.analysis.picture.canvas import Canvas
from harness.analysis.picture.thinning import IntArray
from harness.analysis.picture.types import Lanes
from harness.facts.model import Run, Step

SLOWEST_SHARE = 4
"""Where runs must be left out, one in so many of those that stay is there for being slow."""


def lanes_of(step: Step, runs: Sequence[Run], canvas: Canvas, *, most: int) -> Lanes:
    """All runs of a step, or at least those that matter.

    Args:
        runs: of this step only.
        most: show so many if there are more; those that did not succeed are shown in any case.
    """
    ordered = sorted(runs, key=lambda run: (run.intended_s, run.sent_s))
    lane = _packed(ordered, _end_of_step(step, ordered))
    shown = _chosen(ordered, most).tolist()
    own = [ordered[index] for index in shown]
    return Lanes(
        step=step.index,
        concurrency=step.concurrency,
        repetition=step.repetition,
        lane=tuple(lane[index] for index in shown),
        intended_s=_known(canvas, [run.intended_s for run in own]),
        sent_s=_known(canvas, [run.sent_s for run in own]),
        process_started_s=_column(canvas, [run.process_started_s for run in own]),
        started_s=_column(canvas, [run.started_s for run in own]),
        ended_s=_column(canvas, [_end(run) for run in own]),
        status=tuple(run.status for run in own),
        job=tuple(run.job for run in own),
        omitted=len(ordered) - len(own),
    )


def _packed(runs: Sequence[Run], end_s: float) -> list[int]:
    """The row of each run. All are packed, so that rows show how many were in flight."""
    lanes = [0] * len(runs)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for index in sorted(range(len(runs)), key=lambda i: runs[i].sent_s):
        run = runs[index]
        while busy and busy[0][0] <= run.sent_s:
            heapq.heappush(free, heapq.heappop(busy)[1])
        # With none free, every row up to here is busy.
        lane = heapq.heappop(free) if free else len(busy)
        ended_s = _end(run)
        heapq.heappush(busy, (max(end_s, run.sent_s) if ended_s is None else ended_s, lane))
        lanes[index] = lane
    return lanes


def _chosen(runs: Sequence[Run], most: int) -> IntArray:
    """Indexes to show: what did not succeed, the slowest, and of the rest every so many."""
    if len(runs) <= most:
        return np.arange(len(runs))
    well = np.array([run.status == "SUCCESS" for run in runs], dtype=np.bool_)
    room = max(1, most - int(np.count_nonzero(~well)))
    candidates = np.flatnonzero(well)
    slow = candidates[
        _by_length([runs[i] for i in candidates.tolist()])[: -(-room // SLOWEST_SHARE)]
    ]
    rest = np.setdiff1d(candidates, slow)
    evenly = np.linspace(0, len(rest) - 1, min(len(rest), room - len(slow))).round()
    return np.sort(np.concatenate((np.flatnonzero(~well), slow, rest[evenly.astype(np.intp)])))


def _by_length(runs: Sequence[Run]) -> IntArray:
    """Indexes by response time, the longest first."""
    lengths = np.array([end_of(run) - run.intended_s for run in runs], dtype=np.float64)
    return np.argsort(-lengths, kind="stable")


def _end_of_step(step: Step, runs: Sequence[Run]) -> float:
    """When the step ended; without phases, when its last run was sent."""
    ends = [phase.end_s for phase in step.phases] or [run.sent_s for run in runs]
    return max(ends, default=0.0)


def _end(run: Run) -> float | None:
    """When it left: a rejected launch did so when it was answered. `None`: it never did."""
    end_s = end_of(run)
    return end_s if math.isfinite(end_s) else None


def _known(canvas: Canvas, moments_s: Sequence[float]) -> tuple[float, ...]:
    return tuple(canvas.seconds(np.array(moments_s, dtype=np.float64)))


def _column(canvas: Canvas, moments_s: Sequence[float | None]) -> tuple[float | None, ...]:
    stamps: FloatArray = np.array(moments_s, dtype=np.float64)
    known = canvas.seconds(stamps)
    return tuple(None if math.isnan(moment) else moment for moment in known)
