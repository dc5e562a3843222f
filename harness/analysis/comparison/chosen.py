"""A comparison of chosen figures alone: those are what its verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.comparison.metrics import parse_key
from harness.analysis.comparison.overall import overall
from harness.analysis.comparison.types import (
    Comparison,
    ComparisonDocument,
    GroupComparison,
    MetricComparison,
)

CAPACITY = "capacity"
NOT_ASKED = "not asked for"
"""Why a capacity has no verdict where only other figures were chosen."""


def check_keys(keys: Sequence[str]) -> None:
    """Raise a `CampaignError` where a key is of nothing that can be compared."""
    for key in keys:
        if key != CAPACITY:
            parse_key(key)


def chosen(document: ComparisonDocument, keys: Sequence[str]) -> ComparisonDocument:
    """The document with these figures alone; every one of them counts for the verdict.

    p-values stay corrected for all figures that were compared: choosing afterwards makes nothing
    surer.

    Args:
        document: with every figure.
        keys: of metrics, with or without `@load`, or `capacity`; none leaves the document as it is.

    Raises:
        CampaignError: there is no such metric.
    """
    if not keys:
        return document
    wanted = {parse_key(key) for key in keys if key != CAPACITY}
    places = {(metric.key, at) for metric, at in wanted}
    comparisons = tuple(
        _chosen(each, places, capacity=CAPACITY in keys) for each in document.comparisons
    )
    return replace(document, comparisons=comparisons)


def _chosen(
    comparison: Comparison, places: set[tuple[str, int | None]], *, capacity: bool
) -> Comparison:
    groups = tuple(_group(group, places, capacity=capacity) for group in comparison.groups)
    verdict, why = overall(groups)
    capacities = [group.capacity for group in groups]
    if capacity and not places and groups:
        # Nothing but capacities was asked for: no metric can say "same" in their place.
        told = {each.verdict for each in capacities}
        verdict = next((v for v in ("worse", "better", "cannot_tell") if v in told), "same")
        why = "; ".join(dict.fromkeys(each.why for each in capacities if each.verdict == verdict))
    elif capacity and verdict == "same" and any(c.verdict == "cannot_tell" for c in capacities):
        verdict, why = "cannot_tell", "cannot tell of the capacity"
    return replace(comparison, groups=groups, verdict=verdict, why=why)


def _group(
    group: GroupComparison, places: set[tuple[str, int | None]], *, capacity: bool
) -> GroupComparison:
    held = group.capacity
    return replace(
        group,
        capacity=held if capacity else replace(held, verdict="cannot_tell", why=NOT_ASKED),
        metrics=tuple(_counting(each) for each in group.metrics if _is_in(each, places)),
    )


def _is_in(entry: MetricComparison, places: set[tuple[str, int | None]]) -> bool:
    return bool({(entry.metric.key, None), (entry.metric.key, entry.at)} & places)


def _counting(entry: MetricComparison) -> MetricComparison:
    return replace(entry, metric=replace(entry.metric, gates=True))
