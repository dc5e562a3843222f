"""A bisection on a terminal or a pipe: the answer first, then each release, then the rest."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.bisecting.types import BisectFinding, Like, Status
from harness.report.bisect.phrases import HEADINGS, answer, effort, remarks, row

STYLES: dict[Status, str] = {
    "found": "bold green", "several": "bold green", "gradual": "bold yellow", "same": "bold",
    "cannot_tell": "bold yellow",
}  # fmt: skip
LIKE: dict[Like, str] = {"good": "", "bad": "bold", "between": "yellow", "unsure": "dim"}


def render_bisect(finding: BisectFinding, console: Console) -> None:
    """Print all of it; lines are wrapped at words and no markup is read."""
    console.print(Text(answer(finding), style=STYLES[finding.status]))
    console.print(Text(effort(finding), style="dim"))
    if finding.measured:
        console.print(_table(finding))
    for text in remarks(finding):
        console.print(Text(text, style="dim"))


def _table(finding: BisectFinding) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for at, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if at in (0, 3) else "right")
    for placed in finding.measured:
        table.add_row(*map(Text, row(finding, placed)), style=LIKE[placed.like])
    return table
