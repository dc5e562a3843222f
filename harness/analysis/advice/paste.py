"""A recommendation as lines to paste, in the words of the Dagster version that was measured."""

from __future__ import annotations

from harness.facts.dagster_versions import (
    STEPS_VARIABLE,
    has_concurrency_section,
    workers_variable,
)
from harness.facts.model import Cell


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
        environment.append(f"{workers_variable(cell.dagster)}={max_workers}")
    if steps_at_once is not None:
        environment.append(f"{STEPS_VARIABLE}={steps_at_once}")
    if environment:
        environment.insert(0, f"# environment of {servers}")
    return (*environment, "# dagster.yaml", *_queue(cell.dagster, max_concurrent_runs))


def _queue(dagster: str, runs: int) -> tuple[str, ...]:
    if has_concurrency_section(dagster):
        return ("concurrency:", "  runs:", f"    max_concurrent_runs: {runs}")
    return ("run_queue:", f"  max_concurrent_runs: {runs}")
