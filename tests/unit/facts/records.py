"""One small record of each kind."""

from __future__ import annotations

from harness.facts.model import Cell, Event, Limits, Phase, Run, Sample, Step

CELL = Cell(
    id="small_io",
    profile="small",
    vcpu=0.5,
    memory_bytes=512 << 20,
    workload="io",
    params={"seconds": 3, "nested": {"list": [1, "a", None, True]}},
    dagster="1.13.27",
    max_workers=6,
    replicas=1,
    feed="direct",
    target="process",
    requested_limits=Limits(cpu_cores=0.5, memory_bytes=512 << 20),
    effective_limits=None,
    limits_enforced=False,
    overcommitted=False,
    devices=("cgroup", "pool"),
    slos={"failed_runs": 0.01},
    detail={"image": "sha256:0", "versions": {"grpcio": "1.60"}},
)


def a_step(index: int) -> Step:
    return Step(
        index=index,
        kind="load",
        concurrency=index + 1,
        repetition=0,
        reason="next on the ladder",
        phases=(Phase(name="ramp", start_s=0, end_s=1), Phase(name="hold", start_s=1, end_s=9)),
        outcome="completed",
    )


def runs_of(step: int) -> list[Run]:
    return [
        Run(step=step, user=user, run_id=f"{step}-{user}", intended_s=step, sent_s=step + 0.1)
        for user in range(3)
    ]


def samples_at(*moments: float) -> list[Sample]:
    return [
        Sample(device="cgroup", source="r0", key="usage", due_s=at, taken_s=at, value=at * 10)
        for at in moments
    ]


def an_event(at_s: float) -> Event:
    return Event(at_s=at_s, kind="remark", source="conductor", detail={"why": ["x"]})
