"""From judged steps to the figures that decide: everything is read here, nothing is weighed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.analysis.binding.cpu_share import CpuShare, share_of
from harness.analysis.binding.evidence import BindingEvidence
from harness.analysis.binding.look import IDLE, Look, merged
from harness.analysis.judging import JudgedStep
from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import Samples, gauges, runs_of_step, whole_of
from harness.facts.model import Cell, Event, Phase, Run, Step

OOM_ERROR_CLASS = "oom_sigkill"
THREADS = ("launching", "sensor", "database", "other", IDLE)
"""What a worker thread does, by its stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the limits are weighed by: the failing step, the one below it, the cell.

    `below` is `None` where nothing was run below. `share`: whose CPU it is, `None` where unknown.
    """

    at: Look
    below: Look | None
    share: CpuShare | None
    cell: Cell
    host_cpus: float | None

    @property
    def queued_feed(self) -> bool:
        """Runs go through Dagster's queue."""
        return self.cell.feed == "queued"


def figures_of(evidence: BindingEvidence) -> Figures:
    """Everything that is known, read once."""
    below = evidence.below
    return Figures(
        at=merged([look_at(step, evidence) for step in evidence.failing]),
        below=look_at(below, evidence) if below else None,
        share=share_of(evidence),
        cell=evidence.cell,
        host_cpus=evidence.host_cpus,
    )


def look_at(step: JudgedStep, evidence: BindingEvidence) -> Look:
    """The figures of one step."""
    summary = step.summary
    server, times, probes = summary.server, summary.times, summary.probes
    runs = runs_of_step(evidence.runs, summary.step, summary.hold)
    deaths = _deaths(summary.step, evidence.events)
    oom_deaths = sum(bool(death.detail.get("oom")) for death in deaths)
    look = Look(
        concurrency=summary.concurrency,
        held=summary.hold is not None,
        broken=step.broken,
        cpu_ratio=server.cpu_ratio,
        cpu_cores=server.cpu_cores,
        throttled_ratio=server.throttled_ratio,
        peak_ratio=server.memory_peak_ratio,
        oom_kills=max(server.oom_kills, oom_deaths),
        oom_deaths=oom_deaths,
        deaths=server.restarts,
        kills_counted=bool(evidence.samples.sources("cgroup", "oom_kills")),
        witnesses=tuple(word for e in deaths for word in e.detail.get("witnesses", ())),
        sigkilled=sum(run.error_class == OOM_ERROR_CLASS for run in runs),
        failures=_failures(runs),
        probe_s=probes.p50.finite if probes.p50 else None,
        probes_lost=probes.lost,
        front_s=_front_s(runs, evidence.cell.feed),
        spawn_s=times.phases.spawn_s,
        import_s=times.phases.import_s,
        exec_s=times.exec_s.p50.finite if times.exec_s.p50 else None,
        services=dict(summary.support_cpu_cores),
        host_cores=summary.host_cpu_cores,
        generator_cores=summary.step.generator_cpu_cores,
        doubts=tuple((issue.code, issue.evidence) for issue in step.issues),
    )
    window = summary.hold or whole_of(summary.step)
    return _with_queues(look, evidence, window) if window else look


def _with_queues(look: Look, evidence: BindingEvidence, window: Phase) -> Look:
    samples = evidence.samples
    waiting = gauges(samples, "pool", "pool_queue", window=window)
    busy = gauges(samples, "pool", "pool_busy", window=window)
    most = gauges(samples, "pool", "pool_max", window=window)
    workers = max((float(values.max()) for values in most.values()), default=None)
    size = workers or evidence.cell.max_workers
    queued = gauges(samples, "run_queue", "queued", window=window)
    return replace(
        look,
        waiting_share=max((_share(values > 0) for values in waiting.values()), default=None),
        waiting=max((float(np.median(values)) for values in waiting.values()), default=None),
        full_share=max((_share(values >= size) for values in busy.values()), default=None),
        workers=size,
        threads=_threads(samples, window),
        queued_share=max((_share(values > 0) for values in queued.values()), default=None),
        queued=max((float(np.median(values)) for values in queued.values()), default=None),
        taken=_taken(samples, window),
    )


def _share(marks: NDArray[np.bool_]) -> float:
    return float(np.mean(marks))


def _threads(samples: Samples, window: Phase) -> dict[str, float]:
    """Mean threads by what they do, of the replica with the most that are not idle."""
    by_replica: dict[str, dict[str, float]] = {}
    for key in THREADS:
        for replica, values in gauges(samples, "stacks", key, window=window).items():
            by_replica.setdefault(replica, {})[key] = float(values.mean())
    return max(by_replica.values(), key=_held, default={})


def _held(threads: Mapping[str, float]) -> float:
    return sum(number for key, number in threads.items() if key != IDLE)


def _taken(samples: Samples, window: Phase) -> float | None:
    """Median of the runs that count against `max_concurrent_runs`; `None` if one is not known."""
    medians = []
    for key in ("starting", "started", "canceling"):
        found = gauges(samples, "run_queue", key, window=window)
        if not found:
            return None
        medians.append(float(np.median(np.concatenate(list(found.values())))))
    return sum(medians)


def _front_s(runs: Sequence[Run], feed: str) -> float | None:
    """Median of accepting without the starting it contains (feed `direct` awaits `StartRun`)."""
    fronts = []
    for run in runs:
        if run.accepted_s is None:
            continue
        accept_s = run.accepted_s - run.sent_s
        if feed == "queued":
            fronts.append(accept_s)
        elif run.dequeued_s is not None and run.process_started_s is not None:
            fronts.append(max(0.0, accept_s - (run.process_started_s - run.dequeued_s)))
    return median(fronts)


def _failures(runs: Sequence[Run]) -> dict[str, float]:
    """Runs that did not succeed, by family, else by how they ended."""
    ended = [run for run in runs if run.status != "SUCCESS"]
    return dict(Counter(run.error_class or run.status.lower() for run in ended))


def _deaths(step: Step, events: Sequence[Event]) -> list[Event]:
    """The deaths of this step: as many as it counted, from its start on."""
    if not step.phases or not step.restarts:
        return []
    start_s = step.phases[0].start_s
    died = [e for e in events if e.kind == "server_died" and e.at_s >= start_s]
    return died[: step.restarts]
