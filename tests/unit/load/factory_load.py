"""Orders for the tests of the load generator."""

from __future__ import annotations

from typing import Any

from harness.rig.orders import JobOrder, LoadOrder


def jobs(**shares: float) -> tuple[JobOrder, ...]:
    """Jobs by name, each with its share and no run config."""
    return tuple(JobOrder(job=name, share=share, run_config={}) for name, share in shares.items())


def order(**changes: Any) -> LoadOrder:
    """A closed step of 4 runs: ramp 8 s, settle 4 s, hold 24 s."""
    fields: dict[str, Any] = {
        "step": 2,
        "webserver_url": "http://127.0.0.1:3000",
        "location": "under-test",
        "jobs": (JobOrder(job="load", share=1, run_config={"wait_s": 1.5}),),
        "tags": {"a": "b"},
        "concurrency": 4,
        "ramp_s": 8.0,
        "settle_s": 4.0,
        "hold_s": 24.0,
        "drain_s": 60.0,
        "burst": False,
    }
    return LoadOrder(**{**fields, **changes})
