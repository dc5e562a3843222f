"""Baseline and contender side by side: every metric of every kind of cell, and one verdict."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.comparison.entries import entries_of
from harness.analysis.comparison.environment import differences
from harness.analysis.comparison.figures import Sides, figures_of
from harness.analysis.comparison.groups import matching, names_of
from harness.analysis.comparison.overall import overall
from harness.analysis.comparison.pooled import compare_capacity
from harness.analysis.comparison.sources import Source, same_campaign, sources_in
from harness.analysis.comparison.types import (
    SCHEMA,
    Comparison,
    ComparisonDocument,
    GroupComparison,
    MetricComparison,
    Rules,
)

__all__ = ["Source", "compare", "compare_all", "sources_in"]

DEFAULT = Rules()


def compare(baseline: Source, contender: Source, *, rules: Rules = DEFAULT) -> Comparison:
    """One contender beside the baseline.

    Args:
        baseline, contender: of one campaign (compared within its rounds) or of two.
        rules: how to decide.

    Nothing is refused here: where the sides must not be compared, `differences` says why.
    """
    matched = matching(baseline, contender)
    in_rounds = same_campaign(baseline, contender)
    kinds = [
        Sides(pair=pair, baseline=baseline.dagster, contender=contender.dagster,
              in_rounds=in_rounds)
        for pair in matched.pairs
    ]  # fmt: skip
    figures = [figures_of(sides) for sides in kinds]
    entries = iter(entries_of([each for own in figures for each in own], rules))
    names = names_of(sides.pair.baseline for sides in kinds)
    groups = tuple(
        _group(sides, name, tuple(next(entries) for _ in own), rules)
        for sides, name, own in zip(kinds, names, figures, strict=True)
    )
    missing = matched.unmatched if in_rounds else ()
    verdict, why = overall(groups, missing=missing)
    forbidding, remarks = differences(baseline, contender, matched=matched)
    return Comparison(
        baseline=baseline.side,
        contender=contender.side,
        differences=forbidding,
        remarks=remarks,
        unmatched=matched.unmatched,
        groups=groups,
        verdict=verdict,
        why=why,
    )


def compare_all(
    baseline: Source,
    contenders: Sequence[Source],
    *,
    rules: Rules = DEFAULT,
) -> ComparisonDocument:
    """Every contender beside one baseline, in their order; α holds for each of them."""
    return ComparisonDocument(
        schema=SCHEMA,
        method=baseline.findings.method,
        rules=rules,
        baseline=baseline.side,
        comparisons=tuple(compare(baseline, each, rules=rules) for each in contenders),
    )


def _group(
    sides: Sides, name: str, entries: tuple[MetricComparison, ...], rules: Rules
) -> GroupComparison:
    before = [row.cell for row in sides.pair.baseline.of(sides.baseline)]
    now = [row.cell for row in sides.pair.contender.of(sides.contender)]
    return GroupComparison(
        profile=sides.pair.baseline.profile,
        workload=sides.pair.baseline.workload,
        setup=sides.pair.setup,
        capacity=compare_capacity(before, now, rules),
        metrics=entries,
        name=name,
    )
