"""Evidence of a known limit: figures of two steps, and cells with the readings that tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import factory

from harness.analysis.binding import BindingEvidence, evidence_at
from harness.analysis.binding.cpu_share import CpuShare
from harness.analysis.binding.look import Look
from harness.analysis.binding.looking import Figures
from harness.analysis.judging import judge_cell
from harness.analysis.model.resources import Resources
from harness.facts.model import Phase, Run, Sample
from harness.facts.table import CellFacts, SamplesTable

HOST_CPUS = 4.0
QUIET: Mapping[str, Any] = {
    "cpu_ratio": 0.3, "cpu_cores": 0.3, "throttled_ratio": 0.1, "peak_ratio": 0.4,
    "kills_counted": True, "waiting_share": 0.0, "waiting": 0.0, "full_share": 0.0,
    "workers": 6.0, "probe_s": 0.01, "front_s": 0.1, "spawn_s": 2.0, "import_s": 0.1,
    "exec_s": 8.0, "services": {"postgres": 0.2, "webserver": 0.1}, "host_cores": 1.0,
    "generator_cores": 0.05, "queued_share": 0.0, "queued": 0.0, "taken": 4.0,
    "broken": ("slowdown_p95",),
}  # fmt: skip
"""A server with room everywhere."""


def look(concurrency: int = 8, **changes: Any) -> Look:
    """A quiet step, but for these figures."""
    return Look(concurrency=concurrency, **{**QUIET, **changes})


def share(launch: float = 1.0, work: float = 0.1, *, overlap: bool = False) -> CpuShare:
    """Launching and work, CPU-seconds a run."""
    return CpuShare(launch=launch, work=work, launch_cpu_s=launch, run_cpu_s=work, overlap=overlap)


LAUNCHING = share()


def figures(
    at: Mapping[str, Any] | None = None,
    below: Mapping[str, Any] | None = None,
    *,
    whose: CpuShare | None = LAUNCHING,
    host_cpus: float | None = HOST_CPUS,
    **cell: Any,
) -> Figures:
    """A failing step at 8 over a quiet one at 6, but for these figures."""
    return Figures(
        at=look(8, **(at or {})),
        below=look(6, **(below or {})),
        share=whose,
        cell=factory.make_cell(**cell),
        host_cpus=host_cpus,
    )


def resources(launch_cpu_s: float | None = 1.0, run_cpu_s: float | None = 0.1) -> Resources:
    """A cell's costs of one run."""
    return Resources(
        base_bytes=None,
        per_run=None,
        idle_cpu_cores=0.02,
        launch_cpu_s=launch_cpu_s,
        run_cpu_s=run_cpu_s,
        completed=100,
    )


def with_readings(
    facts: CellFacts,
    device: str,
    source: str,
    *,
    step: int = -1,
    phase: str = "hold",
    **values: float,
) -> CellFacts:
    """The cell with a device that read these values ten times a second, in one phase of a step."""
    hold = facts.steps[step].phase(phase)
    assert hold is not None
    more = _readings(hold, device, source, values)
    return replace(facts, samples=SamplesTable.of([*facts.samples, *more]))


def _readings(hold: Phase, device: str, source: str, values: Mapping[str, float]) -> list[Sample]:
    times = [hold.start_s + tick / 10 for tick in range(round((hold.end_s - hold.start_s) * 10))]
    return [
        Sample(device=device, source=source, key=key, due_s=at_s, taken_s=at_s, value=value)
        for at_s in times
        for key, value in values.items()
    ]


def without(facts: CellFacts, *devices: str) -> CellFacts:
    """The cell as if these devices had not been used."""
    kept = [sample for sample in facts.samples if sample.device not in devices]
    used = tuple(name for name in facts.cell.devices if name not in devices)
    cell = replace(facts.cell, devices=used)
    return replace(facts, cell=cell, samples=SamplesTable.of(kept))


def with_runs(facts: CellFacts, change: Callable[[Run], Run], *, step: int = -1) -> CellFacts:
    """The cell with one step's runs changed."""
    index = facts.steps[step].index
    runs = [change(run) if run.step == index else run for run in facts.runs]
    return replace(facts, runs=runs)


def with_a_quick_front(facts: CellFacts) -> CellFacts:
    """The cell with 0.1 s of every launch before the server, however long the launch takes."""

    def quick(run: Run) -> Run:
        assert run.process_started_s is not None
        return replace(run, dequeued_s=run.sent_s + 0.05, accepted_s=run.process_started_s + 0.05)

    return replace(facts, runs=[quick(run) for run in facts.runs])


def evidence_of(
    facts: CellFacts,
    *,
    costs: Resources | None = None,
    host_cpus: float | None = HOST_CPUS,
    concurrency: int = 8,
) -> BindingEvidence:
    """The evidence at the failing concurrency of a cell."""
    found = evidence_at(
        judge_cell(facts),
        facts,
        concurrency=concurrency,
        resources=costs or resources(),
        host_cpus=host_cpus,
    )
    assert found is not None
    return found


def said(sentences: Sequence[str], *words: str) -> bool:
    """One sentence has all these words."""
    return any(all(word in sentence for word in words) for sentence in sentences)
