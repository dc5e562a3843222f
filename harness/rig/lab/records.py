"""What Dagster's own database says of runs, in one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from harness.rig.load.phases import EventRow, RunPhases, phases_from_rows

CONNECT_TIMEOUT_S = 10

_RUNS = """
SELECT run_id, pipeline_name, status, extract(epoch FROM create_timestamp)::float8
FROM runs WHERE run_id = ANY(%s) ORDER BY id
"""
_EVENTS = """
SELECT run_id, dagster_event_type, extract(epoch FROM timestamp)::float8, event
FROM event_logs WHERE run_id = ANY(%s) AND dagster_event_type IS NOT NULL ORDER BY id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run; stamps in epoch seconds, `None` where it never got there.

    `status` is Dagster's now, whatever happened to the run's process. `starts`: how often a
    process said that the run starts (more than once: it was executed twice). `step_starts` and
    `step_failures`: of all its steps. `phases`: see `RunPhases`.
    """

    run_id: str
    job: str
    status: str
    created_s: float
    starts: int
    step_starts: tuple[float, ...]
    step_ends: tuple[float, ...]
    step_failures: int
    phases: RunPhases

    def values(self) -> dict[str, Any]:
        """Flat and JSON-ready: an observation."""
        told = asdict(self)
        phases = told.pop("phases")
        phases.pop("status")
        return {**told, **phases, "step_starts": list(self.step_starts),
                "step_ends": list(self.step_ends)}  # fmt: skip


class Records:
    """The database of one lab.

    Args:
        dsn: a libpq address.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def runs(self, run_ids: Sequence[str]) -> list[RunRow]:
        """These runs, oldest first.

        Raises:
            psycopg.Error: the database cannot be read.
        """
        with psycopg.connect(self.dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            runs = connection.execute(_RUNS, [list(run_ids)]).fetchall()
            events = connection.execute(_EVENTS, [list(run_ids)]).fetchall()
        rows = [EventRow(*each) for each in events]
        phases = phases_from_rows(rows)
        return [_row(run, [e for e in rows if e.run_id == run[0]], phases) for run in runs]

    def all_ids(self) -> list[str]:
        """Every run there is, oldest first.

        Raises:
            psycopg.Error: the database cannot be read.
        """
        return [str(row[0]) for row in self.ask("SELECT run_id FROM runs ORDER BY id")]

    def ask(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of one query.

        Raises:
            psycopg.Error: the database cannot be read.
        """
        with psycopg.connect(self.dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            return list(connection.execute(query.encode(), parameters or None).fetchall())


def _row(run: tuple[Any, ...], events: Sequence[EventRow], phases: dict[str, RunPhases]) -> RunRow:
    run_id, job, status, created_s = run
    return RunRow(
        run_id=run_id, job=job, status=status, created_s=created_s,
        starts=sum(1 for each in events if each.kind == "PIPELINE_START"),
        step_starts=tuple(each.at_s for each in events if each.kind == "STEP_START"),
        step_ends=tuple(
            each.at_s for each in events if each.kind in ("STEP_SUCCESS", "STEP_FAILURE")
        ),
        step_failures=sum(1 for each in events if each.kind == "STEP_FAILURE"),
        phases=phases.get(run_id, RunPhases()),
    )  # fmt: skip
