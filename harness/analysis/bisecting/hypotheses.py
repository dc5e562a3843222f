"""What may have happened between measured releases, and how probable each is beforehand.

A release either moves the metric or does not. What can be told apart is in which *gaps* between
measured releases something moved, so a hypothesis is a set of gaps; one more says that it drifted
through all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from math import comb

import numpy as np

from harness.analysis.bisecting.evidence import FloatArray

NOTHING = 0.5
"""Before the ends are measured: that nothing moved."""

STEPS = {1: 0.75, 2: 0.13, 3: 0.04}
"""If something moved: by so many releases."""

DRIFT = 0.08
"""If something moved: a little by every release."""

SHORTEST_DRIFT = 4
"""Releases that moved it a little, at least: fewer are steps."""

STEP_SD = 0.25
"""How large a step is, as a standard deviation of ln(ratio)."""

WOBBLE_SD = 0.05
"""How far a drift strays from a straight line over its whole length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Hypotheses with equally many steps.

    `gaps`: by hypothesis, which gaps they are in. `prior`: how probable each is beforehand.
    `design`: hypotheses × places × steps: the sum of steps before each place.
    """

    gaps: tuple[tuple[int, ...], ...]
    prior: FloatArray
    design: FloatArray


@lru_cache(maxsize=16)
def hypotheses(places: tuple[int, ...]) -> tuple[Steps, ...]:
    """Sets of none to three gaps.

    Args:
        places: measured ones, ascending; the first and the last are the ends.
    """
    widths = [high - low for low, high in pairwise(places)]
    length = sum(widths)
    shares = {k: share for k, share in STEPS.items() if k <= length}
    scale = (1 - NOTHING) / (sum(shares.values()) + _drift_share(length))
    families = [Steps(gaps=((),), prior=np.array([NOTHING]), design=np.zeros((1, len(places), 0)))]
    for size in range(1, min(len(widths), max(shares)) + 1):
        gaps = tuple(combinations(range(len(widths)), size))
        prior = [
            sum(
                scale * share * _ways([widths[gap] for gap in chosen], k) / comb(length, k)
                for k, share in shares.items()
            )
            for chosen in gaps
        ]
        design = np.array([_stairs(len(places), chosen) for chosen in gaps])
        families.append(Steps(gaps=gaps, prior=np.array(prior), design=design))
    return tuple(families)


def drift_prior(places: Sequence[int]) -> tuple[float, FloatArray]:
    """How probable a drift is, and the covariance of what it does in each gap."""
    shares = np.diff(np.array(places, dtype=np.float64)) / (places[-1] - places[0])
    length = places[-1] - places[0]
    usual = sum(share for k, share in STEPS.items() if k <= length)
    share = _drift_share(length)
    prior = (1 - NOTHING) * share / (usual + share)
    trend = STEP_SD**2 * np.outer(shares, shares)
    return prior, trend + WOBBLE_SD**2 * np.diag(shares)


def _drift_share(length: int) -> float:
    return DRIFT if length >= SHORTEST_DRIFT else 0.0


def _stairs(places: int, chosen: Sequence[int]) -> FloatArray:
    """1 where a place lies after the step in a gap."""
    return (np.arange(places)[:, None] > np.array(chosen)[None, :]).astype(np.float64)


def _ways(widths: Sequence[int], steps: int) -> int:
    """In how many ways so many steps fall into these gaps and into no other, none left empty."""
    if not widths:
        return int(steps == 0)
    first, rest = widths[0], widths[1:]
    return sum(
        comb(first, here) * _ways(rest, steps - here) for here in range(1, steps - len(rest) + 1)
    )
