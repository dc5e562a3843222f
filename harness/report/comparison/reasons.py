"""What stands behind the verdicts of one contender, in lines that every format prints."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.changes import Difference
from harness.analysis.comparison.types import GroupComparison
from harness.report.comparison.words import metric_name


def difference_phrase(difference: Difference) -> str:
    """`host CPU: 2 CPUs, Xeon → 4 CPUs, Xeon`."""
    what, before, now = difference
    return f"{what}: {before} → {now}"


def reasons_of(group: GroupComparison) -> Iterator[tuple[str, str]]:
    """(figures, why) for every reason there is, equal ones together, in the order of the table."""
    by_why: dict[str, list[str]] = {}
    if group.capacity.why:
        by_why.setdefault(group.capacity.why, []).append("capacity")
    for entry in group.metrics:
        for why in filter(None, (entry.why, entry.effect.why)):
            by_why.setdefault(why, []).append(metric_name(entry.metric, entry.at))
    for why, names in by_why.items():
        yield ", ".join(dict.fromkeys(names)), why


def unknown_values(group: GroupComparison) -> Iterator[tuple[str, str]]:
    """(figure, why) for values of single cells that are not known, equal reasons once."""
    seen: dict[tuple[str, str], None] = {}
    for entry in group.metrics:
        for each in (*entry.baseline.values, *entry.contender.values):
            if each.value is None and each.why:
                seen[metric_name(entry.metric, entry.at), each.why] = None
    yield from seen
