"""What the charts of trends are drawn from: the history's own numbers as columns.

Values travel with five digits, and each campaign is told once: a page holds a thousand nights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.history.types import Annotation, ChangePoint, Level, Trend
from harness.report.trends.views import CampaignView, ChartView, PageView
from harness.report.trends.words import CAUSES, causes, effect, quantity, series_name

DIGITS = 5


def payload_json(page: PageView) -> str:
    """The payload as compact JSON.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    document = {"campaigns": [_campaign(each) for each in page.campaigns]}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _campaign(view: CampaignView) -> dict[str, Any]:
    places = {entry.folder: place for place, entry in enumerate(view.nights)}
    versions = list(dict.fromkeys(_versions(e.subject, e.baseline) for e in view.nights))
    return {
        "id": view.id,
        "at_s": [int(entry.started_s) for entry in view.nights],
        "folders": [entry.folder for entry in view.nights],
        "versions": versions,
        "version": [versions.index(_versions(e.subject, e.baseline)) for e in view.nights],
        "annotations": [
            _annotation(each, places) for each in view.annotations if each.folder in places
        ],
        "charts": [_chart(chart, places) for kind in view.kinds for chart in kind.charts],
    }


def _versions(subject: str, baseline: str) -> str:
    return f"{subject}, baseline {baseline}" if baseline else subject


def _annotation(note: Annotation, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "at": places[note.folder],
        "what": note.what,
        "name": CAUSES.get(note.what, note.what),
        "before": note.before,
        "now": note.now,
    }


def _chart(chart: ChartView, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": chart.id,
        "name": chart.name,
        "unit": chart.unit,
        "better": chart.metric.better,
        "form": chart.trends[0].key.form,
        "series": [_series(trend, places) for trend in chart.trends],
    }


def _series(trend: Trend, places: Mapping[str, int]) -> dict[str, Any]:
    points = [point for point in trend.points if point.folder in places]
    laid_aside = {folder for level in trend.levels for folder in level.outliers}
    return {
        "role": trend.key.role,
        "name": series_name(trend.key, trend.metric),
        "nights": _steps([places[point.folder] for point in points]),
        "values": [_short(point.figure.value) for point in points],
        "outliers": [places[each.folder] for each in points if each.folder in laid_aside],
        "levels": [_level(level, trend, places) for level in trend.levels],
        "changes": [_change(point, trend, places) for point in trend.changes],
    }


def _steps(places: Sequence[int]) -> list[int]:
    """Each without the one before it: mostly ones, which pack well."""
    return [place - before for before, place in zip([0, *places], places, strict=False)]


def _level(level: Level, trend: Trend, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "first": places[level.first],
        "last": places[level.last],
        "value": _short(level.value),
        "low": _short(level.low),
        "high": _short(level.high),
        "n": level.n,
        "told": quantity(level.value, trend),
    }


def _change(point: ChangePoint, trend: Trend, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "at": places[point.folder],
        "value": _short(point.after),
        "up": point.ratio > 1,
        "verdict": point.verdict,
        "effect": effect(point),
        "told": f"{quantity(point.before, trend)} → {quantity(point.after, trend)}",
        "causes": causes(point.annotations),
    }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
