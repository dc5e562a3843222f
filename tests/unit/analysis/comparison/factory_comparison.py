"""Campaigns as findings, cell by cell: what is true of them is said by whoever makes them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from harness.analysis.advice.recommendation import Recommendation
from harness.analysis.capacity import Capacity
from harness.analysis.comparison.effect import contrast_of
from harness.analysis.comparison.figures import Figures
from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.noise import Reading, scatter_of
from harness.analysis.comparison.types import Metric, SideFigures
from harness.analysis.findings.types import (
    CellFinding,
    CpuFinding,
    Findings,
    JudgingFinding,
    MemoryFinding,
    ProbeFinding,
    ProfileFinding,
    SearchFinding,
    SloFinding,
    SpreadFinding,
    StepFinding,
)
from harness.analysis.measures.steps import LaunchPhases
from harness.analysis.model.knee import Knee
from harness.analysis.model.usl import Usl

OLD, NEW = "1.12.22", "1.13.28"

OF_A_CELL = {
    "launch_cpu_s": 1.5, "base_mib": 103.0, "per_run_mib": 60.0, "peak_per_run_mib": 120.0,
    "idle_cores": 0.006,
}  # fmt: skip
OF_A_STEP = {
    "launch_s": 1.2, "throughput_runs_per_s": 0.4, "run_rss_mib": 150.0, "accept_s": 1.1,
    "launch_work": 70.0, "spawn_s": 1.0, "import_s": 0.05, "first_step_s": 0.1, "response_s": 5.4,
    "cpu_s_per_run": 1.7, "probe_s": 0.003,
}  # fmt: skip
USUAL: dict[str, float | None] = {**OF_A_CELL, **OF_A_STEP, "queue_s": None}
"""What a cell shows unless it is said otherwise: about what a small server really shows."""

RUNS = 13


def make_step(concurrency: int = 1, **truth: Any) -> StepFinding:
    """One judged step. Figures of `OF_A_STEP` by their metric's key; other fields by their name."""
    figures = {**USUAL, **{key: truth.pop(key) for key in [*USUAL] if key in truth}}
    runs = truth.pop("runs", RUNS)
    lost = truth.pop("probes_lost", 0)

    def spread(key: str) -> SpreadFinding:
        return SpreadFinding(p50=figures[key], p95=figures[key], n=runs, enough=False, note="")

    step = StepFinding(
        index=concurrency, kind="unloaded" if concurrency == 1 else "load",
        concurrency=concurrency, repetition=1, verdict="pass", broken=(), outcome="completed",
        outcome_detail="", reason="", load_model="closed", rate_per_s=None, dropped_arrivals=0,
        steady=None, hold_s=24.0, completed=runs, failed=0, lost=0, unfinished=0,
        throughput_runs_per_s=figures["throughput_runs_per_s"], mean_in_flight=1.0,
        response_s=spread("response_s"), launch_s=spread("launch_s"), exec_s=spread("response_s"),
        phases=LaunchPhases(
            accept_s=figures["accept_s"], queue_s=figures["queue_s"], spawn_s=figures["spawn_s"],
            import_s=figures["import_s"], first_step_s=figures["first_step_s"],
        ),
        slowdown_p95=1.0, memory_peak_mib=300.0, memory_peak_ratio=0.2, peak_source="kernel",
        cpu_cores=0.5, cpu_ratio=0.5, throttled_ratio=0.1, cpu_s_per_run=figures["cpu_s_per_run"],
        pool_queue_median=0.0, pool_queue_max=1.0, run_queue_max=0.0,
        probe_s=ProbeFinding(p50=figures["probe_s"], p99=0.1, n=24, lost=lost, enough=False),
        oom_kills=0, restarts=0, support_cpu_cores={}, generator_cpu_cores=0.1,
        observer_cpu_cores=0.1, slo={}, run_rss_mib=figures["run_rss_mib"],
        launch_work=figures["launch_work"],
    )  # fmt: skip
    return replace(step, **truth)


def make_slo(margin: float | None, *, ok: bool | None = None) -> SloFinding:
    """An objective by its margin; `ok` follows from it unless it is given."""
    held = margin <= 0 if ok is None and margin is not None else ok
    return SloFinding(observed=1.0, limit=1.0, ok=held, n=RUNS, note="", margin=margin)


def make_cell(dagster: str = OLD, steps: Sequence[StepFinding] = (), **truth: Any) -> CellFinding:
    """One cell. Figures of `OF_A_CELL` by their metric's key; other fields by their name."""
    figures = {**USUAL, **{key: truth.pop(key) for key in [*USUAL] if key in truth}}
    workload, repetition = truth.pop("workload", "io"), truth.pop("repetition", None)
    cell = CellFinding(
        id=f"1vcpu-2gb_{workload}_{dagster}_n{repetition}",
        profile=ProfileFinding(name="1vcpu-2gb", vcpu=1.0, memory_mib=2048.0),
        workload=workload, run_s=4.0, unloaded_response_s={}, dagster=dagster, max_workers=6,
        replicas=1, feed="direct", target="compose", limits_enforced=True,
        max_concurrent_runs=None,
        search=SearchFinding(strategy="adaptive", confidence=0.8, steps=3, ended=""),
        capacity=make_capacity(), binding=None,
        knee=Knee(
            runs=None, low=None, high=None, max_throughput_per_s=None, status="unknown", n=0,
            reason="",
        ),
        throughput_runs_per_s=None,
        memory=MemoryFinding(
            base_mib=figures["base_mib"], per_run_mib=figures["per_run_mib"], per_run_mib_ci=None,
            method=None, points=0, peak_base_mib=None,
            peak_per_run_mib=figures["peak_per_run_mib"], peak_per_run_mib_ci=None,
        ),
        cpu=CpuFinding(
            launch_cpu_s=figures["launch_cpu_s"], launch_cpu_s_ci=None, run_cpu_s=None,
            run_cpu_s_ci=None, idle_cores=figures["idle_cores"], n=RUNS,
        ),
        model=None, predicted=None, usl=Usl(points=0, reason=""), blasts=(), steps=tuple(steps),
        recommendation=Recommendation(
            max_workers=6, max_concurrent_runs=None, replicas=1, why=(), headroom=None, paste=(),
        ),
        defaults=(), repetition=repetition, software={"dagster": dagster, "lock": f"l-{dagster}"},
    )  # fmt: skip
    return replace(cell, **truth)


def make_capacity(**changes: Any) -> Capacity:
    """A capacity of 4, bracketed."""
    capacity = Capacity(
        concurrency=4, low=4, high=5, first_failing=7, status="bracketed", confidence=0.8
    )
    return replace(capacity, **changes)


def make_findings(cells: Sequence[CellFinding], **campaign: Any) -> Findings:
    """A campaign on a host with two CPUs; `campaign` changes its plan."""
    workloads = [{"name": name, "params": {"wait_s": 1.0}} for name in ("io", "cpu")]
    plan = {
        "name": "compare",
        "dagster": list(dict.fromkeys(cell.dagster for cell in cells)),
        "workloads": workloads,
        "slos": {"launch_s_p95": 10.0, "slowdown_p95": 2.0},
        "step": {"hold_s": 24.0},
        **campaign,
    }
    return Findings(
        schema=2,
        method=2,
        campaign=plan,
        environment={
            "host": {"cpus": 2, "cpu_model": "EPYC", "machine": "x86_64", "kernel": "6.1"},
            "harness": {"version": "0.1.0", "commit": "abc"},
            "python": "3.11.7",
        },
        judging=JudgingFinding(slos=None, warmup="auto"),
        validity=(),
        cells=tuple(cells),
        workers=(),
    )


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of a simulated campaign.

    `noise`: standard deviation of ln(value) between equal cells, all metrics; `uneven`: the same
    of its logarithm from one metric, kind and load to the next. `shared`: the part of the noise's
    variance that all figures of a cell have in common. `effects`: for each version and metric the
    ratio to the first version. `drift`: growth of ln(value) from one cell to the next. `holds`:
    where the limit lies, by version. `hold_s`: so long that whole runs do not show, or shorter.
    """

    versions: tuple[str, ...] = (OLD, NEW)
    workloads: tuple[str, ...] = ("io", "cpu")
    rounds: int = 4
    loads: tuple[int, ...] = (1, 3, 5)
    noise: float = 0.03
    uneven: float = 0.0
    shared: float = 0.0
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    drift: float = 0.0
    holds: Mapping[str, float] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    hold_s: float = 240.0


def simulate(truth: Truth, seed: int) -> Findings:
    """A campaign in rounds, every second one backwards (ABBA)."""
    rng = np.random.default_rng(seed)
    spread = {
        place: truth.noise * math.exp(truth.uneven * rng.standard_normal())
        for place in product(truth.workloads, USUAL, (0, *truth.loads))
    }
    cells = []
    for order, (number, workload, version) in enumerate(_order(truth)):
        common = rng.standard_normal()

        def figures(load: int, keys: Mapping[str, float]) -> dict[str, float]:
            return {
                key: usual * math.exp(
                    _shift(truth, version, key) + truth.drift * order  # noqa: B023
                    + spread[workload, key, load] * (  # noqa: B023
                        math.sqrt(truth.shared) * common  # noqa: B023
                        + math.sqrt(1 - truth.shared) * rng.standard_normal()
                    )
                )
                for key, usual in keys.items()
            }  # fmt: skip

        limit = truth.holds.get(version, 4.5)
        steps = [
            _with_slowdown(
                make_step(load, hold_s=truth.hold_s, **figures(load, OF_A_STEP)),
                math.log(load / limit) + truth.noise * rng.standard_normal(),
            )
            for load in truth.loads
        ]
        cells.append(
            make_cell(version, steps, workload=workload, repetition=number, **figures(0, OF_A_CELL))
        )
    return make_findings(cells, dagster=list(truth.versions), builds=dict(truth.builds))


def _order(truth: Truth) -> Iterator[tuple[int, str, str]]:
    for number in range(1, truth.rounds + 1):
        versions = truth.versions if number % 2 else truth.versions[::-1]
        yield from product((number,), truth.workloads, versions)


def _shift(truth: Truth, version: str, key: str) -> float:
    return math.log(truth.effects.get(version, {}).get(key, 1.0))


def _with_slowdown(step: StepFinding, margin: float) -> StepFinding:
    broken = margin > 0
    return replace(
        step,
        verdict="fail" if broken else "pass",
        broken=("slowdown_p95",) if broken else (),
        slo={"slowdown_p95": make_slo(margin), "no_oom": make_slo(None, ok=True)},
    )


def simulate_figures(truth: Truth, seed: int) -> list[Figures]:
    """What a comparison of the first and the last version is made of, without the cells.

    As `simulate`, a hundred times faster.
    """
    rng = np.random.default_rng(seed)
    versions, rounds = truth.versions, range(1, truth.rounds + 1)
    shape = (len(versions), truth.rounds)
    found = []
    for _ in truth.workloads:
        common = rng.standard_normal(shape)
        for metric in (each for each in METRICS if USUAL[each.key] is not None):
            loads: Sequence[int | None] = truth.loads if metric.at_load else (None,)
            for at in loads:
                spread = truth.noise * math.exp(truth.uneven * rng.standard_normal())
                own = rng.standard_normal(shape)
                logs = spread * (
                    math.sqrt(truth.shared) * common + math.sqrt(1 - truth.shared) * own
                )
                shifts = [_shift(truth, version, metric.key) for version in versions]
                logs += np.array(shifts)[:, None]
                readings = [
                    [Reading(version=version, round=n, log=float(logs[v, n - 1])) for n in rounds]
                    for v, version in enumerate(versions)
                ]
                found.append(make_figures(metric, at, readings))
    return found


def make_figures(metric: Metric, at: int | None, readings: Sequence[Sequence[Reading]]) -> Figures:
    """Readings of each version; the first is the baseline, the last the contender."""
    return Figures(
        metric=metric,
        at=at,
        baseline=_side(readings[0]),
        contender=_side(readings[-1]),
        contrast=contrast_of(readings[0], readings[-1], in_rounds=True),
        scatter=scatter_of([each for own in readings for each in own]),
    )


def _side(readings: Sequence[Reading]) -> SideFigures:
    return SideFigures(
        values=(), middle=math.exp(float(np.mean([e.log for e in readings]))), n=len(readings)
    )
