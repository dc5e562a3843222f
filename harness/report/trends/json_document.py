"""Trends for a program: every series with its points, levels and changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from harness.analysis.history.events import Event
from harness.analysis.history.types import Annotation, ChangePoint, Entry, History, Level, Trend
from harness.report.trends.words import change_sentence, event_sentence

SCHEMA = 1


def trends_json(history: History, events: Sequence[Event], entries: Sequence[Entry]) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a number in the history is not finite.
    """
    document = trends_document(history, events, entries)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def trends_document(
    history: History, events: Sequence[Event], entries: Sequence[Entry]
) -> dict[str, Any]:
    """The document as plain values."""
    return {
        "schema": SCHEMA,
        "campaigns": [_campaign(entry) for entry in entries],
        "events": [_event(event) for event in events],
        "annotations": {
            name: [_note(each) for each in notes] for name, notes in history.annotations.items()
        },
        "series": [_series(trend) for trend in history.trends],
    }


def _campaign(entry: Entry) -> dict[str, Any]:
    return {
        "folder": entry.folder,
        "campaign": entry.campaign,
        "started": _utc(entry.started_s),
        "dagster": entry.subject,
        "baseline": entry.baseline or None,
        "host": entry.host,
        "harness": entry.harness,
        "method": entry.method,
        "figures": len(entry.figures),
        "problem": entry.problem or None,
        "gone": entry.gone,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "campaign": event.campaign,
        "folder": event.folder,
        "since": _utc(event.at_s),
        "told": event_sentence(event),
        "worse": event.worse,
        "annotations": [_note(each) for each in event.annotations],
        "moved": [
            {
                **asdict(moved.trend.key),
                "verdict": moved.change.verdict,
                "ratio": moved.change.ratio,
                "told": change_sentence(moved),
            }
            for moved in event.moved
        ],
    }


def _series(trend: Trend) -> dict[str, Any]:
    return {
        **asdict(trend.key),
        "name": trend.metric.name,
        "unit": trend.metric.unit,
        "better": trend.metric.better,
        "note": trend.note or None,
        "points": [
            {
                "folder": point.folder, "started": _utc(point.started_s),
                "dagster": point.subject, "baseline": point.baseline or None,
                "value": point.figure.value, "rounds": point.figure.rounds,
                "sd": point.figure.sd,
            }
            for point in trend.points
        ],
        "levels": [_level(level) for level in trend.levels],
        "changes": [_change(point) for point in trend.changes],
    }  # fmt: skip


def _level(level: Level) -> dict[str, Any]:
    return {
        "first": level.first, "last": level.last, "value": level.value, "low": level.low,
        "high": level.high, "n": level.n, "outliers": list(level.outliers),
    }  # fmt: skip


def _change(point: ChangePoint) -> dict[str, Any]:
    return {
        "folder": point.folder, "since": _utc(point.at_s), "before": point.before,
        "after": point.after, "ratio": point.ratio, "p": point.p, "verdict": point.verdict,
        "annotations": [_note(each) for each in point.annotations],
    }  # fmt: skip


def _note(note: Annotation) -> dict[str, Any]:
    return {
        "folder": note.folder, "at": _utc(note.at_s), "what": note.what, "before": note.before,
        "now": note.now,
    }  # fmt: skip


def _utc(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
