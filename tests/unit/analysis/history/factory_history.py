"""Entries and series made of a few numbers."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from harness.analysis.history.outline import Outline
from harness.analysis.history.types import Entry, Figure

START = datetime(2026, 1, 1, 2, tzinfo=UTC)
OUTLINES = TypeAdapter(Outline)
STEP: dict[str, Any] = {
    "kind": "load", "concurrency": 1, "verdict": "pass", "load_model": "closed", "hold_s": 24.0,
    "completed": 10, "throughput_runs_per_s": 0.5, "response_s": {"p50": 8.0, "n": 10},
    "launch_s": {"p50": 4.0, "n": 10}, "phases": {"accept_s": 1.0, "queue_s": None, "spawn_s": 1.0,
    "import_s": 0.5, "first_step_s": 0.5}, "cpu_s_per_run": 2.0,
    "probe_s": {"p50": 0.01, "n": 20, "lost": 0}, "run_rss_mib": 120.0,
}  # fmt: skip
CELL: dict[str, Any] = {
    "profile": {"vcpu": 1.0, "memory_mib": 2048.0}, "workload": "io", "dagster": "1.13.27",
    "max_workers": 6, "replicas": 1, "feed": "direct", "target": "compose",
    "limits_enforced": True, "max_concurrent_runs": None,
    "capacity": {"concurrency": 4, "status": "bracketed"},
    "memory": {"base_mib": 100.0, "per_run_mib": 66.0, "peak_per_run_mib": 110.0},
    "cpu": {"launch_cpu_s": 2.0, "idle_cores": 0.01}, "steps": [STEP],
}  # fmt: skip
CAMPAIGN: dict[str, Any] = {
    "name": "nightly", "dagster": ["1.13.27"], "load": {"model": "closed"},
    "workloads": [{"name": "io", "params": {"requests": 4}, "executor": "in_process", "steps": 1,
                   "module": None, "mix": [], "environment": {}, "sensors": None}],
}  # fmt: skip
ENVIRONMENT: dict[str, Any] = {
    "harness": {"version": "0.1.0", "commit": "0123456789ab"},
    "host": {"cpus": 2, "cpu_model": "AMD EPYC", "machine": "x86_64"},
}


def step(concurrency: int, **changes: Any) -> dict[str, Any]:
    """A step that says so."""
    return {**copy.deepcopy(STEP), "concurrency": concurrency, **changes}


def cell(launch_cpu_s: float | None = 2.0, **changes: Any) -> dict[str, Any]:
    """A cell with this launch CPU."""
    made = {**copy.deepcopy(CELL), **changes}
    made["cpu"]["launch_cpu_s"] = launch_cpu_s
    return made


def outline(cells: Sequence[dict[str, Any]], **campaign: Any) -> Outline:
    """Findings of a campaign with these cells."""
    document = {
        "schema": 2, "method": 2, "campaign": {**CAMPAIGN, **campaign},
        "environment": ENVIRONMENT, "cells": list(cells),
    }  # fmt: skip
    return OUTLINES.validate_python(document)


def entry(night: int, value: float | None = 2.0, **changes: Any) -> Entry:
    """The campaign of one night, with one figure; `None` has none."""
    at = START + timedelta(days=night)
    key = changes.pop("key", "launch_cpu_s")
    figure = Figure(
        kind=changes.pop("kind", "io"), key=key, role=changes.pop("role", "subject"),
        form=changes.pop("form", "value"), value=value or 0.0, rounds=4,
    )  # fmt: skip
    fields: dict[str, Any] = {
        "folder": f"{at:%Y%m%dT%H%M%SZ}-nightly", "stamp": "1-1", "campaign": "nightly",
        "started_s": at.timestamp(), "subject": "1.13.27", "baseline": "", "host": "2 CPUs",
        "harness": "0.1.0", "method": 2, "figures": () if value is None else (figure,),
    }  # fmt: skip
    return Entry(**{**fields, **changes})


def nights(logs: Sequence[float], **changes: Any) -> list[Entry]:
    """One entry a night; values are e to these powers."""
    return [entry(night, math.exp(log), **changes) for night, log in enumerate(logs)]
