"""A recommendation as lines to paste, in the words of the Dagster version that was measured."""

from __future__ import annotations

from harness.analysis.workers.dagster_defaults import STEPS_VARIABLE, version_of
from harness.facts.model import Cell

WORKERS_VARIABLE = ((1, 6), "DAGSTER_GRPC_MAX_WORKERS")
"""Read by `dagster api grpc` from Dagster 1.6 on; an older one ignores it without a word."""

OLD_WORKERS_VARIABLE = "DAGSTER_CLI_API_GRPC_MAX_WORKERS"
"""What the command line library derives from the option's name; works in every version."""

CONCURRENCY_SECTION = (1, 10)
"""First Dagster whose `dagster.yaml` has `concurrency: runs:`; before, `run_queue:`."""


def paste_lines(
    cell: Cell,
    *,
    max_workers: int | None,
    max_concurrent_runs: int,
    replicas: int,
    steps_at_once: int | None,
) -> tuple[str, ...]:
    """Environment of the code server first, then `dagster.yaml`; comments start with `#`.

    Args:
        cell: for its Dagster version and executor.
        max_workers: `None` leaves the line out.
        max_concurrent_runs: of the whole deployment.
        replicas: that it is meant for.
        steps_at_once: of the multiprocess executor, as measured; `None` leaves the line out.
    """
    servers = "the code server" if replicas == 1 else f"each of the {replicas} code servers"
    environment = []
    if max_workers is not None:
        environment.append(f"{_workers_variable(cell.dagster)}={max_workers}")
    if steps_at_once is not None:
        environment.append(f"{STEPS_VARIABLE}={steps_at_once}")
    if environment:
        environment.insert(0, f"# environment of {servers}")
    return (*environment, "# dagster.yaml", *_queue(cell.dagster, max_concurrent_runs))


def _workers_variable(dagster: str) -> str:
    since, name = WORKERS_VARIABLE
    return name if version_of(dagster) >= since else OLD_WORKERS_VARIABLE


def _queue(dagster: str, runs: int) -> tuple[str, ...]:
    if version_of(dagster) >= CONCURRENCY_SECTION:
        return ("concurrency:", "  runs:", f"    max_concurrent_runs: {runs}")
    return ("run_queue:", f"  max_concurrent_runs: {runs}")
