"""Every metric of a comparison: noise, effect, chance, correction and verdict together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.comparison.correction import Corrected, holm
from harness.analysis.comparison.effect import chance, effect_of
from harness.analysis.comparison.figures import Figures, noises
from harness.analysis.comparison.noise import Scatter, noise_floor
from harness.analysis.comparison.ranks import rank_test
from harness.analysis.comparison.types import MetricComparison, Rules
from harness.analysis.comparison.verdicts import Case, decide

GATE_WEIGHT = 5.0
"""What a metric that gates counts in the correction beside one that only explains: most of α goes
where verdicts come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One metric of one kind with its noise and its chance, before the correction."""

    figures: Figures
    scatter: Scatter | None
    p: float | None


def entries_of(everything: Sequence[Figures], rules: Rules) -> list[MetricComparison]:
    """Every metric of every kind, in order, all corrected together.

    Args:
        everything: all figures of a comparison.
        rules: how to decide.
    """
    measured = [
        _Measured(
            figures=each, scatter=scatter,
            p=None if each.contrast is None else chance(each.contrast, scatter),
        )
        for each, scatter in zip(everything, noises(everything), strict=True)
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
        noise=noise_floor(found.scatter, share=share),
        rank=rank_test(contrast, level=rules.alpha / factor),
        p=found.p,
        p_adjusted=corrected.p if corrected else None,
        factor=factor,
        among=among,
        sides=(figures.baseline, figures.contender),
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
