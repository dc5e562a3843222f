"""A small campaign to listen to: every call of a listener, in an order that really occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.facts.model import Event, Phase, Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Listener, Opinion, StepOrder, Vitals

CELLS = (
    Expectation(cell_id="1vcpu-2gb_io_1.13.27_w6_r1_direct", expected_s=180, longest_s=300),
    Expectation(cell_id="1vcpu-2gb_cpu_1.13.27_w6_r1_direct", expected_s=120, longest_s=200),
)
IO = CELLS[0].cell_id
ORDER = StepOrder(kind="load", concurrency=8, repetition=1, reason="the model expects 8")
PROGRESS = Progress(phase="hold", in_flight=8, sent=20, completed=12, failed=0)
GIB = 2**30


def event(kind: str, at_s: float = 1000.0, **detail: Any) -> Event:
    return Event(at_s=at_s, kind=kind, source="code-server-1", detail=detail)


def vitals(**changes: Any) -> Vitals:
    """A server that is busy and well."""
    known: dict[str, Any] = {
        "at_s": 1010.0, "memory_bytes": 0.5 * GIB, "memory_peak_bytes": 0.75 * GIB,
        "memory_limit_bytes": 2.0 * GIB, "cpu_cores": 0.5, "cpu_limit_cores": 1.0,
        "throttled_ratio": 0.1, "run_queue": 0, "pool_queue": 0, "starting": 1,
        "ping_queued": 4, "ping_age_s": 9.0, "resident_runs": 8, "probe_s": 0.003,
    }  # fmt: skip
    return Vitals(**{**known, **changes})


def opinion(concurrency: int = 8, **changes: Any) -> Opinion:
    """A step that passed, and a threshold that is not bounded above."""
    known: dict[str, Any] = {
        "step": 1, "kind": "load", "concurrency": concurrency, "repetition": 1, "verdict": "pass",
        "broken": (), "throughput_runs_per_s": 0.41, "response_p95_s": 9.1, "launch_p95_s": 3.0,
        "slowdown_p95": 1.5, "low": concurrency, "high": None, "probability": 0.97,
    }  # fmt: skip
    return Opinion(**{**known, **changes})


FAILED = opinion(verdict="fail", broken=("launch_s_p95", "slowdown_p95"), low=4, high=7)


def step(**changes: Any) -> Step:
    known: dict[str, Any] = {
        "index": 1, "kind": "load", "concurrency": 8, "repetition": 1, "reason": "rung",
        "phases": (Phase(name="hold", start_s=0, end_s=31),), "outcome": "completed",
        "kernel_peak_bytes": 512 * 2**20,
    }  # fmt: skip
    return Step(**{**known, **changes})


def runs(*statuses: Any) -> list[Run]:
    return [
        Run(step=1, user=n, run_id=str(n), intended_s=0, sent_s=0, status=status)
        for n, status in enumerate(statuses)
    ]


def play(listener: Listener, *, name: str = "quick", cells: Sequence[Expectation] = CELLS) -> None:
    """One cell of a campaign: a warm-up, a step that is judged, and an end."""
    listener.campaign_started(name, cells)
    listener.say("Images are there")
    listener.cell_started(cells[0].cell_id, 1, len(cells))
    warm = StepOrder(kind="warmup", concurrency=1, repetition=1, reason="warm the caches")
    listener.step_started(warm, 60.0)
    listener.step_done(step(index=0, kind="warmup", concurrency=1), runs("SUCCESS"))
    listener.step_started(ORDER, 30.0)
    listener.progress(PROGRESS)
    listener.vitals(vitals(events=(event("oom_kill", count=2),), oom_kills=2))
    listener.step_done(step(), runs("SUCCESS", "SUCCESS", "LOST"))
    listener.step_judged(FAILED)
    listener.cell_done(cells[0].cell_id, "4 holds (P = 0.97), 8 does not (0.99)")
