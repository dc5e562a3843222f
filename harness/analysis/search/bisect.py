"""Halve the grid until two neighbours enclose the threshold; each concurrency is tried once.

Cheap, and wrong as often as a single step near the threshold is (docs/method.md): for a first
look.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe


def bisect(aim: Aim) -> NextProbe:
    """Plain binary search; a step without a verdict is tried once more, then counts as failed."""

    def next_probe(seen: Sequence[Observation]) -> Probe | Finished:
        if not seen:
            return Probe(concurrency=aim.grid[0], reason="first: what a run takes with no other")
        low, high = _enclosed(aim.grid, seen)
        if high - low <= 1:
            return Finished(reason=_answer(aim.grid, low, high))
        if len(seen) >= aim.max_steps:
            return Finished(reason=f"{len(seen)} steps are spent")
        middle = aim.grid[(low + high) // 2]
        return Probe(concurrency=middle, reason=f"half-way of {_names(aim.grid, low, high)}")

    return next_probe


def _enclosed(grid: Sequence[int], seen: Sequence[Observation]) -> tuple[int, int]:
    """Indexes of the highest that holds (−1: none yet) and the lowest that does not."""
    low, high = -1, len(grid)
    for each in seen:
        place = grid.index(each.concurrency)
        tried = sum(other.concurrency == each.concurrency for other in seen)
        if each.verdict == "pass" and place < high:
            low = max(low, place)
        elif each.verdict == "fail" or tried > 1:
            high = min(high, place)
    return min(low, high - 1), high


def _answer(grid: Sequence[int], low: int, high: int) -> str:
    held = f"{grid[low]} held" if low >= 0 else "nothing held"
    return f"{held}, {grid[high]} did not" if high < len(grid) else f"{held}, the highest allowed"


def _names(grid: Sequence[int], low: int, high: int) -> str:
    upper = grid[high] if high < len(grid) else f"beyond {grid[-1]}"
    return f"{grid[low] if low >= 0 else 0} and {upper}"
