"""Models, steps and closed systems of chosen truth, for the tests of prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.analysis.capacity import Capacity
from harness.analysis.measures.percentiles import Quantile
from harness.analysis.measures.steps import (
    Counts,
    LaunchPhases,
    Probes,
    Queues,
    ServerUse,
    Spread,
    StepSummary,
    Times,
)
from harness.analysis.model.cell_model import CellModel, Figure, Kind
from harness.facts.model import Phase, Step, StepKind

MIB = 1024 * 1024
KIND = Kind(
    workload="io", params="", dagster="1.13.27", executor="in_process", feed="direct",
    target="compose",
)  # fmt: skip


def exact(value: float, n: int = 5) -> Figure:
    """Known to the last digit."""
    return Figure(value=value, low=value, high=value, n=n)


def make_model(**changes: Any) -> CellModel:
    """2 CPU-s to launch, nothing for its work, 8 s of waiting, 100 MiB; all known exactly."""
    model = CellModel(
        kind=KIND,
        profiles=("1vcpu-2gb",),
        vcpu=1.0,
        base_bytes=exact(100 * MIB),
        bytes_per_run=exact(100 * MIB),
        launch_cpu_s=exact(2.0),
        run_cpu_s=exact(0.0),
        idle_cores=0.0,
        z_s=exact(8.0),
        launch_wait_s=0.0,
        launch_before_s=2.0,
        hold_share=exact(0.9),
        tail_response=exact(1.0),
        tail_launch=exact(1.0),
    )
    return replace(model, **changes)


def quantile(value: float) -> Quantile:
    """Of enough values."""
    return Quantile(value=value, n=40, enough=True)


def make_summary(
    concurrency: int,
    *,
    kind: StepKind = "load",
    response_s: tuple[float, float] = (10.0, 10.0),
    launch_s: tuple[float, float] = (2.0, 2.0),
    **changes: Any,
) -> StepSummary:
    """One step with these medians and 95th percentiles."""
    phases = (Phase(name="hold", start_s=0.0, end_s=100.0),)
    step = Step(
        index=concurrency, kind=kind, concurrency=concurrency, repetition=1, reason="",
        phases=phases, outcome="completed",
    )  # fmt: skip
    times = Times(
        response_s=Spread(p50=quantile(response_s[0]), p95=quantile(response_s[1])),
        launch_s=Spread(p50=quantile(launch_s[0]), p95=quantile(launch_s[1])),
        exec_s=Spread(),
        slowdown_p95=None,
        phases=LaunchPhases(
            accept_s=None, queue_s=None, spawn_s=0.9 * launch_s[0], import_s=None, first_step_s=None
        ),
        send_lag_p95_s=None,
    )
    fields: dict[str, Any] = {
        "step": step,
        "hold": phases[0],
        "counts": Counts(completed=40, failed=0, lost=0, unfinished=0),
        "throughput_runs_per_s": concurrency / response_s[0],
        "mean_in_flight": float(concurrency),
        "times": times,
        "server": ServerUse(),
        "queues": Queues(),
        "probes": Probes(),
        "support_cpu_cores": {},
        "host_cpu_cores": None,
    }
    return StepSummary(**{**fields, **changes})


def found(concurrency: int, **changes: Any) -> Capacity:
    """A bracketed capacity without a gap."""
    fields: dict[str, Any] = {
        "concurrency": concurrency, "low": concurrency, "high": concurrency,
        "first_failing": concurrency + 1, "status": "bracketed",
    }  # fmt: skip
    return Capacity(**{**fields, **changes})


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A closed system to be played through; demand and wait vary uniformly by ± `spread`."""

    demand_s: float = 2.0
    think_s: float = 8.0
    cores: float = 1.0
    spread: float = 0.5


def responses(truth: Truth, runs: int, *, ends: int = 1500, seed: int = 1) -> list[float]:
    """Response times of so many runs, event by event: an equal share of the cores for each."""
    rng = np.random.default_rng(seed)

    def around(mean_s: float) -> float:
        return float(mean_s * rng.uniform(1 - truth.spread, 1 + truth.spread))

    waiting = {user: around(truth.think_s) * rng.random() for user in range(runs)}
    working: dict[int, float] = {}
    since = dict.fromkeys(range(runs), 0.0)
    now_s = 0.0
    seen: list[float] = []
    while len(seen) < ends:
        speed = min(1.0, truth.cores / len(working)) if working else 1.0
        first_wait = min(waiting.values(), default=np.inf)
        first_work = now_s + min(working.values(), default=np.inf) / speed
        at_s = min(first_wait, first_work)
        working = {user: left - (at_s - now_s) * speed for user, left in working.items()}
        now_s = at_s
        for user in [user for user, due_s in waiting.items() if due_s <= now_s]:
            del waiting[user]
            working[user] = around(truth.demand_s)
        for user in [user for user, left in working.items() if left <= 1e-9]:
            del working[user]
            seen.append(now_s - since[user])
            since[user] = now_s
            waiting[user] = now_s + around(truth.think_s)
    return seen[ends // 10 :]
