"""Better, worse, the same within x, or: cannot tell, and what is missing."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

from harness.analysis.comparison.effect import Contrast
from harness.analysis.comparison.noise import INTERVAL, Scatter, half_width
from harness.analysis.comparison.types import (
    Effect,
    Metric,
    NoiseFloor,
    RankTest,
    Rules,
    SideFigures,
    Verdict,
)

APART = "measured at different times: a change of the machine would look the same"

MOST_MORE = 12
"""More rounds than this nobody measures: they take hours."""

LEAST_CELLS = 3
"""Of each side, all of one and none of the other, to call something beyond all bounds, or 0, worse
(or better) without a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a verdict on one metric rests on. `factor`: of Holm's correction, see
    `correction.Corrected`; `among`: how many figures were corrected together; `sides`: baseline and
    contender.
    """

    metric: Metric
    contrast: Contrast | None
    scatter: Scatter | None
    effect: Effect
    noise: NoiseFloor
    rank: RankTest
    p: float | None
    p_adjusted: float | None
    factor: float
    among: int
    sides: tuple[SideFigures, SideFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The verdict; `within` for `same`: the farther end of the interval as a ratio − 1."""

    verdict: Verdict
    why: str
    within: float | None = None


def decide(case: Case, rules: Rules) -> Decided:
    """The verdict on one metric.

    `same`: the whole interval lies within the tolerance, however sure a difference is in there.
    `better`, `worse`: found after the correction, beyond the noise floor, and the single cells
    bear it out as far as they can. Without a ratio: where all cells of one side are beyond all
    bounds and none of the other, or the contender is 0 and the baseline never. Everything else
    cannot be told, and why says what is missing.
    """
    if bare := _without_ratio(case):
        return bare
    effect, contrast, scatter = case.effect, case.contrast, case.scatter
    if effect.ratio is None or contrast is None:
        return Decided(verdict="cannot_tell", why=effect.why)
    if scatter is None or effect.low is None or effect.high is None:
        return Decided(verdict="cannot_tell", why=effect.why or _alone(contrast))
    farther = max(effect.high, 1 / effect.low) - 1
    if farther <= rules.tolerance:
        return Decided(verdict="same", why=_interval(effect), within=farther)
    return _moved(case, contrast, scatter, rules)


def _moved(case: Case, contrast: Contrast, scatter: Scatter, rules: Rules) -> Decided:
    """What is not the same: better or worse, if the noise lets it be seen."""
    found = case.p_adjusted is not None and case.p_adjusted <= rules.alpha
    beyond = case.noise.ratio is not None and abs(contrast.shift) > math.log1p(case.noise.ratio)
    if not (found and beyond):
        return Decided(verdict="cannot_tell", why=_missing(case, contrast, scatter, rules))
    if case.rank.decides and case.rank.p is not None and case.rank.p > rules.alpha:
        why = f"single cells make the difference: their ranks do not show it (p {case.rank.p:.2g})"
        return Decided(verdict="cannot_tell", why=why)
    worse = (contrast.shift > 0) == (case.metric.better == "lower")
    return Decided(verdict="worse" if worse else "better", why=_found(case))


def _without_ratio(case: Case) -> Decided | None:
    """A verdict where figures are beyond all bounds or 0; `None` where that is not the case."""
    baseline, contender = case.sides
    lost = [sum(each.beyond for each in side.values) for side in case.sides]
    if any(lost):
        cells = [len(side.values) for side in case.sides]
        told = [f"{n} of {count}" for n, count in zip(lost, cells, strict=True)]
        why = f"beyond all bounds in {told[0]} cells of the baseline, {told[1]} of the contender"
        if min(cells) >= LEAST_CELLS and lost == [0, cells[1]]:
            return Decided(verdict="worse", why=why)
        if min(cells) >= LEAST_CELLS and lost == [cells[0], 0]:
            return Decided(verdict="better", why=why)
        return Decided(verdict="cannot_tell", why=why)
    few = min(baseline.n, contender.n) < LEAST_CELLS
    if few or not baseline.middle or contender.middle != 0:
        return None
    worse = case.metric.better == "higher"
    why = f"it is 0 in all {contender.n} cells, and never was in {baseline.n}"
    return Decided(verdict="worse" if worse else "better", why=why)


def more_rounds(contrast: Contrast, scatter: Scatter, *, factor: float, rules: Rules) -> int | None:
    """How many more rounds (or cells a side) would decide, if the figures stay as they are.

    Decided is when the interval lies within the tolerance, or the difference is found after the
    correction. Degrees of freedom grow with the rounds. `None`: more than `MOST_MORE`.
    """
    tolerance, shift = math.log1p(rules.tolerance), abs(contrast.shift)
    per_round = scatter.free / (contrast.n - 1) if contrast.n > 1 else 1.0

    def decided(more: int) -> bool:
        later = replace(scatter, free=max(1, int(scatter.free + more * per_round)))
        share = 2 / (contrast.n + more)
        half = half_width(later, share=share)
        found = half_width(later, share=share, confidence=1 - rules.alpha / factor)
        return half <= tolerance - shift or max(half, found) <= shift

    more = 1 + bisect_left(range(1, MOST_MORE + 1), True, key=decided)
    return more if more <= MOST_MORE else None


def percent(ratio: float) -> str:
    """A share as people read it: `0.54 %`, `3.4 %`, `12 %`."""
    number = 100 * ratio
    return f"{number:.0f} %" if number >= 9.95 else f"{float(f'{number:.2g}'):g} %"


def _alone(contrast: Contrast) -> str:
    if contrast.n > 1:
        return "nothing tells how far equal cells differ"
    if contrast.paired and max(map(len, contrast.sides)) > 1:
        return "only one round has it on both sides"
    return "one cell on each side: nothing tells how far equal cells differ; measure in rounds"


def _missing(case: Case, contrast: Contrast, scatter: Scatter, rules: Rules) -> str:
    unit = "round" if contrast.paired else "cell a side"
    n = contrast.n
    more = more_rounds(contrast, scatter, factor=case.factor, rules=rules)
    noise = f"with this noise ({percent(scatter.sd)} between equal cells)"
    wanted = f"more than {n + MOST_MORE} would be needed to decide {percent(rules.tolerance)}"
    if more is not None:
        wanted = f"{n + more} would decide {percent(rules.tolerance)} if all stays as it is"
    chance = ""
    if case.p is not None and case.p <= rules.alpha and case.among > 1:
        told = f"p {case.p_adjusted:.2g} after the correction for {case.among} figures"
        chance = f"; {told}, {rules.alpha:g} is needed"
    return f"{n} {_plural(unit, n)}; {noise} {wanted}{chance}"


def _found(case: Case) -> str:
    floor = percent(case.noise.ratio) if case.noise.ratio is not None else "?"
    chance = f"p {case.p_adjusted:.2g} after the correction for {case.among} figures"
    told = f"{_interval(case.effect)}; equal cells stay within {floor}, {chance}"
    return told if case.effect.paired else f"{told}; {APART}"


def _interval(effect: Effect) -> str:
    ends = [_change(end) for end in (effect.low, effect.high) if end is not None]
    return f"{percent(INTERVAL)} interval {' to '.join(ends)}"


def _change(ratio: float) -> str:
    return f"{'+' if ratio >= 1 else '-'}{percent(abs(ratio - 1))}"


def _plural(unit: str, n: int) -> str:
    return unit if n == 1 else {"round": "rounds", "cell a side": "cells a side"}[unit]
