"""The effect: contender ÷ baseline with its interval, on the logarithms of the figures.

Within one campaign differences are taken round by round. Rounds go through the versions forwards
and backwards in turn (ABBA), so whatever drifts evenly adds to one round what it takes from the
next. Between campaigns there is nothing to pair: means are compared, and what changed on the
machine between them is in no interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from harness.analysis.comparison.noise import Reading, Scatter, half_width
from harness.analysis.comparison.types import Effect, SideFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The difference of ln(value), contender − baseline, before anything is said of chance.

    `parts`: what it is the mean of: a difference for each round (paired), else `None`; then
    `sides` has the logarithms of both sides. `share`: its variance in variances of a single cell.
    """

    shift: float
    share: float
    n: int
    parts: tuple[float, ...] | None
    sides: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def paired(self) -> bool:
        """Whether differences were taken within rounds."""
        return self.parts is not None

    @property
    def ratio(self) -> float:
        """Contender ÷ baseline."""
        return math.exp(self.shift)


def contrast_of(
    baseline: Sequence[Reading], contender: Sequence[Reading], *, in_rounds: bool
) -> Contrast | None:
    """The difference of two sides; `None` where one of them has no figure.

    Args:
        baseline, contender: in any order; rounds that only one side has say nothing of the
            difference where rounds are paired. Where no round is common they are not paired.
        in_rounds: both were measured in one campaign.
    """
    if not baseline or not contender:
        return None
    sides = (tuple(each.log for each in baseline), tuple(each.log for each in contender))
    before, now = _by_round(baseline), _by_round(contender)
    common = sorted(before.keys() & now.keys()) if in_rounds else []
    if common:
        parts = tuple(now[each] - before[each] for each in common)
        n = len(parts)
        return Contrast(
            shift=float(np.mean(parts)), share=2 / n, n=n, parts=parts, sides=sides
        )  # fmt: skip
    shift = float(np.mean(sides[1]) - np.mean(sides[0]))
    counts = [len(side) for side in sides]
    return Contrast(
        shift=shift, share=1 / counts[0] + 1 / counts[1], n=min(counts), parts=None, sides=sides
    )


def chance(contrast: Contrast, scatter: Scatter | None) -> float | None:
    """p of no difference, two-sided, by Student's t; `None` where the noise is not known."""
    if scatter is None:
        return None
    error = math.sqrt(scatter.variance * contrast.share)
    return float(2 * stdtr(scatter.free, -abs(contrast.shift) / error))


def effect_of(
    contrast: Contrast | None,
    scatter: Scatter | None,
    baseline: SideFigures,
    contender: SideFigures,
) -> Effect:
    """The ratio with its 95 % interval, or why there is none."""
    n = min(baseline.n, contender.n)
    if why := _undefined(baseline, contender):
        return Effect(ratio=None, low=None, high=None, n=n, paired=False, why=why)
    if contrast is None or contender.middle == 0:
        why = "the contender is 0: that has no interval as a ratio"
        return Effect(ratio=0.0, low=None, high=None, n=n, paired=False, why=why)
    low = high = None
    if scatter is not None:
        half = half_width(scatter, share=contrast.share)
        low, high = math.exp(contrast.shift - half), math.exp(contrast.shift + half)
    return Effect(
        ratio=contrast.ratio, low=low, high=high, n=contrast.n, paired=contrast.paired
    )  # fmt: skip


def _undefined(baseline: SideFigures, contender: SideFigures) -> str:
    for side, name in ((baseline, "baseline"), (contender, "contender")):
        if side.n == 0:
            said = dict.fromkeys(value.why for value in side.values if value.why)
            return f"undefined: the {name} is not known: {'; '.join(said) or 'no cell has it'}"
        if side.middle is None:
            return f"undefined: the {name} {_no_middle(side)}"
    return "undefined: the baseline is 0" if baseline.middle == 0 else ""


def _no_middle(side: SideFigures) -> str:
    known = [each.value for each in side.values if each.value is not None]
    if min(known) < 0:
        return "has a figure below 0"
    return f"is 0 in {known.count(0)} of {len(known)} cells"


def _by_round(readings: Sequence[Reading]) -> dict[int, float]:
    """Equal cells of one round count as their mean."""
    rounds: dict[int, list[float]] = {}
    for each in readings:
        rounds.setdefault(each.round, []).append(each.log)
    return {number: float(np.mean(logs)) for number, logs in rounds.items()}
