"""What a step's steady state is looked for in: response times, or runs in flight.

Response times say most, but a step of a minute has few; then what is in the server stands in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.trend import TREND_BINS
from harness.analysis.measures.windows import FloatArray, Samples, bin_means, in_flight_at
from harness.facts.model import Phase, Run, Step

BATCH = 5
"""Values a batch mean is made of (MSER-5)."""

MIN_VALUES = 25
"""Five batches: fewer cannot have a minimum that means anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is watched: times (ascending), values, and what to call them."""

    times: FloatArray
    values: FloatArray
    method: Literal["mser5_response", "mser5_in_flight"]
    what: str
    unit: str

    def since(self, start_s: float) -> Series:
        """The part that begins at a moment."""
        kept = self.times >= start_s
        return replace(self, times=self.times[kept], values=self.values[kept])

    def condensed(self) -> Series:
        """At most `TREND_BINS` values: means of equally many each."""
        each = max(1, -(-len(self.values) // TREND_BINS))
        whole = len(self.values) // each * each
        times, values = (
            part[:whole].reshape(-1, each).mean(axis=1) for part in (self.times, self.values)
        )
        return replace(self, times=times, values=values)

    @property
    def size(self) -> str:
        """How many values, in words."""
        return f"{len(self.values)} {self.unit}"


def series_of(step: Step, hold: Phase, *, runs: Sequence[Run], samples: Samples) -> Series:
    """Response times where there are enough runs, else runs in flight and resident."""
    own = [run for run in runs if run.step == step.index]
    start_s = min(phase.start_s for phase in step.phases)
    responses = _responses(own, Phase(name="watched", start_s=start_s, end_s=hold.end_s), step)
    if len(responses.values) >= MIN_VALUES:
        return responses
    return _in_flight(own, samples, start_s=start_s, hold=hold)


def _responses(runs: Sequence[Run], watched: Phase, step: Step) -> Series:
    """By intended start, each ÷ the median of its own job: jobs differ, and that is no trend.

    A run that never ended counts with the time we waited for it: leaving it out would hide a rise.
    A run that failed says nothing about how long an answer takes.
    """
    waited_until_s = step.phases[-1].end_s
    seen = [
        (run, (waited_until_s if run.ended_s is None else run.ended_s) - run.intended_s)
        for run in sorted(runs, key=lambda run: run.intended_s)
        if run.status in ("SUCCESS", "LOST", "UNFINISHED")
        and watched.start_s <= run.intended_s < watched.end_s
    ]
    usual = {
        job: median([response_s for run, response_s in seen if run.job == job])
        for job in {run.job for run, _ in seen}
    }
    return Series(
        times=np.array([run.intended_s for run, _ in seen], dtype=np.float64),
        values=np.array(
            [response_s / (usual[run.job] or 1.0) for run, response_s in seen], dtype=np.float64
        ),
        method="mser5_response",
        what="response times",
        unit="runs",
    )


def _in_flight(runs: Sequence[Run], samples: Samples, *, start_s: float, hold: Phase) -> Series:
    """Runs in flight plus run processes alive, in bins of a second; a batch begins at the hold."""
    before = math.floor(hold.start_s - start_s) // BATCH * BATCH
    edges = hold.start_s + np.arange(-before, math.floor(hold.end_s - hold.start_s) + 1.0)
    if len(edges) < 2:
        edges = np.array([hold.start_s, hold.end_s])
    resident = bin_means(samples, "processes", "resident_runs", edges=edges)
    flying = in_flight_at(runs, (edges[:-1] + edges[1:]) / 2)
    return Series(
        times=edges[:-1],
        values=flying if resident is None else flying + resident,
        method="mser5_in_flight",
        what="runs in flight",
        unit="bins",
    )
