"""One doubt about a measurement, and every code a doubt can have (docs/validity.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "warning"]
"""`fatal` voids the verdict of a step, or of the whole cell; a `warning` stays beside it."""

Code = Literal[
    "generator_busy",
    "generator_late",
    "arrivals_dropped",
    "arrival_rate_off",
    "load_not_offered",
    "support_busy",
    "support_throttled",
    "webserver_slow",
    "webserver_unreachable",
    "database_full",
    "queue_limited",
    "host_steal",
    "host_full",
    "host_slowed",
    "clock_disorder",
    "clock_unsure",
    "clock_jump",
    "phases_overlap",
    "samples_late",
    "samples_missing",
    "device_errors",
    "observer_busy",
    "littles_law",
    "drain_too_short",
    "launch_timeouts",
    "limits_unenforced",
    "effective_limits_differ",
    "overcommitted",
    "server_replaced",
    "replicas_uneven",
    "peak_sampled",
    "step_aborted",
    "no_unloaded_step",
    "work_inflated",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One doubt. `step` is the index of the step it concerns, `None` for the whole cell."""

    code: Code
    severity: Severity
    evidence: str
    remedy: str
    step: int | None = None
