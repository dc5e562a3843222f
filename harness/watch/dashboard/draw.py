"""A scene as something rich can print, for a terminal of any size.

Blocks of rows are taken in by rank until the height is spent; what is left over lets them grow.
So a small terminal has the headline, the step and the memory, and a large one everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.watch.dashboard.bars import QUIET
from harness.watch.dashboard.curve import curve_rows
from harness.watch.dashboard.gauges import server_rows, server_title
from harness.watch.dashboard.panels import (
    STEP_ROWS,
    campaign_rows,
    event_rows,
    headline,
    step_rows,
    step_title,
)
from harness.watch.dashboard.state import Scene

WIDE, TALL = 100, 22
SHORT = 16
LINES_ABOVE = 4
"""Rows a tall terminal keeps for the lines of finished steps."""
MOST_EVENTS, MOST_POINTS = 5, 14
BORDER, FRAME = 2, 4
"""Rows and cells a panel needs around its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that belong together: `least` to `most` of them. The lowest `rank` stays longest."""

    title: str
    rank: int
    least: int
    most: int
    rows: Callable[[int], Sequence[Text]]


def draw(scene: Scene, now_s: float, *, width: int, height: int) -> RenderableType:
    """The whole dashboard: never wider than `width` cells nor taller than `height` rows."""
    budget = max(1, height - (1 if height <= SHORT else LINES_ABOVE))
    layout = _side_by_side if width >= WIDE and height >= TALL else _stacked
    return Constrain(layout(scene, now_s, width, budget), width)


def fit(blocks: Sequence[Block], budget: int, *, border: int = 0) -> list[tuple[Block, int]]:
    """Which blocks there is room for, in the order given, and how many rows each may have.

    Args:
        blocks: of different ranks.
        budget: rows in all.
        border: rows each block needs beside its own.
    """
    granted: dict[int, int] = {}
    ranked = sorted(blocks, key=lambda block: block.rank)
    for block in ranked:
        if block.least + border > budget:
            break  # nothing of less importance takes its place
        granted[block.rank] = block.least
        budget -= block.least + border
    for block in ranked:
        if block.rank in granted:
            more = min(block.most - block.least, budget)
            granted[block.rank] += more
            budget -= more
    return [(block, granted[block.rank]) for block in blocks if block.rank in granted]


def _stacked(scene: Scene, now_s: float, width: int, budget: int) -> Group:
    """Everything below one another; with titles where there is room for all of them."""
    blocks = [
        Block(title="", rank=0, least=1, most=1, rows=lambda _: [headline(scene, now_s, width)]),
        _campaign(scene, now_s, width),
        _step(scene, now_s, width),
        _server(scene, now_s, width),
        _curve(scene, width),
        _events(scene, now_s),
    ]
    content = [(block.title, block.rows(rows)) for block, rows in fit(blocks, budget)]
    spare = budget - sum(len(rows) for _, rows in content)
    titled = spare >= sum(bool(title) for title, _ in content)
    found: list[RenderableType] = []
    for title, rows in content:
        if title and titled:
            found.append(Rule(_heading(title, width), align="left", style=QUIET))
        found += rows
    return Group(*found)


def _side_by_side(scene: Scene, now_s: float, width: int, budget: int) -> Group:
    """The step over the whole width; below it the server, and beside that the curve."""
    top = [headline(scene, now_s, width), *campaign_rows(scene, now_s, width)]
    budget -= len(top) + STEP_ROWS + BORDER
    half = width // 2
    table = Table.grid(padding=0)
    table.add_column(width=half, no_wrap=True)
    table.add_column(width=width - half, no_wrap=True)
    left = (_server(scene, now_s, half - FRAME), _events(scene, now_s))
    right = (_curve(scene, width - half - FRAME),)
    table.add_row(_panels(left, budget), _panels(right, budget))
    return Group(*top, _panels((_step(scene, now_s, width - FRAME),), STEP_ROWS + BORDER), table)


def _panels(blocks: Sequence[Block], budget: int) -> Group:
    found = []
    for block, rows in fit(blocks, budget, border=BORDER):
        title = Text(block.title, no_wrap=True, overflow="ellipsis")
        content = Group(*block.rows(rows))
        found.append(Panel(content, title=title, title_align="left", border_style=QUIET))
    return Group(*found)


def _heading(title: str, width: int) -> Text:
    """A title that leaves something of its rule to be seen."""
    return Text(title[: max(1, width - 6)], style=QUIET, no_wrap=True, overflow="ellipsis")


def _campaign(scene: Scene, now_s: float, width: int) -> Block:
    rows = campaign_rows(scene, now_s, width)
    return Block(title="", rank=5, least=1, most=len(rows), rows=lambda most: rows[:most])


def _step(scene: Scene, now_s: float, width: int) -> Block:
    rows = step_rows(scene, now_s, width)
    return Block(
        title=step_title(scene), rank=1, least=2, most=STEP_ROWS, rows=lambda most: rows[:most]
    )


def _server(scene: Scene, now_s: float, width: int) -> Block:
    rows, title = server_rows(scene, now_s, width), server_title(scene, now_s)
    return Block(title=title, rank=2, least=2, most=len(rows), rows=lambda most: rows[:most])


def _curve(scene: Scene, width: int) -> Block:
    points = len({opinion.concurrency for opinion in scene.opinions})
    return Block(
        title="response p95 and throughput by runs at once",
        rank=3,
        least=2,
        most=1 + max(1, min(points, MOST_POINTS)),
        rows=lambda most: curve_rows(scene, width, most),
    )


def _events(scene: Scene, now_s: float) -> Block:
    return Block(
        title="events",
        rank=4,
        least=1,
        most=max(1, min(len(scene.events), MOST_EVENTS)),
        rows=lambda most: event_rows(scene, now_s, most),
    )
