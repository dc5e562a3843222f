"""What the charts of a page are drawn from: findings and pictures as columns of plain values.

Nothing is calculated here. Every number is the one `findings.json` and the picture have. Only the
times of a picture are written otherwise, so that a page can carry them: in hundredths of a second,
which is all a picture has, and each as what it adds to the one before (keys end in `_cs`). The
script turns them back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.analysis.picture.types import CellPicture, Group, Lanes, Line, Mark, Span

STEP_COLUMNS = (
    "index", "kind", "concurrency", "repetition", "verdict", "broken", "outcome", "load_model",
    "completed", "failed", "lost", "unfinished", "throughput_runs_per_s", "slowdown_p95",
    "oom_kills", "restarts",
)  # fmt: skip
SPREAD_COLUMNS = ("p50", "p95", "n", "enough")
PHASE_COLUMNS = ("accept_s", "queue_s", "spawn_s", "import_s", "first_step_s")
GROUPS = ("memory", "cpu", "throttling", "queues", "probe", "processes")
CURVE_COLUMNS = (
    "concurrency", "response_p95_s", "launch_p95_s", "throughput_runs_per_s", "response_limit_s",
)  # fmt: skip
LANE_COLUMNS = ("lane", "status", "job")
LANE_TIMES = ("intended", "sent", "process_started", "started", "ended")

Columns = dict[str, Any]


def payload_json(findings: Findings, pictures: Sequence[CellPicture]) -> str:
    """The payload as compact JSON.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(
        payload(findings, pictures), separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def payload(findings: Findings, pictures: Sequence[CellPicture]) -> Columns:
    """Cells in the order of the findings; `picture` is `None` where a cell has none."""
    drawn = {picture.cell: picture for picture in pictures}
    return {"cells": [_cell(cell, drawn.get(cell.id)) for cell in findings.cells]}


def _cell(cell: CellFinding, picture: CellPicture | None) -> Columns:
    capacity, knee = cell.capacity, cell.knee
    return {
        "id": cell.id,
        "feed": cell.feed,
        "capacity": _picked(capacity, ("status", "concurrency", "low", "high", "first_failing")),
        "knee": _picked(knee, ("status", "runs", "low", "high")),
        "unloaded_response_s": cell.unloaded_response_s,
        "limits": _limits(cell.steps),
        "steps": _steps(cell.steps),
        "picture": None if picture is None else _picture(picture),
    }


def _limits(steps: Iterable[StepFinding]) -> dict[str, float]:
    """The objectives' limits; a cell is judged by one set of them."""
    return {name: slo.limit for step in steps for name, slo in step.slo.items()}


def _steps(steps: Sequence[StepFinding]) -> Columns:
    columns = _columns(steps, STEP_COLUMNS)
    columns["response_s"] = _columns([step.response_s for step in steps], SPREAD_COLUMNS)
    columns["launch_s"] = _columns([step.launch_s for step in steps], SPREAD_COLUMNS)
    columns["phases"] = _columns([step.phases for step in steps], PHASE_COLUMNS)
    return columns


def _picture(picture: CellPicture) -> Columns:
    groups = {name: _group(getattr(picture, name)) for name in GROUPS}
    return {
        "end_s": picture.end_s,
        "spans": [_span(span) for span in picture.spans],
        "marks": [_mark(mark) for mark in picture.marks],
        **groups,
        "runs": [_lanes(lanes) for lanes in picture.runs],
        "curve": _picked(picture.curve, CURVE_COLUMNS),
    }


def _group(group: Group) -> Columns:
    return {
        "lines": [_line(line) for line in group.lines],
        **_picked(group, ("limit", "limit_name", "missing")),
    }


def _line(line: Line) -> Columns:
    names = ("name", "source", "unit", "metric", "values", "peak")
    return {**_picked(line, names), "times_cs": packed(line.times_s)}


def packed(times_s: Iterable[float | None]) -> list[int | None]:
    """Times as hundredths of a second, each without the one before it; `None` stays."""
    steps: list[int | None] = []
    before = 0
    for time_s in times_s:
        if time_s is None:
            steps.append(None)
        else:
            now = round(time_s * 100)
            steps.append(now - before)
            before = now
    return steps


def _span(span: Span) -> Columns:
    names = ("index", "kind", "concurrency", "repetition", "outcome", "start_s", "end_s")
    return {**_picked(span, names), "phases": span.phases, "judged_s": span.judged_s}


def _mark(mark: Mark) -> Columns:
    return _picked(mark, ("at_s", "kind", "source", "text"))


def _lanes(lanes: Lanes) -> Columns:
    times = {f"{name}_cs": packed(getattr(lanes, f"{name}_s")) for name in LANE_TIMES}
    names = ("step", "concurrency", "repetition", "omitted", *LANE_COLUMNS)
    return {**_picked(lanes, names), **times}


def _picked(record: object, names: Iterable[str]) -> Columns:
    return {name: getattr(record, name) for name in names}


def _columns(records: Sequence[object], names: Iterable[str]) -> Columns:
    return {name: [getattr(record, name) for record in records] for name in names}
