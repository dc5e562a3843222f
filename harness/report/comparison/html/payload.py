"""What the charts of a comparison are drawn from: the document's own numbers, nothing else."""

from __future__ import annotations

import json
from typing import Any

from harness.analysis.comparison.types import MetricComparison, SideFigures
from harness.report.comparison.html.views import EntryView, PageView, RowView
from harness.report.comparison.words import (
    change,
    effect_phrase,
    noise_phrase,
    value,
    verdict_phrase,
)


def payload_json(page: PageView) -> str:
    """The payload as compact JSON.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    rows = [_row(view.table.name, row) for view, row in page.rows if row.drawn]
    return json.dumps({"rows": rows}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _row(place: str, row: RowView) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": f"{row.name} of {place}",
        "unit": row.row.metric.unit,
        "sides": [_side(label, side) for label, side in row.sides],
        "effects": [_effect(each.entry) for each in _measured(row)],
        "noise": next(
            (each.entry.noise.ratio for each in _measured(row) if each.entry is not None), None
        ),
    }


def _measured(row: RowView) -> list[EntryView]:
    return [each for each in row.entries if each.entry is not None]


def _side(label: str, side: SideFigures) -> dict[str, Any]:
    return {
        "label": label,
        "middle": side.middle,
        "told": value(side.middle),
        "values": [
            {"cell": each.cell, "round": each.round, "value": each.value, "why": each.why}
            for each in side.values
        ],
    }


def _effect(entry: MetricComparison | None) -> dict[str, Any]:
    """Of the contender in the same place among the sides, after the baseline."""
    assert entry is not None  # only what was measured is asked for
    return {
        "ratio": entry.effect.ratio,
        "low": entry.effect.low,
        "high": entry.effect.high,
        "verdict": entry.verdict,
        "told": f"{effect_phrase(entry.effect)}: {verdict_phrase(entry)}",
        "change": change(entry.effect.ratio),
        "noise": noise_phrase(entry.noise),
    }
