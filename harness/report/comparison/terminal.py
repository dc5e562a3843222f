"""A comparison on a terminal, a pipe or a narrow window: the verdict in a line a contender, a
table a kind of cell, the verdict in a word. Why, and all the rest, are details.

Where the table is wider than the console, the same stands in lines. Colour marks, it never says
anything alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from harness.analysis.capacity import Capacity
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
from harness.report.phrases import capacity_phrase
from harness.report.terminal import print_line

STYLES = {"better": "bold green", "worse": "bold red", "same": "", "cannot_tell": "yellow"}
Capacities = Sequence[CapacityComparison | None]
FURTHER = "Why, what else differs, and further figures: harness compare --details, or the page."
ENDLESS = 10_000
"""Columns, to see how wide a table would like to be."""


def render_comparison(
    document: ComparisonDocument, console: Console, *, details: bool = True
) -> None:
    """Print everything a person should know, the verdict first.

    Args:
        document: one baseline, or several, with their contenders.
        console: its width chooses the layout; its file, whether there are colours.
        details: also the figures that the verdict does not rest on.
    """
    most = MOST_NAMED if len(document.comparisons) == 1 else MOST_OF_SEVERAL
    for comparison in document.comparisons:
        _verdict(console, comparison, most)
    for comparison in document.comparisons:
        _differences(console, comparison, details=details)
    console.print()
    for table in tables_of(document):
        _print_table(console, table, details=details)
    if details:
        _details(console, document, most)
    else:
        print_line(console, FURTHER, style="dim")
    _in_a_word(console, document)


def _details(console: Console, document: ComparisonDocument, most: int) -> None:
    """The whole answer of each contender, its reasons, and how it was decided."""
    for comparison in document.comparisons:
        print_line(console, f"{pair_phrase(comparison)}: {answer(comparison, most=most)}")
        _reasons(console, comparison)
    print_line(console, rules_phrase(document.rules), style="dim")


def _in_a_word(console: Console, document: ComparisonDocument) -> None:
    """Again at the end: what came first has scrolled away."""
    line = Text("Verdict: ")
    for number, comparison in enumerate(document.comparisons):
        words = f"{side_label(comparison.contender)} {VERDICT_WORDS[comparison.verdict]}"
        line.append(", " if number else "").append(words, style=STYLES[comparison.verdict])
    console.print(line)


def _verdict(console: Console, comparison: Comparison, most: int) -> None:
    if comparison.forced:
        print_line(console, f"{FORCED}.", style="bold red")
    style = STYLES[comparison.verdict]
    print_line(console, verdict_line(comparison, most=most), style=style)


def _differences(console: Console, comparison: Comparison, *, details: bool) -> None:
    remarks = comparison.remarks if details else ()
    told = (
        (comparison.differences, "What forbids this comparison", "red"),
        (remarks, "What else differs", ""),
    )
    for differences, title, style in told:
        if differences:
            print_line(console, f"{title} ({side_label(comparison.contender)})", style="bold")
        for each in differences:
            print_line(console, difference_phrase(each), style=style, indent=2)
    if comparison.unmatched:
        print_line(console, "Cells that only one side has", style="bold")
    for name in comparison.unmatched:
        print_line(console, name, indent=2)


def _print_table(console: Console, table: Table, *, details: bool) -> None:
    forced = " - FORCED" if any(each.forced for each in table.comparisons) else ""
    print_line(console, f"{table.name}{forced}", style="bold")
    setup = ", ".join(f"{name} {text}" for name, text in table.setup)
    print_line(console, setup, style="dim")
    _print_rows(console, table, table.gating, table.capacities, short=not details)
    if details and table.others:
        print_line(console, f"{table.name}: not counted for the verdict", style="bold")
        nothing = (None,) * len(table.comparisons)
        _print_rows(console, table, table.others, nothing, short=False)


def _print_rows(
    console: Console, table: Table, rows: Sequence[Row], capacities: Capacities, *, short: bool
) -> None:
    if not rows and not any(capacities):
        return
    tabulate = _one_contender if len(table.comparisons) == 1 else _several
    made = tabulate(table, rows, capacities)
    wanted = console.measure(made, options=console.options.update(max_width=ENDLESS)).maximum
    if wanted <= console.width:
        console.print(made)
        return
    moved = [row for row in rows if not short or _moved(row)]
    _lines(console, table, moved, capacities)
    for row in (row for row in rows if row not in moved):
        print_line(console, _still(table, row), indent=2)
    console.print()


def _still(table: Table, row: Row) -> str:
    """What did not move, in a line: `launch CPU: 1.6 CPU-s, then 1.7, +1.8 % (-1 to +5): same`."""
    several = len(table.comparisons) > 1
    told = []
    for comparison, entry in zip(table.comparisons, row.entries, strict=True):
        who = f"{side_label(comparison.contender)} " if several else ""
        words = NOT_MEASURED
        if entry is not None:
            effect = effect_phrase(entry.effect)
            words = f"{middle(entry.contender)}, {effect}: {verdict_phrase(entry)}"
        told.append(f"{who}{words}")
    value = f"{middle(row.baseline)} {row.metric.unit}"
    return f"{metric_name(row.metric, row.at)}: {value}, then {'; '.join(told)}"


def _moved(row: Row) -> bool:
    return any(entry and entry.verdict in ("worse", "better") for entry in row.entries)


def _rich(headings: Sequence[str]) -> RichTable:
    made = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        made.add_column(heading)
    return made


def _one_contender(table: Table, rows: Sequence[Row], capacities: Capacities) -> RichTable:
    """Every part of the answer in a column of its own."""
    (comparison,) = table.comparisons
    sides = (side_label(comparison.baseline), side_label(comparison.contender))
    made = _rich(("figure", "unit", *sides, "difference\n(95 %)", "noise\nfloor", "verdict"))
    (capacity,) = capacities
    if capacity is not None:
        made.add_row(
            "capacity", "runs", _stacked(capacity.baseline), _stacked(capacity.contender),
            capacity_words(capacity).replace(", ", "\n"), "",
            _verdict_text(capacity),
        )  # fmt: skip
    for row in rows:
        (entry,) = row.entries
        assert entry is not None  # a row is made of its entries
        made.add_row(
            metric_name(row.metric, row.at), row.metric.unit, middle(row.baseline),
            middle(entry.contender), effect_phrase(entry.effect), noise_phrase(entry.noise),
            _verdict_text(entry),
        )  # fmt: skip
    return made


def _several(table: Table, rows: Sequence[Row], capacities: Capacities) -> RichTable:
    """A column a contender: its value with the verdict, and the difference below."""
    names = [side_label(each.contender) for each in table.comparisons]
    made = _rich(("figure", "unit", side_label(table.baseline), *names))
    known = next((each for each in capacities if each is not None), None)
    if known is not None:
        entries = (_capacity_cell(each) for each in capacities)
        made.add_row("capacity", "runs", _stacked(known.baseline), *entries)
    for row in rows:
        made.add_row(
            metric_name(row.metric, row.at), row.metric.unit, middle(row.baseline),
            *map(_metric_cell, row.entries),
        )  # fmt: skip
    return made


def _capacity_cell(capacity: CapacityComparison | None) -> Text:
    if capacity is None:
        return Text(NOT_MEASURED)
    words = _verdict_text(capacity)
    return _stacked(capacity.contender).append("\n").append_text(words)


def _stacked(capacity: Capacity) -> Text:
    """Two lines instead of one: for narrow columns."""
    return Text(capacity_phrase(capacity).replace(" (", "\n(", 1))


def _metric_cell(entry: MetricComparison | None) -> Text:
    if entry is None:
        return Text(NOT_MEASURED)
    words = _verdict_text(entry)
    return (
        Text(f"{middle(entry.contender)} ")
        .append_text(words)
        .append(f"\n{effect_phrase(entry.effect)}")
    )


def _verdict_text(found: MetricComparison | CapacityComparison) -> Text:
    if isinstance(found, CapacityComparison):
        words = VERDICT_WORDS[found.verdict]
    else:
        words = verdict_phrase(found)
    return Text(words, style=STYLES[found.verdict])


def _lines(console: Console, table: Table, rows: Sequence[Row], capacities: Capacities) -> None:
    """The same for a narrow window."""
    for place, comparison in enumerate(table.comparisons):
        capacity = capacities[place]
        if capacity is not None:
            print_line(console, f"capacity of {side_name(comparison.contender)}", indent=2)
            print_line(
                console,
                f"{capacity_phrase(capacity.baseline)} → {capacity_phrase(capacity.contender)}, "
                f"{capacity_words(capacity)}: {VERDICT_WORDS[capacity.verdict]}",
                style=STYLES[capacity.verdict],
                indent=4,
            )
    for row in rows:
        name = f"{metric_name(row.metric, row.at)}, {row.metric.unit}"
        print_line(console, f"{name} ({better_phrase(row.metric)})", indent=2)
        print_line(console, f"{side_label(table.baseline)}: {middle(row.baseline)}", indent=4)
        for text, style in _entry_lines(table, row):
            print_line(console, text, style=style, indent=4)


def _entry_lines(table: Table, row: Row) -> Iterator[tuple[str, str]]:
    for comparison, entry in zip(table.comparisons, row.entries, strict=True):
        label = side_label(comparison.contender)
        if entry is None:
            yield f"{label}: {NOT_MEASURED}", ""
            continue
        yield (
            f"{label}: {middle(entry.contender)}, {effect_phrase(entry.effect)}, noise floor "
            f"{noise_phrase(entry.noise)}: {verdict_phrase(entry)}",
            STYLES[entry.verdict],
        )


def _reasons(console: Console, comparison: Comparison) -> None:
    for group in comparison.groups:
        found = list(reasons_of(group))
        if not found:
            continue
        who = f"{side_label(comparison.contender)}, {group_name(group)}"
        print_line(console, f"Why: {who}", style="bold")
        for names, why in found:
            print_line(console, f"- {listed(names, MOST_NAMED)}: {why}", indent=2)
        console.print()
