"""The hard wall: the container's memory."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.binding.looking import Figures
from harness.analysis.binding.score import Score, Sign, both, combined, percent, ramp, told

PEAK_HIGH, PEAK_FULL = 0.8, 0.97
"""Of the limit. From 97 % on the next run, about 100 MiB, does not fit into 2 GiB."""


def memory(figures: Figures) -> Score:
    """How much speaks for memory: kills and a broken headroom decide, a high peak only hints."""
    signs = list(_signs(figures))
    peak = figures.at.peak_ratio
    seen = "not known" if peak is None else f"{peak:.0%} of the limit"
    return Score(
        limit="memory",
        value=combined(signs),
        evidence=told(signs),
        against=f"memory: the peak was {seen}, no OOM kill",
        blind=_blind(figures),
        decisive=_killed(figures),
    )


def _killed(figures: Figures) -> bool:
    return figures.at.oom_kills > 0


def _signs(figures: Figures) -> Iterator[Sign]:
    at, below = figures.at, figures.below
    if _killed(figures):
        words = f" ({', '.join(at.witnesses)})" if at.witnesses else ""
        died = f", {at.oom_deaths} of them the server itself" if at.oom_deaths else ""
        text = f"OOM kills: {at.oom_kills}{died}{words}"
        yield Sign(
            weight=1, degree=1, text=both(figures, text, f"{below.oom_kills}" if below else None)
        )
    elif at.sigkilled and not at.kills_counted:
        text = f"{at.sigkilled} runs were ended by signal 9, mostly the OOM killer's"
        yield Sign(weight=0.8, degree=1, text=both(figures, text, None))
    broken = "memory_headroom" in at.broken
    if at.peak_ratio is not None:
        text = f"memory peak at {at.peak_ratio:.0%} of the limit"
        yield Sign(
            weight=1.0 if broken else 0.7,
            degree=1.0 if broken else ramp(at.peak_ratio, PEAK_HIGH, PEAK_FULL),
            text=both(figures, text, percent(below.peak_ratio if below else None)),
        )


def _blind(figures: Figures) -> str:
    if figures.at.peak_ratio is not None or _killed(figures):
        return ""
    if not figures.cell.limits_enforced:
        return "memory cannot be judged: nothing enforces the limits"
    return "memory cannot be judged: its peak was not read"
