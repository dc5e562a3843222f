"""The README's table and chart of Dagster versions, made from the committed findings.

    .venv/bin/python benchmarks/version_table.py results/baselines/versions \
        --chart docs/images/versions.svg
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from harness.analysis.comparison.types import (
    ComparisonDocument,
    GroupComparison,
    MetricComparison,
    Rules,
)
from harness.report.comparison import words
from harness.report.html.palette import LIGHT
from harness.report.phrases import capacity_phrase
from harness.scenarios.comparing import compare_folders

ROWS = (
    "launch_cpu_s", "launch_s@1", "launch_s@3", "throughput_runs_per_s@3", "run_rss_mib@1",
    "base_mib",
)  # fmt: skip
MOVED = ("better", "worse")
CHARTED = ("launch_cpu_s", "launch_s@1", "run_rss_mib@1", "base_mib")
SERIES = (LIGHT["series-1"], LIGHT["series-2"])

WIDTH, PANEL_H, TOP, LEFT, RIGHT, BOTTOM = 860, 118, 46, 64, 16, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One contender's ratio with its interval, in one kind of cell."""

    version: str
    workload: str
    ratio: float
    low: float | None
    high: float | None


def compared(results: Path) -> ComparisonDocument:
    """The versions of one campaign, from its findings."""
    return compare_folders(results, None, rules=Rules(), baseline=None, force=False)


def table(document: ComparisonDocument) -> list[str]:
    """Markdown: a row a figure and workload, a column a version; the baseline first."""
    versions = [document.baseline.dagster, *(c.contender.dagster for c in document.comparisons)]
    lines = [
        f"| workload | figure | {' | '.join(versions)} |",
        "|---" * (2 + len(versions)) + "|",
    ]
    for groups in zip(*(c.groups for c in document.comparisons), strict=True):
        lines += _rows(groups)
    return lines


def _rows(groups: Sequence[GroupComparison]) -> Iterator[str]:
    first = groups[0]
    held = [capacity_phrase(first.capacity.baseline), *(
        f"{capacity_phrase(g.capacity.contender)}: {words.VERDICT_WORDS[g.capacity.verdict]}"
        for g in groups
    )]  # fmt: skip
    yield f"| {first.workload} | holds, runs | {' | '.join(held)} |"
    for key in ROWS:
        entries = [metric_in(group, key) for group in groups]
        if any(entry is None for entry in entries):
            continue
        known = [entry for entry in entries if entry is not None]
        name = words.metric_name(known[0].metric, known[0].at)
        cells = [words.middle(known[0].baseline), *(_cell(entry) for entry in known)]
        yield f"| {first.workload} | {name}, {known[0].metric.unit} | {' | '.join(cells)} |"


def _cell(entry: MetricComparison) -> str:
    said = f"{words.middle(entry.contender)}: {words.effect_phrase(entry.effect)}"
    verdict = words.verdict_phrase(entry)
    return f"{said}, **{verdict}**" if entry.verdict in MOVED else f"{said}, {verdict}"


def metric_in(group: GroupComparison, key: str) -> MetricComparison | None:
    """A figure by its key; `None` where it was not compared."""
    return next((entry for entry in group.metrics if entry.key == key), None)


def bars(document: ComparisonDocument, key: str) -> list[Bar]:
    """What the chart shows of one figure."""
    found = []
    for comparison in document.comparisons:
        for group in comparison.groups:
            entry = metric_in(group, key)
            if entry is None or entry.effect.ratio is None:
                continue
            effect = entry.effect
            found.append(
                Bar(version=comparison.contender.dagster, workload=group.workload,
                    ratio=entry.effect.ratio, low=effect.low, high=effect.high)
            )  # fmt: skip
    return found


def chart(document: ComparisonDocument) -> str:
    """An SVG: a panel a figure, versions from left to right, ratios to the baseline with their
    95 % intervals, workloads side by side.
    """
    versions = [document.baseline.dagster, *(c.contender.dagster for c in document.comparisons)]
    workloads = [group.workload for group in document.comparisons[0].groups]
    height = TOP + PANEL_H * len(CHARTED) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(_title(versions[0]))}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="{LIGHT["panel"]}"/>',
        f'<text x="{LEFT}" y="20" font-weight="600" fill="{LIGHT["ink"]}">'
        f"{escape(_title(versions[0]))}</text>",
        *_legend(workloads),
    ]
    for place, key in enumerate(CHARTED):
        parts += _panel(document, key, versions, workloads, TOP + place * PANEL_H)
    for index, version in enumerate(versions):
        parts.append(
            _text(_x(index, versions), height - 10, version, anchor="middle", fill=LIGHT["ink"])
        )
    return "\n".join([*parts, "</svg>", ""])


def _title(baseline: str) -> str:
    return f"Cost of a run by Dagster version, beside {baseline} (95 % intervals)"


def _legend(workloads: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(workloads):
        x = WIDTH - RIGHT - 70 * (len(workloads) - place)
        yield f'<circle cx="{x}" cy="16" r="5" fill="{SERIES[place]}"/>'
        yield _text(x + 10, 20, name, anchor="start", fill=LIGHT["ink"])


def _panel(
    document: ComparisonDocument, key: str, versions: Sequence[str], workloads: Sequence[str],
    top: float,
) -> Iterator[str]:  # fmt: skip
    shown = bars(document, key)
    first = metric_in(document.comparisons[0].groups[0], key)
    if first is None or not shown:
        return
    low = min([0.95, *((bar.low or bar.ratio) for bar in shown)])
    high = max([1.05, *((bar.high or bar.ratio) for bar in shown)])
    scale = _Scale(low=low, high=high, top=top + 24, bottom=top + PANEL_H - 14)
    yield _text(LEFT, top + 14, words.metric_name(first.metric, first.at), fill=LIGHT["ink"])
    for ratio in sorted({1.0, low, high}):
        y = scale.y(ratio)
        dash = "" if ratio == 1 else ' stroke-dasharray="2 4"'
        yield (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{LIGHT["line"]}"{dash}/>'
        )
        label = document.baseline.dagster if ratio == 1 else words.change(ratio)
        yield _text(LEFT - 6, y + 4, label, anchor="end", fill=LIGHT["ink-soft"], size=11)
    for bar in shown:
        place = workloads.index(bar.workload)
        x = _x(versions.index(bar.version), versions) + (place - (len(workloads) - 1) / 2) * 84
        yield from _mark(bar, x, scale, SERIES[place])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    low: float
    high: float
    top: float
    bottom: float

    def y(self, ratio: float) -> float:
        return self.bottom - (ratio - self.low) / (self.high - self.low) * (self.bottom - self.top)


def _mark(bar: Bar, x: float, scale: _Scale, colour: str) -> Iterator[str]:
    if bar.low is not None and bar.high is not None:
        ends = f'y1="{scale.y(bar.low):.1f}" y2="{scale.y(bar.high):.1f}"'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" {ends} stroke="{colour}" stroke-width="2"/>'
    yield f'<circle cx="{x:.1f}" cy="{scale.y(bar.ratio):.1f}" r="5" fill="{colour}"/>'
    said = words.minus(words.change(bar.ratio))
    yield _text(x + 9, scale.y(bar.ratio) + 4, said, fill=LIGHT["ink-soft"], size=11)


def _x(index: int, versions: Sequence[str]) -> float:
    return LEFT + (index + 0.5) * (WIDTH - LEFT - RIGHT) / len(versions)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str, size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
        f'font-size="{size}">{escape(text)}</text>'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; write the chart where one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--chart", type=Path)
    wanted = parser.parse_args(argv)
    document = compared(wanted.results)
    print("\n".join(table(document)))
    if wanted.chart:
        wanted.chart.write_text(chart(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
