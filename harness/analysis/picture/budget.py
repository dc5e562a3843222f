"""How much of a cell a page can carry, and who gets how much of what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Of one cell: readings a line may have, and runs all its lanes together.

    Beyond `points` a line has the peak of each step; beyond `runs` are those that failed, and of
    every step the slowest.
    """

    points: int = 3000
    runs: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Of a whole campaign: readings of all lines together, and runs."""

    points: int = 40_000
    runs: int = 20_000


DEFAULT = Budget()
DEFAULT_TOTAL = Total()

LEAST_POINTS = 60
"""Thirty buckets: fewer show nothing but a band."""


def shares(wanted: Sequence[int], total: int) -> tuple[int, ...]:
    """Split a total so that who wants little gets it all, and the others get equally much."""
    given, left = [0] * len(wanted), total
    for place, index in enumerate(sorted(range(len(wanted)), key=lambda i: wanted[i])):
        given[index] = min(wanted[index], left // (len(wanted) - place))
        left -= given[index]
    return tuple(given)
