"""How many runs of a burst were really in the server at once.

Counted from run processes where those could be seen, else from when runs started and ended. How
long the limit was full is counted by what Dagster itself holds against it, where runs tell that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import (
    CellRecord,
    FloatArray,
    Samples,
    bin_means,
    end_of,
    whole_of,
)
from harness.facts.model import Phase, Run, Step

FILLED = 0.9
"""The share of a limit that counts as full: a run that has ended is replaced at the daemon's next
look only."""

FULL_S = 5.0
"""How long a limit has to be full: shorter is the moment in which one run leaves and one comes."""

BEAT_S = 1.0

OWN_ERROR = "user_error"
"""What a run's own code raised, as the generator calls it."""

MOST_ERRORS = 3
ERROR_CHARACTERS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """One burst from within: `most` runs at once, and `full_s` seconds with the limit full.

    `by`: who counted. `pace_s`: from one start to the next while the server filled, on average;
    `run_s`: what a run lasted there (median). `None` where too few were seen. `errors`: what runs
    failed with, the most common first. `own`: all that failed did with an error of their own
    code's.
    """

    most: int
    full_s: float
    by: Literal["samples", "runs"]
    pace_s: float | None = None
    run_s: float | None = None
    errors: tuple[str, ...] = ()
    own: bool = False

    @property
    def filled(self) -> bool:
        """Whether the limit was full for as long as it takes to mean something."""
        return self.full_s >= FULL_S


def inside_of(record: CellRecord, step: Step, limit: int) -> Inside | None:
    """What one burst was from within; `None` where it never began.

    Args:
        record: the cell's facts.
        step: the burst.
        limit: runs at once that were allowed.
    """
    window = whole_of(step)
    if window is None:
        return None
    own = [run for run in record.runs if run.step == step.index]
    wanted = math.ceil(FILLED * limit)
    counts = _by_samples(record.samples, window)
    by: Literal["samples", "runs"] = "samples" if counts is not None else "runs"
    full = counts = _by_runs(own, window, _started) if counts is None else counts
    if by == "samples" and any(_taken(run) is not None for run in own):
        # A process outlives its run by a moment, in which the next one has its place already.
        slots = _by_runs(own, window, _taken)
        full = np.minimum(counts, np.maximum(slots[:-1], slots[1:]))
    starts = sorted(run.started_s for run in own if run.started_s is not None)[:limit]
    return Inside(
        most=int(counts.max(initial=0)),
        full_s=float((full >= wanted).sum()) * BEAT_S,
        by=by,
        pace_s=_pace(starts),
        run_s=median(
            [r.ended_s - r.started_s for r in own if r.ended_s and r.started_s and _well(r)]
        ),
        errors=_errors(own),
        own=_failed_alone(own),
    )


def _pace(starts: Sequence[float]) -> float | None:
    """Seconds a start. Several launches at a time come in clusters, whose gaps say nothing of how
    long the waits between them are: how long it takes to fill is the whole way, shared out.
    """
    return (starts[-1] - starts[0]) / (len(starts) - 1) if len(starts) > 1 else None


def _errors(runs: Sequence[Run]) -> tuple[str, ...]:
    """`3 × user_error: ValueError: …`, the most common first."""
    failed = [run for run in runs if not _well(run)]
    told = Counter(
        ": ".join(filter(None, (run.error_class or run.status.lower(), _first_line(run.error))))
        for run in failed
    )
    return tuple(f"{count} × {text}" for text, count in told.most_common(MOST_ERRORS))


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0][:ERROR_CHARACTERS]


def _failed_alone(runs: Sequence[Run]) -> bool:
    classes = {run.error_class for run in runs if not _well(run)}
    return classes == {OWN_ERROR}


def _by_samples(samples: Samples, window: Phase) -> FloatArray | None:
    """Run processes alive, second by second, in all replicas."""
    seen = bin_means(samples, "processes", "resident_runs", edges=_edges(window))
    return None if seen is None else np.round(seen)


def _started(run: Run) -> float | None:
    return run.started_s


def _taken(run: Run) -> float | None:
    """From when on Dagster counts it against its limit: while it is launched, too."""
    return run.started_s if run.dequeued_s is None else run.dequeued_s


def _by_runs(
    runs: Sequence[Run], window: Phase, begin: Callable[[Run], float | None]
) -> FloatArray:
    """Runs that had begun and not ended, second by second."""
    known = [(begun_s, end_of(run)) for run in runs if (begun_s := begin(run)) is not None]
    begun = np.sort(np.array([begun_s for begun_s, _ in known], dtype=np.float64))
    ended = np.sort(np.array([ended_s for _, ended_s in known], dtype=np.float64))
    moments = _edges(window)
    inside = np.searchsorted(begun, moments, "right") - np.searchsorted(ended, moments, "right")
    return inside.astype(np.float64)


def _edges(window: Phase) -> FloatArray:
    beats = max(1, int((window.end_s - window.start_s) / BEAT_S))
    return window.start_s + BEAT_S * np.arange(beats + 1, dtype=np.float64)


def _well(run: Run) -> bool:
    return run.status == "SUCCESS"
