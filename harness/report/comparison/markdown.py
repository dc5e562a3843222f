"""A comparison for a pull request: the verdict in the first lines, what explains it folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.comparison.types import (
    CapacityComparison,
    Comparison,
    ComparisonDocument,
    MetricComparison,
)
from harness.report.comparison.headline import (
    MOST_NAMED,
    MOST_OF_SEVERAL,
    answer,
    listed,
    pair_phrase,
    verdict_line,
)
from harness.report.comparison.reasons import difference_phrase, reasons_of
from harness.report.comparison.views import Row, Table, tables_of
from harness.report.comparison.words import (
    FORCED,
    NOT_MEASURED,
    VERDICT_WORDS,
    better_phrase,
    capacity_words,
    effect_phrase,
    group_name,
    metric_name,
    middle,
    noise_phrase,
    rules_phrase,
    side_label,
    side_name,
    verdict_phrase,
)
from harness.report.markup import bullets, code, escaped, folded, inline, table
from harness.report.phrases import capacity_phrase

MOST_BYTES = 60_000
"""A comment on GitHub holds 65,536 characters."""

MOST_IN_TITLE = 5
LEFT_OUT = (
    "Left out here to stay short: {count} more parts. `comparison.html` and `comparison.json` have "
    "everything."
)
LONGEST = 2_000
"""Characters of a verdict in words."""


def render_comparison_markdown(document: ComparisonDocument) -> str:
    """The whole comparison, ending in a newline, below 60 KB."""
    head = [_title(document), *_forced(document)]
    tables = tables_of(document)
    body = [
        *_answers(document),
        *(part for each in tables for part in _table(each, each.gating, capacity=True)),
        *(part for each in tables for part in _others(each)),
        *(part for each in document.comparisons for part in _why(each)),
        *_beside(document),
    ]
    last = [escaped(rules_phrase(document.rules)), _anew(document)]
    room = MOST_BYTES - sum(_size(part) for part in (*head, *last)) - _size(LEFT_OUT) - 10
    shown = []
    for part in body:
        if _size(part) <= room:
            room -= _size(part)
            shown.append(part)
    left_out = len(body) - len(shown)
    more = [LEFT_OUT.format(count=left_out)] if left_out else []
    return "\n\n".join((*head, *shown, *more, *last)) + "\n"


def _size(part: str) -> int:
    return len(part.encode()) + 2


def _title(document: ComparisonDocument) -> str:
    told = [
        f"{side_name(each.contender)}: {VERDICT_WORDS[each.verdict]}"
        for each in document.comparisons
    ]
    names = listed(told, MOST_IN_TITLE)
    forced = "FORCED, " if any(each.forced for each in document.comparisons) else ""
    return f"## Comparison: {forced}{escaped(names)}"


def _forced(document: ComparisonDocument) -> Iterator[str]:
    for comparison in document.comparisons:
        if comparison.forced:
            told = bullets(escaped(difference_phrase(each)) for each in comparison.differences)
            yield f"**{escaped(FORCED)}** ({escaped(pair_phrase(comparison))}):\n\n{told}"


def _answers(document: ComparisonDocument) -> Iterator[str]:
    most = MOST_NAMED if len(document.comparisons) == 1 else MOST_OF_SEVERAL
    for comparison in document.comparisons:
        yield f"**{escaped(verdict_line(comparison, most=most), longest=LONGEST)}**"
        yield escaped(answer(comparison, most=most), longest=LONGEST)


def _table(view: Table, rows: Sequence[Row], *, capacity: bool) -> Iterator[str]:
    capacities = view.capacities if capacity else (None,) * len(view.comparisons)
    one = len(view.comparisons) == 1
    body = list(_one(rows, capacities) if one else _several(rows, capacities))
    if not body:
        return
    names = [inline(side_label(each.contender)) for each in view.comparisons]
    baseline = inline(side_label(view.baseline))
    ends = ("difference (95 %)", "noise floor", "verdict") if one else ()
    setup = ", ".join(f"{name} {text}" for name, text in view.setup)
    if capacity:
        yield f"**{escaped(view.name)}** ({escaped(setup)})"
    yield table(("figure", baseline, *names, *ends), body)


def _one(
    rows: Sequence[Row], capacities: Sequence[CapacityComparison | None]
) -> Iterator[tuple[str, ...]]:
    for capacity in capacities:
        if capacity is not None:
            yield (
                "capacity, runs", inline(capacity_phrase(capacity.baseline)),
                inline(capacity_phrase(capacity.contender)), inline(capacity_words(capacity)), "",
                _verdict(capacity),
            )  # fmt: skip
    for row in rows:
        for entry in filter(None, row.entries):
            yield (
                _figure(row), middle(row.baseline), middle(entry.contender),
                inline(effect_phrase(entry.effect)), noise_phrase(entry.noise), _verdict(entry),
            )  # fmt: skip


def _several(
    rows: Sequence[Row], capacities: Sequence[CapacityComparison | None]
) -> Iterator[tuple[str, ...]]:
    known = next((each for each in capacities if each is not None), None)
    if known is not None:
        told = (
            NOT_MEASURED
            if each is None
            else f"{inline(capacity_phrase(each.contender))}: {_verdict(each)}"
            for each in capacities
        )
        yield ("capacity, runs", inline(capacity_phrase(known.baseline)), *told)
    for row in rows:
        told = (
            NOT_MEASURED
            if each is None
            else f"{middle(each.contender)}, {inline(effect_phrase(each.effect))}: {_verdict(each)}"
            for each in row.entries
        )
        yield (_figure(row), middle(row.baseline), *told)


def _figure(row: Row) -> str:
    return inline(f"{metric_name(row.metric, row.at)}, {row.metric.unit}")


def _verdict(found: MetricComparison | CapacityComparison) -> str:
    words = (
        VERDICT_WORDS[found.verdict]
        if isinstance(found, CapacityComparison)
        else verdict_phrase(found)
    )
    return f"**{words}**" if found.verdict in ("worse", "better") else words


def _others(view: Table) -> Iterator[str]:
    body = "\n\n".join(_table(view, view.others, capacity=False))
    if body:
        yield folded(f"{view.name}: figures that do not count for the verdict", body)


def _why(comparison: Comparison) -> Iterator[str]:
    for group in comparison.groups:
        found = list(reasons_of(group))
        if found:
            lines = bullets(
                f"{escaped(listed(names, MOST_NAMED))}: {inline(why)}" for names, why in found
            )
            who = f"{side_label(comparison.contender)}, {group_name(group)}"
            yield folded(f"Why: {who}", lines)


def _beside(document: ComparisonDocument) -> Iterator[str]:
    """What else differs, and what found no partner."""
    for comparison in document.comparisons:
        lines = [escaped(difference_phrase(each)) for each in comparison.remarks]
        lines += [f"only on one side: {inline(each)}" for each in comparison.unmatched]
        if lines:
            yield folded(f"What else differs: {pair_phrase(comparison)}", bullets(lines))


def _anew(document: ComparisonDocument) -> str:
    """Which direction is wanted, and which results it rests on."""
    folders = dict.fromkeys(
        side.folder
        for each in document.comparisons
        for side in (each.baseline, each.contender)
        if side.folder
    )
    directions = dict.fromkeys(
        f"{row.metric.name}: {better_phrase(row.metric)}"
        for view in tables_of(document)
        for row in view.gating
        if row.metric.better == "higher"
    )
    words = "Lower is better"
    if directions:
        words += f", but {', '.join(directions)}"
    rests = ", ".join(map(code, folders))
    return f"{escaped(words)}. Compared by method {document.method}, from the results {rests}."
