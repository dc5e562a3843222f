"""A comparison as its page shows it: tables with a line of ratios, and a chart a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.types import (
    CapacityComparison,
    Comparison,
    ComparisonDocument,
    MetricComparison,
    SideFigures,
)
from harness.report.comparison.headline import (
    MOST_NAMED,
    MOST_OF_SEVERAL,
    Part,
    pair_phrase,
    parts_of,
)
from harness.report.comparison.html.forest import Forest, Line, line_of
from harness.report.comparison.reasons import reasons_of
from harness.report.comparison.views import Row, Table, tables_of
from harness.report.comparison.words import metric_name, side_label


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One contender's part of a row. `entry` and `forest` are `None` where not measured."""

    label: str
    entry: MetricComparison | None
    forest: Forest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One figure: its row, and the place of its chart. `sides`: name and figures of each side."""

    id: str
    name: str
    row: Row
    entries: tuple[EntryView, ...]
    sides: tuple[tuple[str, SideFigures], ...]

    @property
    def rounds(self) -> tuple[int, ...]:
        """Rounds there are values of, ascending."""
        return tuple(sorted({value.round for _, side in self.sides for value in side.values}))

    @property
    def drawn(self) -> bool:
        """Whether any value is known."""
        return any(value.value is not None for _, side in self.sides for value in side.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsView:
    """Rows that share a line of ratios."""

    line: Line
    rows: tuple[RowView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """One kind of cell. `why`: a contender's name, then (figures, reason) pairs."""

    id: str
    table: Table
    capacities: tuple[tuple[str, CapacityComparison | None], ...]
    gating: RowsView
    others: RowsView
    why: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One contender's verdict in words. `parts` is empty where nothing could be compared."""

    comparison: Comparison
    pair: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The page as a whole."""

    answers: tuple[AnswerView, ...]
    tables: tuple[TableView, ...]

    @property
    def forced(self) -> bool:
        """Whether any of it was compared although it must not be."""
        return any(each.comparison.forced for each in self.answers)

    @property
    def one_baseline(self) -> bool:
        """Whether all contenders stand beside the same side."""
        first = self.answers[0].comparison.baseline if self.answers else None
        return all(each.comparison.baseline == first for each in self.answers)

    @property
    def rows(self) -> Iterator[tuple[TableView, RowView]]:
        """Every figure on the page, in its order."""
        for view in self.tables:
            for row in (*view.gating.rows, *view.others.rows):
                yield view, row


def page_view(document: ComparisonDocument) -> PageView:
    """What the templates are filled with."""
    most = MOST_NAMED if len(document.comparisons) == 1 else MOST_OF_SEVERAL
    return PageView(
        answers=tuple(
            AnswerView(comparison=each, pair=pair_phrase(each), parts=parts_of(each, most=most))
            for each in document.comparisons
        ),
        tables=tuple(
            _table(table, f"kind-{number}")
            for number, table in enumerate(tables_of(document), start=1)
        ),
    )


def _table(table: Table, anchor: str) -> TableView:
    labels = [side_label(each.contender) for each in table.comparisons]
    return TableView(
        id=anchor,
        table=table,
        capacities=tuple(zip(labels, table.capacities, strict=True)),
        gating=_rows(table, table.gating, anchor),
        others=_rows(table, table.others, anchor),
        why=tuple(_why(table)),
    )


def _rows(table: Table, rows: Sequence[Row], anchor: str) -> RowsView:
    line = line_of(entry for row in rows for entry in row.entries if entry is not None)
    return RowsView(line=line, rows=tuple(_row(table, row, line, anchor) for row in rows))


def _row(table: Table, row: Row, line: Line, anchor: str) -> RowView:
    at = "" if row.at is None else f"-at-{row.at}"
    labels = [side_label(each.contender) for each in table.comparisons]
    entries = tuple(
        EntryView(
            label=label, entry=entry, forest=None if entry is None else line.forest(entry)
        )
        for label, entry in zip(labels, row.entries, strict=True)
    )  # fmt: skip
    measured = tuple(
        (each.label, each.entry.contender) for each in entries if each.entry is not None
    )
    return RowView(
        id=f"{anchor}-{row.metric.key}{at}",
        name=metric_name(row.metric, row.at),
        row=row,
        entries=entries,
        sides=((side_label(table.baseline), row.baseline), *measured),
    )


def _why(table: Table) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for comparison in table.comparisons:
        for group in comparison.groups:
            kind = (group.profile, group.workload, tuple(group.setup.items()))
            if kind == (table.profile, table.workload, table.setup):
                found = tuple((", ".join(names), why) for names, why in reasons_of(group))
                if found:
                    yield side_label(comparison.contender), found
