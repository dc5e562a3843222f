"""How trends are put into words: one place, so that page, terminal and index say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from harness.analysis.comparison.types import Metric
from harness.analysis.history.events import Event, Moved
from harness.analysis.history.types import Annotation, ChangePoint, Level, SeriesKey, Trend
from harness.report.comparison.words import change, metric_name, minus, value
from harness.report.phrases import count_of

CAUSES = {
    "dagster": "Dagster", "baseline": "baseline", "harness": "harness", "method": "method",
    "host": "host",
}  # fmt: skip
ALONE = "nothing else changed that night"
VERSION = re.compile(r", version \d+$")


def day(at_s: float) -> str:
    """`2026-03-02`."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d}"


def series_name(key: SeriesKey, metric: Metric) -> str:
    """`launch time p50 at 3 runs`, and whose or beside what where that is not plain."""
    load = key.key.partition("@")[2]
    name = metric_name(metric, int(load) if load else None)
    if key.form == "ratio":
        return f"{name}, beside the baseline"
    return f"{name} of the baseline" if key.role == "baseline" else name


def quantity(figure: float, trend: Trend) -> str:
    """`4.2 CPU-s`; of a ratio `×1.04`."""
    if trend.key.form == "ratio":
        return f"×{figure:.3f}"
    return f"{value(figure)} {trend.metric.unit}"


def effect(point: ChangePoint) -> str:
    """`+11 %`."""
    return change(point.ratio)


def causes(annotations: Sequence[Annotation]) -> str:
    """`Dagster 1.13.20 → 1.13.21, harness 0.1.0 → 0.2.0`, or that nothing else changed."""
    if not annotations:
        return ALONE
    told = dict.fromkeys(
        f"{CAUSES.get(each.what, each.what)} {each.before} → {each.now}" for each in annotations
    )
    return ", ".join(told)


def causes_sentence(annotations: Sequence[Annotation]) -> str:
    """The same as a sentence of its own."""
    return f"With {causes(annotations)}." if annotations else f"{ALONE.capitalize()}."


def span(level: Level, trend: Trend) -> str:
    """Where single nights lie: `4.0 to 4.4`, in the unit of the level beside it."""
    if trend.key.form == "ratio":
        return f"{level.low:.3f} to {level.high:.3f}"
    return f"{value(level.low)} to {value(level.high)}"


def change_sentence(moved: Moved) -> str:
    """`launch CPU +11 % since 2026-03-02, with Dagster 1.13.20 → 1.13.21`."""
    trend, point = moved.trend, moved.change
    what = f"{series_name(trend.key, trend.metric)} {effect(point)} since {day(point.at_s)}"
    if not point.annotations:
        return f"{what}; {ALONE}"
    return f"{what}, with {causes(point.annotations)}"


def event_sentence(event: Event) -> str:
    """`46 figures became worse`, `12 figures became worse, 2 better`."""
    worse, better = event.worse, len(event.moved) - event.worse
    if not worse or not better:
        return f"{count_of(worse or better, 'figure')} became {'worse' if worse else 'better'}"
    return f"{count_of(worse, 'figure')} became worse, {better} better"


def short_kinds(kinds: Iterable[str]) -> dict[str, str]:
    """Each kind by its workload alone where that tells it from the others."""
    names = list(dict.fromkeys(kinds))
    short = {kind: _workload(kind) for kind in names}
    several = [each for each in short.values() if list(short.values()).count(each) > 1]
    return {kind: kind if name in several else name for kind, name in short.items()}


def _workload(kind: str) -> str:
    version = VERSION.search(kind)
    return re.split(r" \(| on ", kind)[0] + (version[0] if version else "")


def typeset(text: str) -> str:
    """For a page: with the sign that typography has for minus."""
    return minus(text)
