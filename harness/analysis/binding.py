"""Which limit binds at the first failing step: a first, simple rule over the evidence.

The hard wall comes first, then CPU, then doubt (did something outside the server give out?), and
only then the worker pool, because a starved server queues requests too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.resources import Resources
from harness.analysis.steps import StepSummary
from harness.units import show_bytes

Limit = Literal["launch_cpu", "worker_pool", "memory", "control_plane", "run_cpu"]

CPU_FULL = 0.9
CPU_FREE = 0.7
THROTTLED = 0.5
SERVICE_FULL_CORES = 0.9
HOST_FULL = 0.9
"""A host whose CPUs are busy to this part has none left for the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The limit, `None` when the evidence names none, and what was seen."""

    limit: Limit | None
    evidence: tuple[str, ...]


def binding_of(
    summary: StepSummary,
    broken: Sequence[str],
    *,
    resources: Resources,
    host_cpus: float | None,
) -> Binding:
    """Name the limit behind a failing step.

    Args:
        summary: of the failing step.
        broken: names of its broken SLOs.
        resources: of the cell; tells the CPU of launching from the runs' own.
        host_cpus: CPUs of the machine, `None` where unknown.
    """
    memory = _memory(summary, broken)
    if memory:
        return Binding(limit="memory", evidence=memory)
    cpu = _cpu(summary)
    if cpu:
        limit, share = _whose_cpu(resources)
        return Binding(limit=limit, evidence=(*cpu, share))
    outside = _outside(summary, host_cpus)
    if outside:
        return Binding(limit="control_plane", evidence=outside)
    pool = _pool(summary)
    if pool:
        return Binding(limit="worker_pool", evidence=pool)
    return Binding(limit=None, evidence=(_nothing(summary),))


def _memory(summary: StepSummary, broken: Sequence[str]) -> tuple[str, ...]:
    server = summary.server
    evidence = []
    if "no_oom" in broken and server.oom_kills:
        evidence.append(f"OOM kills: {server.oom_kills}")
    if "memory_headroom" in broken and server.memory_peak_ratio is not None:
        evidence.append(f"memory peak at {server.memory_peak_ratio:.0%} of the limit")
    if evidence and server.memory_peak_bytes is not None:
        evidence.append(f"peak {show_bytes(server.memory_peak_bytes)}")
    return tuple(evidence)


def _cpu(summary: StepSummary) -> tuple[str, ...]:
    server = summary.server
    evidence = []
    if server.cpu_ratio is not None and server.cpu_ratio >= CPU_FULL:
        evidence.append(f"CPU at {server.cpu_ratio:.0%} of the limit")
    if server.throttled_ratio is not None and server.throttled_ratio >= THROTTLED:
        evidence.append(f"throttled in {server.throttled_ratio:.0%} of the periods")
    return tuple(evidence)


def _whose_cpu(resources: Resources) -> tuple[Limit | None, str]:
    launch_s, run_s = resources.launch_cpu_s, resources.run_cpu_s
    if launch_s is None or run_s is None:
        return None, "whose CPU it is, launching or the runs' own work, is not known"
    share = f"launching takes {launch_s:.2f} CPU-s a run, its own work {run_s:.2f}"
    return ("launch_cpu" if launch_s >= run_s else "run_cpu"), share


def _outside(summary: StepSummary, host_cpus: float | None) -> tuple[str, ...]:
    evidence = [
        f"{name} used {cores:.2f} cores while the server had CPU left"
        for name, cores in sorted(summary.support_cpu_cores.items())
        if cores >= SERVICE_FULL_CORES
    ]
    used = summary.host_cpu_cores
    if used is not None and host_cpus and used >= HOST_FULL * host_cpus:
        evidence.append(f"the host's CPUs were full: {used:.1f} of {host_cpus:g} in use")
    return tuple(evidence)


def _pool(summary: StepSummary) -> tuple[str, ...]:
    server, queues = summary.server, summary.queues
    if not queues.pool_median or server.cpu_ratio is None or server.cpu_ratio >= CPU_FREE:
        return ()
    return (
        f"{queues.pool_median:g} requests waited for a worker (median over the hold)",
        f"CPU at {server.cpu_ratio:.0%} of the limit",
    )


def _nothing(summary: StepSummary) -> str:
    ratio = summary.server.cpu_ratio
    cpu = "unknown" if ratio is None else f"{ratio:.0%} of the limit"
    return f"no limit stands out: CPU {cpu}, no OOM kill, no saturated service seen"
