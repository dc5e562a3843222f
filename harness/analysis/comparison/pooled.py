"""What a side holds, from the steps of all its equal cells together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from harness.analysis.capacity import CONFIDENCE, Capacity, capacity_of, with_binding
from harness.analysis.comparison.types import CapacityComparison, Rules, Verdict
from harness.analysis.comparison.verdicts import percent
from harness.analysis.findings.types import CellFinding, StepFinding
from harness.analysis.search.base import Observation
from harness.analysis.search.boundary import believe, whole


def observation_in(step: StepFinding) -> Observation:
    """What a judged step tells of the capacity, read back from its findings.

    A margin beyond all bounds has become `None` there: what broke without a margin only broke.
    """
    margins = {name: slo.margin for name, slo in step.slo.items() if slo.margin is not None}
    bare = [slo.ok for name, slo in step.slo.items() if name not in margins and slo.ok is not None]
    if not margins and not bare and step.verdict in ("pass", "fail"):
        bare = [step.verdict == "pass"]
    return Observation(
        concurrency=step.concurrency,
        verdict=step.verdict,
        margins=margins,
        bare_ok=all(bare) if bare else None,
        runs=step.response_s.n,
    )


def pooled_capacity(cells: Sequence[CellFinding]) -> Capacity:
    """The capacity that all judged steps of equal cells support, at the confidence the cells were
    searched with.

    The limit that binds is the one most of the cells name. Where what feeds the server gave out in
    one of them, that cell's steps say nothing of the server: where it did in all, there is none.
    """
    usable = [cell for cell in cells if not _starved(cell)]
    steps = [step for cell in usable for step in cell.steps]
    confidence = cells[0].capacity.confidence if cells else CONFIDENCE
    found = capacity_of(
        [observation_in(step) for step in steps],
        broken=[(step.concurrency, step.broken[0]) for step in steps if step.broken],
        confidence=confidence,
    )
    if cells and not usable:
        return with_binding(found, "control_plane", cells[0].capacity.evidence)
    named = Counter(cell.capacity.binding for cell in usable if cell.capacity.binding)
    return with_binding(found, named.most_common(1)[0][0], sure=False) if named else found


def compare_capacity(
    baseline: Sequence[CellFinding], contender: Sequence[CellFinding], rules: Rules
) -> CapacityComparison:
    """Both capacities, and how probable it is that the contender holds fewer or more runs.

    The beliefs are taken as independent. A side that nothing bounds from above may hold any number
    more: it is never found to hold fewer, however few steps it was tried with.
    """
    before, now = pooled_capacity(baseline), pooled_capacity(contender)
    unknown = [
        name
        for name, found in (("baseline", before), ("contender", now))
        if found.status == "invalid"
    ]
    if unknown:
        sides = " and the ".join(unknown)
        return CapacityComparison(
            baseline=before, contender=now, lower=None, higher=None, verdict="cannot_tell",
            why=f"the {sides} {'have' if len(unknown) > 1 else 'has'} no capacity",
        )  # fmt: skip
    lower, higher = _chances(_observations(baseline), _observations(contender))
    bounded = (before.high is not None, now.high is not None)
    verdict = _verdict(lower, higher, bounded=bounded, sure=rules.capacity_confidence)
    return CapacityComparison(
        baseline=before, contender=now, lower=lower, higher=higher, verdict=verdict,
        why=_why(lower, higher, verdict, bounded=bounded),
    )  # fmt: skip


def _starved(cell: CellFinding) -> bool:
    return cell.capacity.status == "invalid" and cell.capacity.binding == "control_plane"


def _observations(cells: Iterable[CellFinding]) -> list[Observation]:
    steps = [step for cell in cells if not _starved(cell) for step in cell.steps]
    return [each for each in map(observation_in, steps) if each.counts]


def _chances(
    baseline: Sequence[Observation], contender: Sequence[Observation]
) -> tuple[float, float]:
    """P(contender < baseline) and P(contender > baseline), over a grid common to both."""
    grid = whole(max(each.concurrency for each in (*baseline, *contender)))
    before, now = (believe(grid, seen).exactly() for seen in (baseline, contender))
    below = np.cumsum(now) - now
    beyond = np.cumsum(before) - before
    return float((before * below).sum()), float((now * beyond).sum())


def _verdict(lower: float, higher: float, *, bounded: tuple[bool, bool], sure: float) -> Verdict:
    """`bounded`: whether something broke on the baseline's side, and on the contender's."""
    if lower >= sure and bounded[1]:
        return "worse"
    if higher >= sure and bounded[0]:
        return "better"
    return "same" if any(bounded) and 1 - lower - higher >= sure else "cannot_tell"


def _why(lower: float, higher: float, verdict: Verdict, *, bounded: tuple[bool, bool]) -> str:
    if verdict == "worse":
        return f"it holds fewer with a probability of {percent(lower)}"
    if verdict == "better":
        return f"it holds more with a probability of {percent(higher)}"
    if verdict == "same":
        return f"both hold equally many with a probability of {percent(1 - lower - higher)}"
    if not any(bounded):
        return "nothing broke on either side: what they hold beyond that was not measured"
    if not all(bounded):
        side = "baseline" if bounded[1] else "contender"
        return f"nothing broke on the {side}'s side: what it holds beyond that was not measured"
    chances = f"fewer with a probability of {percent(lower)}, more with {percent(higher)}"
    return f"{chances}: more steps are needed"
