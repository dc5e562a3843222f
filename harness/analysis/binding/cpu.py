"""The CPU quota, and whether launching or the runs' own work fills it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.binding.evidence import Limit
from harness.analysis.binding.looking import Figures
from harness.analysis.binding.score import (
    Score,
    Sign,
    both,
    combined,
    growth,
    percent,
    ramp,
    told,
)
from harness.units import show_seconds

RATIO_LOW, RATIO_FULL = 0.7, 0.95
THROTTLED_LOW, THROTTLED_FULL = 0.3, 0.7
"""See `score.CPU_FREE`; here they measure how full it is, there how free."""

SLOWER_LOW, SLOWER_HIGH = 1.2, 2.0
"""Import time against the step below: a CPU shared by twice as many takes twice as long."""

STEADY_WORK = 1.1
"""Execution time against the step below: work that needs CPU would have become slower."""


def cpu_scores(figures: Figures) -> tuple[Score, Score]:
    """How much speaks for `launch_cpu`, and for `run_cpu`.

    The more CPU-hungry half gets all that speaks for a full CPU, the other its part in proportion
    to what it takes.
    """
    signs = list(_signs(figures))
    full = combined(signs)
    launch_part, whose = _launch_part(figures)
    larger = max(launch_part, 1 - launch_part)

    def score(limit: Limit, part: float) -> Score:
        return Score(
            limit=limit,
            value=full * part / larger,
            evidence=(*told(signs), whose),
            against=_against(figures, limit, full, part),
            blind=_blind(figures),
        )

    return score("launch_cpu", launch_part), score("run_cpu", 1 - launch_part)


def whose_is_known(figures: Figures) -> bool:
    """Something tells launching from work."""
    return figures.share is not None or _work_stood_still(figures)


def _signs(figures: Figures) -> Iterator[Sign]:
    at, below = figures.at, figures.below
    if at.cpu_ratio is not None:
        yield Sign(
            weight=0.9,
            degree=ramp(at.cpu_ratio, RATIO_LOW, RATIO_FULL),
            text=both(
                figures,
                f"CPU at {at.cpu_ratio:.0%} of the limit",
                percent(below.cpu_ratio if below else None),
            ),
        )
    if at.throttled_ratio is not None:
        yield Sign(
            weight=0.8,
            degree=ramp(at.throttled_ratio, THROTTLED_LOW, THROTTLED_FULL),
            text=both(
                figures,
                f"throttled in {at.throttled_ratio:.0%} of the periods",
                percent(below.throttled_ratio if below else None),
            ),
        )
    slower = growth(at.import_s, below.import_s) if below else None
    if slower is not None and at.import_s is not None and below and below.import_s is not None:
        yield Sign(
            weight=0.4,
            degree=ramp(slower, SLOWER_LOW, SLOWER_HIGH) * _near_full(figures),
            text=both(
                figures,
                f"importing took {show_seconds(at.import_s)} (median)",
                show_seconds(below.import_s),
            ),
        )


def _near_full(figures: Figures) -> float:
    """Importing is slow for other reasons too: it counts where the quota may be one."""
    at = figures.at
    if at.cpu_ratio is None and at.throttled_ratio is None:
        return 0.5
    return max(ramp(at.cpu_ratio, 0.5, 0.8), ramp(at.throttled_ratio, 0.1, 0.4))


def _launch_part(figures: Figures) -> tuple[float, str]:
    """Launching's part, 0 to 1, and the sentence that says so."""
    share, at, below = figures.share, figures.at, figures.below
    if share is not None:
        cost = f"{share.launch_cpu_s:.2f} and {share.run_cpu_s:.2f} CPU-s a run"
        split = f"{share.launch:.2f} and {share.work:.2f} cores, " if share.in_window else ""
        doubt = ", their intervals overlap" if share.overlap else ""
        text = f"launching and the runs' own work take {split}{cost}{doubt}"
        return share.launch_ratio, f"at {at.concurrency}: {text}"
    if _work_stood_still(figures) and below and at.exec_s and below.exec_s:
        text = (
            f"the runs' own CPU is not known, but executing took {show_seconds(at.exec_s)} "
            "(median) while launching became slower: work that needs CPU would have too"
        )
        return 0.8, both(figures, text, show_seconds(below.exec_s))
    return 0.5, "whose CPU it is, launching or the runs' own work, is not known"


def _work_stood_still(figures: Figures) -> bool:
    if figures.below is None:
        return False
    at, below = figures.at, figures.below
    working = growth(at.exec_s, below.exec_s)
    importing = growth(at.import_s, below.import_s)
    if working is None or importing is None:
        return False
    return working <= STEADY_WORK and importing >= (SLOWER_LOW + SLOWER_HIGH) / 2


def _against(figures: Figures, limit: Limit, full: float, part: float) -> str:
    at = figures.at
    if full < 0.4:
        ratio = "not known" if at.cpu_ratio is None else f"at {at.cpu_ratio:.0%} of the limit"
        waits = "" if at.throttled_ratio is None else f", throttled in {at.throttled_ratio:.0%}"
        return f"{limit}: CPU {ratio}{waits}{' of the periods' if waits else ''}"
    what = "launching is" if limit == "launch_cpu" else "the runs' own work is"
    return f"{limit}: {what} {part:.0%} of the CPU that runs take"


def _blind(figures: Figures) -> str:
    at = figures.at
    if at.cpu_ratio is not None:
        return ""
    if not figures.cell.limits_enforced:
        return "the CPU quota cannot be judged: nothing enforces the limits"
    return "the CPU quota cannot be judged: the CPU was not read"
