"""One verdict over all kinds of cells and all metrics that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.analysis.comparison.types import GroupComparison, Verdict
from harness.analysis.comparison.verdicts import percent

MOST_NAMED = 3


class _Found(NamedTuple):
    verdict: Verdict
    words: str


def overall(
    groups: Sequence[GroupComparison], *, missing: Sequence[str] = ()
) -> tuple[Verdict, str]:
    """`worse` if a gating metric or a capacity is; else `better` if one is; else `same` if every
    gating metric is; else `cannot_tell`. And why, in a sentence.

    Args:
        groups: the kinds of cells that both sides have.
        missing: those one side should have and has not: nothing is better or the same then.
    """
    if not groups:
        return "cannot_tell", "no kind of cell is on both sides"
    capacities = [_capacity(group) for group in groups]
    gates = [found for group in groups for found in _gates(group)]
    moved = (*capacities, *gates)
    worse, better = ([e.words for e in moved if e.verdict == v] for v in ("worse", "better"))
    if worse:
        return "worse", f"worse: {_listed(worse)}"
    if missing:
        return "cannot_tell", f"not measured on both sides: {_listed(missing)}"
    if better:
        return "better", f"better: {_listed(better)}"
    return _unmoved(gates)


def _unmoved(gates: Sequence[_Found]) -> tuple[Verdict, str]:
    """The same, or nobody can tell: nothing was found to differ."""
    if not gates:
        return "cannot_tell", "no metric that counts was measured on either side"
    untold = [each.words for each in gates if each.verdict == "cannot_tell"]
    if untold:
        return "cannot_tell", f"cannot tell of {len(untold)} of {len(gates)}: {_listed(untold)}"
    return "same", f"all {len(gates)} metrics that count are the same"


def _capacity(group: GroupComparison) -> _Found:
    found = group.capacity
    before, now = found.baseline.concurrency, found.contender.concurrency
    return _Found(found.verdict, f"capacity of {_place(group)} {before} to {now} runs")


def _gates(group: GroupComparison) -> list[_Found]:
    found = []
    for each in group.metrics:
        if each.metric.gates:
            load = "" if each.at is None else f" at {each.at}"
            ratio = each.effect.ratio
            change = "" if ratio is None or each.verdict == "cannot_tell" else f" {_change(ratio)}"
            words = f"{each.metric.name}{load} of {_place(group)}{change}"
            found.append(_Found(each.verdict, words))
    return found


def _place(group: GroupComparison) -> str:
    return group.name or f"{group.workload} on {group.profile}"


def _change(ratio: float) -> str:
    return f"{'+' if ratio >= 1 else '-'}{percent(abs(ratio - 1))}"


def _listed(words: Sequence[str]) -> str:
    others = len(words) - MOST_NAMED
    named = ", ".join(words[:MOST_NAMED])
    return f"{named} and {others} more" if others > 0 else named
