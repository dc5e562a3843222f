"""The response curve as it grows, and where the threshold lies so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from rich.text import Text

from harness.rig.protocols import Opinion
from harness.units import show_seconds
from harness.watch.dashboard.bars import BAD, GOOD, LONGEST_BAR, QUIET, STRONG, WARNING, bar, row
from harness.watch.dashboard.state import Scene
from harness.watch.words import sure_words, threshold_words

VERDICTS = {"pass": GOOD, "fail": BAD}
UNKNOWN = "–"
_BEFORE_BAR = 1 + 4 + 1
_SHORTEST_BAR = 12
"""What the name of a broken objective has to leave of the bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """All steps at one concurrency: medians over them, as the report draws, and their verdicts.

    `verdicts` and how often each; `broken` objectives, the hardest first.
    """

    concurrency: int
    response_p95_s: float | None
    throughput_runs_per_s: float | None
    verdicts: tuple[tuple[str, int], ...]
    broken: tuple[str, ...]


def points_of(opinions: Sequence[Opinion]) -> list[Point]:
    """One point a concurrency, ascending."""
    ordered = sorted(opinions, key=lambda opinion: opinion.concurrency)
    groups = groupby(ordered, key=lambda opinion: opinion.concurrency)
    return [_point(concurrency, list(group)) for concurrency, group in groups]


def curve_rows(scene: Scene, width: int, most: int) -> list[Text]:
    """`most` rows or fewer: the threshold, then the curve around the newest step."""
    return [threshold_row(scene.opinion), *_points(scene, width, most - 1)][:most]


def threshold_row(opinion: Opinion | None) -> Text:
    """Where the threshold lies, and how sure its lower end is; in a soak nobody asks."""
    if opinion is not None and not opinion.seeks:
        return row(("one load, to see what grows", QUIET))
    sure = sure_words(opinion)
    return row((threshold_words(opinion), STRONG), (f"  {sure}" if sure else "", QUIET))


def _points(scene: Scene, width: int, most: int) -> list[Text]:
    points = points_of(scene.opinions)
    newest = scene.opinion.concurrency if scene.opinion else None
    shown = around(points, newest, most)
    slowest_s = max((point.response_p95_s or 0.0 for point in points), default=0.0)
    tails = [_tail(point, width) for point in shown]
    longest = max((tail.cell_len for tail in tails), default=0)
    cells = max(1, min(width - _BEFORE_BAR - longest, LONGEST_BAR))
    return [
        _row(point, tail, (slowest_s, cells), newest=point.concurrency == newest)
        for point, tail in zip(shown, tails, strict=True)
    ]


def around(points: Sequence[Point], concurrency: int | None, most: int) -> Sequence[Point]:
    """At most so many neighbouring points, this concurrency in their middle where it can be."""
    at = next((i for i, each in enumerate(points) if each.concurrency == concurrency), 0)
    first = max(0, min(at - most // 2, len(points) - most))
    return points[first : first + max(most, 0)]


def _point(concurrency: int, group: Sequence[Opinion]) -> Point:
    verdicts = Counter(opinion.verdict for opinion in group)
    broken = dict.fromkeys(name for opinion in group for name in opinion.broken)
    return Point(
        concurrency=concurrency,
        response_p95_s=_middle([opinion.response_p95_s for opinion in group]),
        throughput_runs_per_s=_middle([opinion.throughput_runs_per_s for opinion in group]),
        verdicts=tuple(verdicts.items()),
        broken=tuple(broken),
    )


def _row(point: Point, tail: Text, scale: tuple[float, int], *, newest: bool) -> Text:
    """The concurrency, its bar on a scale (seconds, cells) that all rows share, and the tail."""
    slowest_s, cells = scale
    ratio = (point.response_p95_s or 0.0) / slowest_s if slowest_s else 0.0
    return Text.assemble(
        ("▶" if newest else " ", STRONG),
        (f"{point.concurrency:4d} ", STRONG if newest else ""),
        bar(ratio, cells, _style(point)),
        tail,
        no_wrap=True,
        overflow="ellipsis",
    )


def _tail(point: Point, width: int) -> Text:
    """What stands behind the bar: figures, verdicts, and what broke where that leaves a bar."""
    response_s, rate = point.response_p95_s, point.throughput_runs_per_s
    figures = (
        f" {UNKNOWN if response_s is None else show_seconds(response_s):>6}"
        f" {UNKNOWN if rate is None else f'{rate:.2f}/s':>6} "
    )
    verdicts = ", ".join(
        verdict if count == 1 else f"{count} {verdict}" for verdict, count in point.verdicts
    )
    tail = row(figures, (verdicts, _style(point)))
    broken = f" {point.broken[0]}" if point.broken else ""
    if width - _BEFORE_BAR - tail.cell_len - len(broken) >= _SHORTEST_BAR:
        tail.append(broken, QUIET)
    return tail


def _style(point: Point) -> str:
    names = [name for name, _ in point.verdicts]
    return VERDICTS.get(names[0], WARNING) if len(names) == 1 else WARNING


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
