"""Correction for many metrics: of dozens, one in twenty would differ by chance alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Corrected(NamedTuple):
    """`p`: adjusted. `factor`: adjusted p ÷ p, before it is cut at 1: as things stand p must be
    α ÷ factor or less to be found. Of those before it in the order too, because where one of them
    fails nothing after it is found.
    """

    p: float
    factor: float


def holm(chances: Sequence[float], weights: Sequence[float] | None = None) -> list[Corrected]:
    """Holm's step-down correction: the chance of one false finding or more among all stays α.

    Valid whatever the dependence between metrics. Where some matter more they get a larger part of
    α by their weight (Holm 1979, *A simple sequentially rejective multiple test procedure*,
    Scandinavian Journal of Statistics 6, 65–70, section 4; scipy has only the false discovery
    rate).

    Args:
        chances: p-values.
        weights: above 0, in the same order; left out, all are equal.

    Returns:
        In the same order.
    """
    shares = list(weights) if weights is not None else [1.0] * len(chances)
    order = sorted(range(len(chances)), key=lambda each: chances[each] / shares[each])
    found = [Corrected(1.0, 1.0)] * len(chances)
    left, highest = sum(shares), 0.0
    for each in order:
        factor = left / shares[each]
        highest = max(highest, factor * chances[each])
        held_back = highest / chances[each] if chances[each] > 0 else factor
        found[each] = Corrected(min(1.0, highest), held_back)
        left -= shares[each]
    return found
