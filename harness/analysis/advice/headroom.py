"""What is left at the recommended concurrency: memory, CPU, launches."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.resources import Resources
from harness.facts.model import Cell
from harness.units import MIB, mib, show_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What one replica, the busiest, has left. `None` where not known; `text` says it in words.

    `memory_mib` and `memory_ratio`: below the limit at the kernel's peak. `cpu_cores`: on average
    over the window. `launches_per_s`: that CPU ÷ what a run costs: predicted, and none of them
    would be as quick as before.
    """

    memory_mib: float | None
    memory_ratio: float | None
    cpu_cores: float | None
    launches_per_s: float | None
    text: str


def headroom_of(
    cell: Cell, at_capacity: StepSummary | None, resources: Resources | None
) -> Headroom | None:
    """The headroom in a step that passed at the recommended concurrency.

    Returns:
        `None` without such a step: nothing was measured there.
    """
    if at_capacity is None:
        return None
    limits = cell.effective_limits if cell.limits_enforced else None
    memory_left = _left(at_capacity.server.memory_peak_ratio)
    cpu_left = _left(at_capacity.server.cpu_ratio)
    memory_limit = limits.memory_bytes if limits else None
    cpu_limit = limits.cpu_cores if limits else None
    memory_mib = (
        mib(memory_left * memory_limit) if memory_left is not None and memory_limit else None
    )
    cores = cpu_left * cpu_limit if cpu_left is not None and cpu_limit else None
    launches = _launches(cores, resources)
    return Headroom(
        memory_mib=memory_mib,
        memory_ratio=memory_left if memory_mib is not None else None,
        cpu_cores=cores,
        launches_per_s=launches,
        text=_words(at_capacity.concurrency, memory_mib, memory_limit, cores, launches),
    )


def _left(used: float | None) -> float | None:
    return None if used is None else max(0.0, 1.0 - used)


def _launches(cores: float | None, resources: Resources | None) -> float | None:
    if cores is None or resources is None:
        return None
    if resources.launch_cpu_s is None or resources.run_cpu_s is None:
        return None
    return cores / (resources.launch_cpu_s + resources.run_cpu_s)


def _words(
    concurrency: int,
    memory_mib: float | None,
    memory_limit: int | None,
    cores: float | None,
    launches: float | None,
) -> str:
    memory = "memory left is not known"
    if memory_mib is not None and memory_limit is not None:
        share = memory_mib * MIB / memory_limit
        memory = (
            f"{memory_mib:,.0f} MiB of {show_bytes(memory_limit)} memory are left ({share:.0%})"
        )
    cpu = "CPU left is not known" if cores is None else f"{cores:.2f} cores of CPU"
    more = "" if launches is None else f", enough for {launches:.2f} more launches/s (predicted)"
    return f"At {concurrency}: {memory}; {cpu}{more}."
