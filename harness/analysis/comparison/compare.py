"""Baseline and contender side by side: every metric of every kind of cell, and one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.comparison.sources import Source, sources_in
from harness.analysis.comparison.types import (
    Comparison,
    ComparisonDocument,
    NoiseFloor,
    Rules,
)

__all__ = ["Source", "compare", "compare_all", "sources_in"]


def compare(
    baseline: Source,
    contender: Source,
    *,
    rules: Rules = Rules(),  # noqa: B008
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
    raise NotImplementedError


def compare_all(
    baseline: Source,
    contenders: Sequence[Source],
    *,
    rules: Rules = Rules(),  # noqa: B008
    noise: Mapping[str, NoiseFloor] | None = None,
) -> ComparisonDocument:
    """Every contender beside one baseline, in their order."""
    raise NotImplementedError
