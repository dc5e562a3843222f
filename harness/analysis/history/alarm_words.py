"""Why an alarm says what it says, for whoever is woken by it; how much stands beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.analysis.comparison.types import Verdict
from harness.analysis.history.alarm_look import Look
from harness.analysis.history.types import Entry, SeriesKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was found of one series.

    `p_adjusted` over all `series` of the night; `sure`: at or below the level. `floor`: ratio − 1
    below which nothing counts.
    """

    key: SeriesKey
    tonight: Entry
    look: Look
    verdict: Verdict
    p_adjusted: float
    sure: bool
    series: int
    floor: float


def found(told: Told) -> str:
    """The reason, without a full stop."""
    if told.verdict in ("better", "worse"):
        return f"{_beside(told)}; {_chance(told)}{_standing(told)}"
    if told.verdict == "same":
        return f"all of the interval lies within {told.floor:.0%}, {_beside(told)}"
    return f"{_unsure(told)}, {_beside(told)}"


def absent(problem: str) -> str:
    """Where tonight has no figure that the nights before had."""
    return f"not known tonight: {problem}" if problem else "not known tonight"


def _beside(told: Told) -> str:
    """`beside Dagster 1.13.27 of the same nights, the last 2 taken together`."""
    several = told.look.nights > 1
    together = f", the last {told.look.nights} taken together" if several else ""
    if told.key.form == "ratio":
        nights = "nights" if several else "night"
        return f"beside Dagster {told.tonight.baseline} of the same {nights}{together}"
    return f"beside the nights before{together}"


def _chance(told: Told) -> str:
    share = "less than 0.01%" if told.p_adjusted < 1e-4 else f"{told.p_adjusted:.2%}"
    which = f"one of {told.series} figures" if told.series > 1 else "it"
    return f"by chance alone {which} looks so in {share} of nights"


def _standing(told: Told) -> str:
    if told.verdict == "better":
        return ""
    if told.key.form == "ratio":
        return "; it stays red until it is mended or the baseline is pinned anew"
    return "; after some nights this level will be the usual one: pin a baseline to keep it red"


def _unsure(told: Told) -> str:
    counts = math.log1p(told.floor)
    if abs(told.look.log_ratio) < counts:
        return (
            f"sure, but below the {told.floor:.0%} that count" if told.sure
            else f"equal cells scatter too much to rule out {told.floor:.0%}"
        )  # fmt: skip
    if told.sure:
        return "only nights of another version showed it: tonight alone does not"
    return "equal cells may differ as much"
