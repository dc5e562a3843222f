"""A large campaign made at once: as many steps, runs and samples as a long night leaves behind.

Memory, CPU and queues go up and down as they do in a measurement: what has no shape at all, pure
noise, would be harder to thin and to pack than anything real.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import factory
import numpy as np
import numpy.typing as npt
import polars as pl

from harness.facts.model import Event, Phase, Run, RunStatus, Step
from harness.facts.table import CellFacts, SamplesTable

Floats = npt.NDArray[np.float64]

SEED = 20260101
REPLICA = "code-server-1"
PHASES = (("ramp", 0.1), ("settle", 0.05), ("hold", 0.7), ("drain", 0.15))
GAUGES = {"usage_bytes": 5, "working_set_bytes": 5, "anon_bytes": 5, "peak_bytes": 5}
COUNTERS = {"cpu_s": 0.9, "periods": 10.0, "throttled_periods": 4.0, "throttled_s": 0.3}
OTHERS = (
    ("pool", REPLICA, ("pool_queue", "pool_busy", "pool_threads", "pool_max", "pool_late_s"), 5),
    ("processes", REPLICA, ("server_rss_bytes", "runs_rss_bytes", "steps_rss_bytes"), 1),
    ("processes", REPLICA, ("resident_runs", "steps", "server_threads"), 1),
    ("probe", REPLICA, ("probe_s",), 1),
    ("run_queue", "postgres", ("queued", "starting", "started", "pg_connections"), 1),
    ("support", "webserver", ("cpu_s", "rss_bytes"), 1),
    ("support", "postgres", ("cpu_s", "rss_bytes"), 1),
    ("host", "host", ("load1", "cpu_used_cores", "cpu_steal_ratio"), 1),
    ("observer", "observer", ("cpu_s", "rss_bytes"), 1),
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large: runs and seconds of a step, steps of a cell, cells."""

    cells: int = 10
    steps: int = 10
    runs: int = 200
    step_s: float = 120.0


LARGE = Shape()
"""100 steps, 20,000 runs, about a million samples."""


def make_campaign(shape: Shape = LARGE) -> list[CellFacts]:
    """Cells one after the other in time; the same every time it is asked for."""
    rng = np.random.default_rng(SEED)
    length_s = shape.steps * shape.step_s
    return [
        _cell(number, factory.START_S + number * (length_s + 60), shape, rng)
        for number in range(shape.cells)
    ]


def _cell(number: int, at_s: float, shape: Shape, rng: np.random.Generator) -> CellFacts:
    steps = [
        _step(index, at_s + index * shape.step_s, shape.step_s, concurrency=1 + index % 12)
        for index in range(shape.steps)
    ]
    runs = [run for step in steps for run in _runs(step, shape, rng)]
    cell = replace(
        factory.make_cell(idle_start_s=at_s, idle_end_s=at_s),
        id=f"1vcpu-2gb_io_1.13.27_w{number + 1}_r1_direct",
        devices=(*factory.ALL_DEVICES, "ping"),
    )
    end_s = steps[-1].phases[-1].end_s
    events = [Event(at_s=end_s, kind="end", source="harness", detail={"reason": "all is known"})]
    samples = SamplesTable(_samples(at_s, shape, rng))
    return CellFacts(cell=cell, steps=steps, runs=runs, samples=samples, events=events)


def _step(index: int, at_s: float, length_s: float, *, concurrency: int) -> Step:
    phases = []
    for name, share in PHASES:
        phases.append(Phase(name=name, start_s=at_s, end_s=at_s + share * length_s))
        at_s += share * length_s
    return Step(
        index=index, kind="load" if index > 1 else "unloaded", concurrency=concurrency,
        repetition=1, reason="a large campaign", phases=tuple(phases), outcome="completed",
        kernel_peak_bytes=900.0 * factory.MIB, peak_source="kernel",
    )  # fmt: skip


def _runs(step: Step, shape: Shape, rng: np.random.Generator) -> Iterator[Run]:
    """As long as Little's law wants; one in a hundred failed, one in four hundred never ended."""
    start_s, end_s = step.phases[0].start_s, step.phases[2].end_s
    length_s = step.concurrency * (end_s - start_s) / shape.runs
    sent_s = np.sort(rng.uniform(start_s, end_s, shape.runs))
    launch_s = 0.3 * length_s * rng.lognormal(0, 0.3, shape.runs)
    exec_s = 0.7 * length_s * rng.lognormal(0, 0.2, shape.runs)
    for number, sent in enumerate(sent_s.tolist()):
        status: RunStatus = "FAILURE" if number % 100 == 7 else "SUCCESS"
        started_s = sent + float(launch_s[number])
        run = Run(
            step=step.index, user=number % step.concurrency, run_id=f"{step.index}-{number}",
            intended_s=sent - 0.001, sent_s=sent, accepted_s=sent + 0.1,
            dequeued_s=sent + 0.05, process_started_s=started_s - 0.1, started_s=started_s,
            first_step_s=started_s + 0.1, ended_s=started_s + float(exec_s[number]),
            status=status, work_cpu_s=0.05,
        )  # fmt: skip
        yield run if number % 400 != 13 else replace(run, status="UNFINISHED", ended_s=None)


def _samples(at_s: float, shape: Shape, rng: np.random.Generator) -> pl.DataFrame:
    length_s = shape.steps * shape.step_s
    frames = []
    for key, rate in GAUGES.items():
        times = _times(at_s, length_s, rate, rng)
        level = 200 + 50 * (1 + (times - at_s) // shape.step_s % 12)
        values = (level + _walk(len(times), rng)) * factory.MIB
        frames.append(_frame("cgroup", REPLICA, key, times, np.round(values / 4096) * 4096))
    for key, per_s in COUNTERS.items():
        times = _times(at_s, length_s, 5, rng)
        grown = np.cumsum(np.diff(times, prepend=at_s) * per_s * rng.uniform(0.3, 1.1, len(times)))
        frames.append(_frame("cgroup", REPLICA, key, times, grown))
    for device, source, keys, rate in OTHERS:
        times = _times(at_s, length_s, rate, rng)
        for key in keys:
            frames.append(_frame(device, source, key, times, _other(key, times, rng)))
    times = _times(at_s, length_s, 0.1, rng)
    queued = rng.poisson(0.5, len(times)).astype(np.float64)
    frames.append(_frame("ping", REPLICA, "ping_queued", times, queued))
    return pl.concat(frames).sort("taken_s", maintain_order=True)


def _other(key: str, times: Floats, rng: np.random.Generator) -> Floats:
    if key.endswith("_bytes"):
        return np.round((300 + _walk(len(times), rng)) * factory.MIB / 4096) * 4096
    if key == "cpu_s":
        return (times - times[0]) * 0.2
    if key in ("probe_s", "pool_late_s"):
        return rng.lognormal(-4, 1, len(times))
    return np.floor(np.abs(_walk(len(times), rng)) / 20)


def _times(at_s: float, length_s: float, rate: float, rng: np.random.Generator) -> Floats:
    ticks = np.arange(int(length_s * rate)) / rate
    return at_s + ticks + rng.uniform(0, 0.01, len(ticks))


def _walk(size: int, rng: np.random.Generator) -> Floats:
    """Wanders, and is drawn back to 0."""
    steps: Floats = np.cumsum(rng.normal(0, 4, size))
    return 40 * np.sin(steps / 60)


def _frame(device: str, source: str, key: str, times: Floats, values: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "device": [device] * len(times), "source": [source] * len(times),
            "key": [key] * len(times), "due_s": times, "taken_s": times, "value": values,
        }
    )  # fmt: skip


def total_runs(cells: Sequence[CellFacts]) -> int:
    """Of all cells."""
    return sum(len(cell.runs) for cell in cells)
