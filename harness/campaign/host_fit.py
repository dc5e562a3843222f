"""Whether a host can honour what the cells ask for.

A limit the host cannot honour is no limit: a server that is promised 4 vCPU on a machine with 2
is slowed by the machine, and the record would blame the profile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.campaign.plan import CellPlan
from harness.units import GIB, MIB, show_bytes, show_cores

RESERVED_CORES = 1.0
"""Left for what runs beside the servers: load generator, database, webserver. On another host than
the generator's as much: webserver and daemon are a Python process each, and can use a core."""

RESERVED_BYTES = GIB
"""The same, in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSize:
    """CPUs this process may use, and memory that is free to use now; of another host all it has.

    `name` and `beside` say in words which host it is and what else is to run there.
    """

    cpus: float
    memory_available_bytes: int
    name: str = "this machine"
    beside: str = "the load generator, database and webserver"


def fit_problems(cells: Iterable[CellPlan], host: HostSize) -> list[str]:
    """A sentence with all numbers for each demand the host cannot meet; empty when all fit.

    Cells run one after the other, so each is held against the host by itself. Cells with equal
    profile and replicas make equal demands: said once, in the order of the cells.
    """
    demands = {(cell.profile, cell.replicas): None for cell in cells}
    problems: list[str] = []
    for profile, replicas in demands:
        who = f"{profile.name} × {replicas} {'replica' if replicas == 1 else 'replicas'}"
        cores, memory_bytes = profile.vcpu * replicas, profile.memory_bytes * replicas
        if cores > host.cpus - RESERVED_CORES:
            problems.append(
                f"{who} needs {show_cores(cores)}; {host.name} has {host.cpus:g} and keeps "
                f"{RESERVED_CORES:g} for {host.beside}: "
                f"{max(0.0, host.cpus - RESERVED_CORES):g} left"
            )
        if memory_bytes > host.memory_available_bytes - RESERVED_BYTES:
            problems.append(
                f"{who} needs {show_bytes(memory_bytes)} of memory; {host.name} has "
                f"{_whole_mib(host.memory_available_bytes)} free and keeps "
                f"{show_bytes(RESERVED_BYTES)} for {host.beside}: "
                f"{_whole_mib(host.memory_available_bytes - RESERVED_BYTES)} left"
            )
    return problems


def _whole_mib(size_bytes: int) -> str:
    """Rounded down, so that what is left never looks like enough when it is not."""
    return f"{max(0, size_bytes) // MIB:,} MiB"
