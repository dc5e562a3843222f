"""Baseline and contender side by side: every metric of every kind of cell, and one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.correction import Corrected, holm
from harness.analysis.comparison.effect import chance, effect_of
from harness.analysis.comparison.environment import differences
from harness.analysis.comparison.figures import Figures, Sides, figures_of, noises
from harness.analysis.comparison.groups import matching
from harness.analysis.comparison.noise import Scatter, noise_floor
from harness.analysis.comparison.overall import overall
from harness.analysis.comparison.pooled import compare_capacity
from harness.analysis.comparison.ranks import rank_test
from harness.analysis.comparison.sources import Source, same_campaign, sources_in
from harness.analysis.comparison.types import (
    SCHEMA,
    Comparison,
    ComparisonDocument,
    GroupComparison,
    MetricComparison,
    NoiseFloor,
    NoiseSource,
    Rules,
)
from harness.analysis.comparison.verdicts import Case, decide

__all__ = ["Source", "compare", "compare_all", "sources_in"]

DEFAULT = Rules()

GATE_WEIGHT = 5.0
"""What a metric that gates counts in the correction beside one that only explains: most of α goes
where verdicts come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One metric of one kind with its noise and its chance, before the correction."""

    figures: Figures
    scatter: Scatter | None
    source: NoiseSource
    p: float | None


def compare(
    baseline: Source,
    contender: Source,
    *,
    rules: Rules = DEFAULT,
    noise: Mapping[str, NoiseFloor] | None = None,
) -> Comparison:
    """One contender beside the baseline.

    Args:
        baseline, contender: of one campaign (compared within its rounds) or of two.
        rules: how to decide.
        noise: what is known of equal cells from elsewhere, by `MetricComparison.key` or by the
            metric's key alone; counts beside what the campaigns themselves show.

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
    entries = iter(_entries([each for own in figures for each in own], rules, noise or {}))
    groups = tuple(
        _group(sides, tuple(next(entries) for _ in own), rules)
        for sides, own in zip(kinds, figures, strict=True)
    )
    verdict, why = overall(groups)
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
    noise: Mapping[str, NoiseFloor] | None = None,
) -> ComparisonDocument:
    """Every contender beside one baseline, in their order; α holds for each of them."""
    return ComparisonDocument(
        schema=SCHEMA,
        method=baseline.findings.method,
        rules=rules,
        baseline=baseline.side,
        comparisons=tuple(
            compare(baseline, contender, rules=rules, noise=noise) for contender in contenders
        ),
    )


def _group(sides: Sides, entries: tuple[MetricComparison, ...], rules: Rules) -> GroupComparison:
    before = [row.cell for row in sides.pair.baseline.of(sides.baseline)]
    now = [row.cell for row in sides.pair.contender.of(sides.contender)]
    return GroupComparison(
        profile=sides.pair.baseline.profile,
        workload=sides.pair.baseline.workload,
        setup=sides.pair.setup,
        capacity=compare_capacity(before, now, rules),
        metrics=entries,
    )


def _entries(
    everything: Sequence[Figures], rules: Rules, noise: Mapping[str, NoiseFloor]
) -> list[MetricComparison]:
    """Every metric of every kind, all corrected together."""
    measured = [
        _Measured(
            figures=each, scatter=scatter, source=source,
            p=None if each.contrast is None else chance(each.contrast, scatter),
        )
        for each, (scatter, source) in zip(everything, noises(everything, noise), strict=True)
    ]  # fmt: skip
    tested = [(each.p, each.figures.metric) for each in measured if each.p is not None]
    corrected = iter(
        holm([p for p, _ in tested], [GATE_WEIGHT if m.gates else 1.0 for _, m in tested])
    )
    return [
        _entry(each, None if each.p is None else next(corrected), len(tested), rules)
        for each in measured
    ]


def _entry(
    found: _Measured, corrected: Corrected | None, among: int, rules: Rules
) -> MetricComparison:
    figures, contrast = found.figures, found.figures.contrast
    share = contrast.share if contrast else 2.0
    factor = corrected.factor if corrected else 1.0
    case = Case(
        metric=figures.metric,
        contrast=contrast,
        scatter=found.scatter,
        effect=effect_of(contrast, found.scatter, figures.baseline, figures.contender),
        noise=noise_floor(found.scatter, share=share, source=found.source),
        rank=rank_test(contrast, level=rules.alpha / factor),
        p=found.p,
        p_adjusted=corrected.p if corrected else None,
        factor=factor,
        among=among,
    )
    decided = decide(case, rules)
    return MetricComparison(
        metric=figures.metric,
        at=figures.at,
        baseline=figures.baseline,
        contender=figures.contender,
        effect=case.effect,
        noise=case.noise,
        rank=case.rank,
        p=case.p,
        p_adjusted=case.p_adjusted,
        verdict=decided.verdict,
        within=decided.within,
        why=decided.why,
    )
