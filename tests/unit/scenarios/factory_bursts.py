"""Findings of cells and of bursts, with only what a test speaks of; the rest is empty."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.analysis.advice.recommendation import Recommendation
from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import (
    CellFinding,
    Findings,
    ProfileFinding,
    SpreadFinding,
    StepFinding,
)
from harness.campaign.plan import Campaign, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE

T = TypeVar("T")

SIMPLE: dict[Any, Any] = {int: 0, float: 0.0, str: "", bool: False}
CELL_ID = "1vcpu-2gb_io_1.13.27_w6_r1_direct"


def filled(record: type[T], /, **given: Any) -> T:
    """A record with these fields; all others known to be nothing."""
    hints = get_type_hints(record)
    rest = {
        field.name: empty(hints[field.name])
        for field in fields(record)  # type: ignore[arg-type]
        if field.name not in given and field.default is MISSING and field.default_factory is MISSING
    }
    return record(**rest, **given)


def empty(hint: Any) -> Any:
    """Nothing of that type: `None` where it may be, else zero, no text, an empty record."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if type(None) in choices else empty(choices[0])
    if origin is Literal:
        return choices[0]
    if origin is not None:
        return origin()
    return filled(hint) if is_dataclass(hint) else SIMPLE[hint]


def campaign_of(**changes: Any) -> Campaign:
    """Two workloads on one size, fed directly."""
    given: dict[str, Any] = {
        "name": "quick",
        "profiles": (FARGATE["1vcpu-2gb"],),
        "workloads": (
            Workload(name="io", params={"requests": 8}, concurrencies=(1, 2, 4)),
            Workload(name="cpu", params={"work_units": 20}),
        ),
        "step": StepTimes(ramp_s=6, settle_s=2, hold_s=20, drain_s=60),
        "slos": Slos(memory_headroom=0.8),
    }
    return Campaign(**{**given, **changes})


def cell_of(**changes: Any) -> CellFinding:
    """The io cell of `campaign_of`: 6 runs held, each within 12 s; 5 workers are recommended."""
    held = filled(
        StepFinding,
        kind="load",
        verdict="pass",
        concurrency=6,
        response_s=filled(SpreadFinding, p50=9.0, p95=12.0),
    )
    given: dict[str, Any] = {
        "id": CELL_ID,
        "profile": ProfileFinding(name="1vcpu-2gb", vcpu=1.0, memory_mib=2048.0),
        "workload": "io",
        "dagster": "1.13.27",
        "max_workers": 6,
        "replicas": 1,
        "feed": "direct",
        "target": "compose",
        "capacity": filled(Capacity, concurrency=6, status="bracketed"),
        "steps": (held,),
        "recommendation": settings_of(),
    }
    return filled(CellFinding, **{**given, **changes})


def settings_of(**changes: Any) -> Recommendation:
    """5 workers, 6 runs, one server."""
    given = {"max_workers": 5, "max_concurrent_runs": 6, "replicas": 1, "why": ("6 held.",)}
    return Recommendation(**{**given, **changes})


def burst_step(**changes: Any) -> StepFinding:
    """18 runs at once of which all ended well, 12 of them having waited."""
    given = {
        "kind": "load",
        "verdict": "pass",
        "concurrency": 18,
        "completed": 18,
        "run_queue_max": 12.0,
    }
    return filled(StepFinding, **{**given, **changes})


def findings_of_bursts(campaign: Campaign, *steps: StepFinding | None) -> Findings:
    """One burst a cell of the campaign, after an unloaded step; `None` leaves the burst out."""
    cells = []
    for plan, burst in zip(campaign.cells(), steps, strict=True):
        alone = filled(StepFinding, kind="unloaded", concurrency=1, completed=2, verdict="pass")
        own = (alone, burst) if burst else (alone,)
        cells.append(cell_of(id=plan.id, steps=own, max_workers=plan.max_workers))
    return filled(Findings, schema=1, campaign=campaign.model_dump(mode="json"), cells=tuple(cells))
