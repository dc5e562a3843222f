"""What Dagster would choose by itself where nobody sets it, here and on Fargate.

Read from the code of Dagster 1.5 to 1.13 and of CPython; none of it is measured. Both pools take
their size from the CPUs the process *sees*, and a CPU quota is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.facts.dagster_versions import STEPS_VARIABLE, version_of
from harness.facts.model import Cell
from harness.units import show_cores

START_DEADLINE_S = 60.0
"""After this a `StartRun` call is given up and its run fails (`DAGSTER_GRPC_TIMEOUT_SECONDS`)."""

QUEUE_RUNS = 10
"""`max_concurrent_runs` of the run queue where it is not set."""

DEQUEUE_INTERVAL_S = 5.0
"""How often the daemon looks at the queue; it then launches one run at a time."""

QUEUE_BY_DEFAULT = (1, 10)
"""First Dagster with the run queue as its default coordinator; before, runs launch at once."""

AFFINITY_AWARE = (3, 13)
"""First Python whose thread pools count the CPUs the process may use, not the machine's."""

FARGATE_CAVEAT = "to be checked on AWS"

FARGATE_VISIBLE_CPUS: Mapping[float, int] = MappingProxyType(
    {0.25: 2, 0.5: 2, 1.0: 2, 2.0: 2, 4.0: 4, 8.0: 8, 16.0: 16}
)
"""CPUs a Fargate container sees by the vCPU of its task: never fewer than 2. Not measured by us:
`FARGATE_CAVEAT` goes with every figure that rests on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DagsterDefaults:
    """What an unset Dagster takes in one place. `caveat` is empty where nothing is in doubt.

    `run_limit` is that of the run queue, `None` where runs do not queue by default.
    """

    where: str
    visible_cpus: int
    workers: int
    steps_at_once: int
    run_limit: int | None
    caveat: str = ""


def default_workers(cpus: int) -> int:
    """gRPC workers of an unset server: min(32, CPUs + 4).

    `ThreadPoolExecutor`'s own default since Python 3.8; Dagster passes it no number. Often quoted
    as "CPUs × 5", which was Python's rule before.

    Args:
        cpus: that the process sees.

    Raises:
        ValueError: fewer than one CPU.
    """
    if cpus < 1:
        raise ValueError(f"a machine has at least one CPU, not {cpus}")
    return min(32, cpus + 4)


def defaults_here(
    cell: Cell, host: Mapping[str, object], *, python: tuple[int, int] = (3, 11)
) -> DagsterDefaults | None:
    """What this server would have taken on the machine it was measured on.

    Args:
        cell: for its Dagster version.
        host: `environment.json`'s `host`: `cpus`, and `cpus_usable` (CPU affinity).
        python: (major, minor) of the server's Python.

    Returns:
        `None` where the machine's CPUs are not known.
    """
    cpus = _count(host.get("cpus"))
    if cpus is None:
        return None
    usable = _count(host.get("cpus_usable")) or cpus
    pool = usable if python >= AFFINITY_AWARE else cpus
    return DagsterDefaults(
        where="on this machine",
        visible_cpus=cpus,
        workers=default_workers(pool),
        steps_at_once=cpus,
        run_limit=_run_limit(cell.dagster),
    )


def defaults_on_fargate(cell: Cell) -> DagsterDefaults | None:
    """The same for a Fargate task of the cell's vCPU; `None` for sizes Fargate does not offer."""
    cpus = FARGATE_VISIBLE_CPUS.get(cell.vcpu)
    if cpus is None:
        return None
    return DagsterDefaults(
        where=f"on Fargate with {show_cores(cell.vcpu)}",
        visible_cpus=cpus,
        workers=default_workers(cpus),
        steps_at_once=cpus,
        run_limit=_run_limit(cell.dagster),
        caveat=FARGATE_CAVEAT,
    )


def default_sentences(cell: Cell, found: DagsterDefaults) -> tuple[str, ...]:
    """What was found, in words for a report; what does not concern the cell is left out."""
    doubt = f" ({found.caveat})" if found.caveat else ""
    cpus = f"{found.visible_cpus} CPU{'' if found.visible_cpus == 1 else 's'}"
    said = [
        f"Left alone, Dagster would take {found.workers} gRPC workers {found.where}: "
        f"min(32, CPUs + 4), where it sees {cpus}{doubt}. It does not see the limit of "
        f"{show_cores(cell.vcpu)}. Measured with {cell.max_workers}."
    ]
    if cell.executor == "multiprocess":
        said.append(
            f"Left alone, the multiprocess executor would run up to {found.steps_at_once} steps "
            f"of every run at once {found.where}{doubt}: {STEPS_VARIABLE} sets it."
        )
    if found.run_limit is None:
        said.append(f"Dagster {cell.dagster} launches runs at once unless a queue is set up.")
    else:
        said.append(
            f"Left alone, the run queue lets {found.run_limit} runs at a time through and "
            f"launches them one by one, looking every {DEQUEUE_INTERVAL_S:g} s."
        )
    said.append(
        f"A launch that holds its gRPC call for {START_DEADLINE_S:g} s is given up; its run fails."
    )
    return tuple(said)


def steps_at_once(
    cell: Cell, environment: Mapping[str, str], host_cpus: float | None
) -> int | None:
    """Steps of one run that the measured server ran at once at most.

    Args:
        environment: the workload's own variables (`Workload.environment`).
        host_cpus: CPUs of the machine; decides where the variable is not set.

    Returns:
        `None` for another executor than the multiprocess one, and where it is not known: no
        usable number is set, or none is and the machine's CPUs are not known.
    """
    if cell.executor != "multiprocess":
        return None
    told = environment.get(STEPS_VARIABLE, "")
    if told:
        return int(told) if told.isdigit() and int(told) else None
    return int(host_cpus) if host_cpus else None


def _run_limit(dagster: str) -> int | None:
    return QUEUE_RUNS if version_of(dagster) >= QUEUE_BY_DEFAULT else None


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 1 else None
