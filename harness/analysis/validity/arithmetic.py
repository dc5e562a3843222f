"""Do the recorded figures agree with each other?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from harness.analysis.measures.windows import end_of
from harness.analysis.validity.case import StepCase, StepCheck, left_within
from harness.analysis.validity.issue import Issue

LITTLE_MIN_RUNS = 10
"""Fewer ends give no scatter worth the name."""

LITTLE_SIGMAS = 2.0
LITTLE_FLOOR = 0.1
"""Stamps of launch and end are of different processes, half a poll apart."""


def _littles_law(case: StepCase) -> Iterator[Issue]:
    """In a steady window L = λW (Little 1961); a gap says that it was none, or that ends lack.

    Over a finite window L·T − λW·T is exactly the age of the runs in flight at its end minus
    that at its start: no more than L·W for runs in step with each other, which is W ÷ T of L. On
    top comes the scatter of the mean stay, its coefficient of variation ÷ √n.
    """
    hold, mean_l = case.hold, case.summary.mean_in_flight
    if case.step.load_model == "burst" or hold is None or not mean_l:
        return
    ended = left_within(case.runs, hold)
    if len(ended) < LITTLE_MIN_RUNS:
        return
    length_s = hold.end_s - hold.start_s
    stays = np.array([end_of(run) - run.sent_s for run in ended])
    stay_s, rate = float(stays.mean()), len(ended) / length_s
    scatter = float(stays.std(ddof=1)) / stay_s / math.sqrt(len(ended)) if stay_s > 0 else 0.0
    allowed = max(LITTLE_FLOOR, LITTLE_SIGMAS * scatter + stay_s / length_s)
    gap = abs(mean_l - rate * stay_s) / mean_l
    if gap > allowed:
        yield case.issue(
            "littles_law",
            "warning",
            f"{mean_l:.1f} runs in flight, but {rate:.2f} ends/s × {stay_s:.1f} s "
            f"= {rate * stay_s:.1f}: {gap:.0%} apart, {allowed:.0%} is within chance",
            remedy="Not a steady window: make the hold longer, or settle longer before it.",
        )


STEP_CHECKS: tuple[StepCheck, ...] = (_littles_law,)
