"""A sizing on a terminal, a pipe or a narrow window: the answer first, the files to paste last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from harness.analysis.sizing.types import Comparison, Option, SizingFinding
from harness.report.deploy.document import Document
from harness.report.sizing.phrases import (
    HEADINGS,
    MARKS,
    answer_sentence,
    demand_phrase,
    holds_phrase,
    option_name,
    option_values,
)
from harness.report.terminal import WIDE

ENDLESS = 1000
"""Wide enough for any table, to see how wide it would like to be."""

STYLES = {True: "green", False: "red", None: "yellow"}


def render_sizing(
    finding: SizingFinding, files: Sequence[Document], console: Console, *, paste: bool = True
) -> None:
    """Print all of it.

    Args:
        finding: the answer.
        files: to paste; none where nothing is shipped.
        console: its width chooses the layout; its file, whether there are colours.
        paste: the files in full; else their names, so that the answer stays on the screen.
    """
    wide = console.width >= WIDE
    line = _Lines(console)
    line.say(answer_sentence(finding), style="bold green" if finding.choice else "bold red")
    line.say(f"For {demand_phrase(finding.demand)}.", style="dim")
    line.items("Why", finding.why)
    line.heading("What was looked at, in order of price")
    _options(line, finding)
    line.say(MARKS, style="dim")
    line.heading("The sizing guide's rules beside what is known here")
    (_comparisons_table if wide else _comparisons_lines)(line, finding.comparisons)
    line.items("Measured in", finding.sources)
    line.items("What this cannot know", finding.unknown)
    if files and paste:
        line.heading("To paste")
        _print_files(line, files)
    elif files:
        line.items("To paste (--paste prints them, --emit FOLDER writes them)", _titles(files))


def _titles(files: Sequence[Document]) -> tuple[str, ...]:
    return tuple(f"{each.name}: {each.title}" for each in files)


class _Lines:
    """Prints lines wrapped at words, with no markup read."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str, *, style: str = "", indent: int = 0, mark: str = "") -> None:
        """One logical line, continued under its beginning; `mark` stands before that."""
        width = max(20, self.console.width - indent - len(mark) - 2)
        lead = " " * indent + mark
        for part in Text(text, style=style).wrap(self.console, width):
            part.rstrip()
            self.console.print(Text(lead).append_text(part), soft_wrap=True)
            lead = " " * len(lead)

    def heading(self, text: str) -> None:
        """An empty line and a bold one."""
        self.console.print()
        self.say(text, style="bold")

    def items(self, title: str, texts: Sequence[str]) -> None:
        """A list under its heading; nothing where it is empty."""
        if texts:
            self.heading(title)
        for text in texts:
            self.say(text, indent=2, mark="- ")


def _options(line: _Lines, finding: SizingFinding) -> None:
    """A table where it fits without breaking a cell, else lines."""
    table = _options_table(finding)
    console = line.console
    endless = console.options.update(max_width=ENDLESS)
    if Measurement.get(console, endless, table).maximum > console.width:
        _options_lines(line, finding)
        return
    console.print(table)
    for option in finding.options:
        if not option.holds:
            line.say(f"{option_name(option)}: {option.reason}", style="dim", indent=2)


def _options_table(finding: SizingFinding) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for at, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if at in (0, 1, 6) else "right", no_wrap=True)
    for option in finding.options:
        style = "bold" if option == finding.choice else ""
        values = option_values(option, finding.price.currency)
        table.add_row(
            Text(option_name(option)),
            Text(values[0], style=STYLES[option.holds]),
            *values[1:],
            style=style,
        )
    return table


def _options_lines(line: _Lines, finding: SizingFinding) -> None:
    for option in finding.options:
        chosen = " (the choice)" if option == finding.choice else ""
        values = option_values(option, finding.price.currency)
        line.say(
            f"{option_name(option)}{chosen}: {_verdict(option)}",
            style=STYLES[option.holds],
            indent=2,
        )
        pairs = zip(HEADINGS[2:], values[1:], strict=True)
        line.say(", ".join(f"{_flat(name)} {value}" for name, value in pairs), indent=4)


def _verdict(option: Option) -> str:
    words = {"yes": "holds", "no": "does not hold", "?": "not known"}[holds_phrase(option)]
    return f"{words}: {option.reason}"


def _flat(heading: str) -> str:
    return heading.replace("\n", " ")


def _comparisons_table(line: _Lines, comparisons: Iterable[Comparison]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("question", ratio=3)
    table.add_column("the guide", ratio=4)
    table.add_column("here", ratio=7)
    for each in comparisons:
        table.add_row(Text(each.question), Text(each.guide), Text(f"{each.basis}: {each.measured}"))
    line.console.print(table)


def _comparisons_lines(line: _Lines, comparisons: Iterable[Comparison]) -> None:
    for each in comparisons:
        line.say(each.question, style="bold", indent=2)
        line.say(f"guide: {each.guide}", indent=4)
        line.say(f"{each.basis}: {each.measured}", indent=4)


def _print_files(line: _Lines, files: Iterable[Document]) -> None:
    """Whole lines, as they are there to be copied; what was noted once is not noted again."""
    noted: set[str] = set()
    for each in files:
        line.heading(f"{each.name}: {each.title}")
        for text in each.text.splitlines():
            line.console.print(Text(text), soft_wrap=True)
        for note in each.notes:
            if note not in noted:
                line.say(note, style="dim", indent=2, mark="- ")
        noted.update(each.notes)
