"""Exact rank tests: do the single cells bear out what their means say?

A rank test assumes nothing of the noise, but few cells can never convince it: of four pairs the
smallest p there is is 0.125. So it never finds a difference here. It may only withhold one, and
only where it could have agreed.
"""

from __future__ import annotations

import math

import numpy as np

from harness.analysis.comparison.effect import Contrast
from harness.analysis.comparison.types import RankTest

UNKNOWN = RankTest(p=None, smallest_p=None, decides=False)


def smallest_p(contrast: Contrast) -> float:
    """The smallest two-sided p so many cells can give, ties apart."""
    if contrast.parts is not None:
        return min(1.0, 2.0 ** (1 - len(contrast.parts)))
    one, other = (len(side) for side in contrast.sides)
    return min(1.0, 2 / math.comb(one + other, one))


def rank_test(contrast: Contrast | None, *, level: float) -> RankTest:
    """Wilcoxon's signed ranks for pairs, Mann and Whitney's U for two sides, both exact.

    Args:
        contrast: `None` where there is no difference to test.
        level: the p it would have to reach: α after the correction for many metrics.

    Returns:
        Without `p` where so few cells cannot reach the level, or where ties leave the exact
        distribution: then it does not decide.
    """
    if contrast is None:
        return UNKNOWN
    smallest = smallest_p(contrast)
    if smallest > level or _tied(contrast):
        return RankTest(p=None, smallest_p=smallest, decides=False)
    return RankTest(p=_exact(contrast), smallest_p=smallest, decides=True)


def _exact(contrast: Contrast) -> float:
    from scipy import stats  # half a second to import, and seldom needed

    if contrast.parts is not None:
        return float(stats.wilcoxon(contrast.parts, method="exact").pvalue)
    return float(stats.mannwhitneyu(*contrast.sides, method="exact").pvalue)


def _tied(contrast: Contrast) -> bool:
    if contrast.parts is not None:
        sizes = np.abs(contrast.parts)
        return bool((sizes == 0).any()) or len(np.unique(sizes)) < len(sizes)
    everything = np.concatenate(contrast.sides)
    return len(np.unique(everything)) < len(everything)
