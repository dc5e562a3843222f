"""A comparison as people look at it: one table a kind of cell, all contenders beside one baseline.

Nothing is calculated here; what belongs together is put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.analysis.comparison.chosen import NOT_ASKED
from harness.analysis.comparison.types import (
    CapacityComparison,
    Comparison,
    ComparisonDocument,
    GroupComparison,
    Metric,
    MetricComparison,
    Side,
    SideFigures,
)
from harness.report.comparison.words import group_name

_Any = TypeVar("_Any")
_Kind = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric. `entries`: one a contender, `None` where that one was not measured so."""

    metric: Metric
    at: int | None
    entries: tuple[MetricComparison | None, ...]

    @property
    def key(self) -> str:
        """As `MetricComparison.key`."""
        return self.metric.key if self.at is None else f"{self.metric.key}@{self.at}"

    @property
    def baseline(self) -> SideFigures:
        """The baseline's figures; they are the same beside every contender."""
        return next(entry.baseline for entry in self.entries if entry is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of cell.

    `name`: `io on 1vcpu-2gb`. `comparisons`: a column each; `capacities` and rows are in their
    order.
    """

    name: str
    profile: str
    workload: str
    setup: tuple[tuple[str, str], ...]
    baseline: Side
    comparisons: tuple[Comparison, ...]
    capacities: tuple[CapacityComparison | None, ...]
    rows: tuple[Row, ...]

    @property
    def gating(self) -> tuple[Row, ...]:
        """The rows the verdict rests on, beside the capacity."""
        return tuple(row for row in self.rows if row.metric.gates)

    @property
    def others(self) -> tuple[Row, ...]:
        """Rows that explain, and decide nothing."""
        return tuple(row for row in self.rows if not row.metric.gates)


def tables_of(document: ComparisonDocument) -> tuple[Table, ...]:
    """Every kind of cell, in the order of the document; each baseline has tables of its own."""
    baselines = _once(comparison.baseline for comparison in document.comparisons)
    return tuple(
        table
        for baseline in baselines
        for table in _tables(
            baseline, [each for each in document.comparisons if each.baseline == baseline]
        )
    )


def _tables(baseline: Side, comparisons: Sequence[Comparison]) -> Iterator[Table]:
    found = [{_kind(group): group for group in each.groups} for each in comparisons]
    for kind in _once(kind for groups in found for kind in groups):
        groups = [each.get(kind) for each in found]
        profile, workload, setup = kind
        yield Table(
            name=next(group_name(group) for group in groups if group is not None),
            profile=profile,
            workload=workload,
            setup=setup,
            baseline=baseline,
            comparisons=tuple(comparisons),
            capacities=tuple(map(_capacity, groups)),
            rows=tuple(_rows(groups)),
        )


def _kind(group: GroupComparison) -> _Kind:
    return group.profile, group.workload, tuple(group.setup.items())


def _capacity(group: GroupComparison | None) -> CapacityComparison | None:
    """`None` where it was not measured, or nobody asked for it."""
    return None if group is None or group.capacity.why == NOT_ASKED else group.capacity


def _rows(groups: Sequence[GroupComparison | None]) -> Iterator[Row]:
    found = [
        {} if group is None else {metric.key: metric for metric in group.metrics}
        for group in groups
    ]
    for key in _once(key for metrics in found for key in metrics):
        entries = tuple(each.get(key) for each in found)
        first = next(entry for entry in entries if entry is not None)
        yield Row(metric=first.metric, at=first.at, entries=entries)


def _once(items: Iterable[_Any]) -> list[_Any]:
    """Each once, in order; a side is no key of a dictionary."""
    found: list[_Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
