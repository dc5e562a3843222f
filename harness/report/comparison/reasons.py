"""What stands behind the verdicts of one contender, in lines that every format prints."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.changes import Difference
from harness.analysis.comparison.chosen import NOT_ASKED
from harness.analysis.comparison.types import GroupComparison, MetricComparison
from harness.report.comparison.words import metric_name


def difference_phrase(difference: Difference) -> str:
    """`host CPU: 2 CPUs, Xeon → 4 CPUs, Xeon`."""
    what, before, now = difference
    return f"{what}: {before} → {now}"


def reasons_of(group: GroupComparison) -> Iterator[tuple[tuple[str, ...], str]]:
    """(figures, why) for every reason there is, equal ones together, in the order of the table."""
    by_why: dict[str, dict[str, None]] = {}
    if group.capacity.why not in ("", NOT_ASKED):
        by_why.setdefault(group.capacity.why, {})["capacity"] = None
    for entry in group.metrics:
        for why in _told(entry):
            by_why.setdefault(why, {})[metric_name(entry.metric, entry.at)] = None
    for why, names in by_why.items():
        yield tuple(names), why


def _told(entry: MetricComparison) -> Iterator[str]:
    """Its verdict, its ratio, and single cells whose value is not known."""
    values = (*entry.baseline.values, *entry.contender.values)
    unknown = (each.why for each in values if each.value is None)
    yield from dict.fromkeys(why for why in (entry.why, entry.effect.why, *unknown) if why)
