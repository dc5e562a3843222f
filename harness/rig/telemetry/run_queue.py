"""Runs waiting in Dagster's own queue, counted in its database."""

from __future__ import annotations

from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.database_connection import DatabaseConnection

COST = DeviceCost(
    name="run_queue",
    reads="runs by status and open connections, from Postgres over one kept connection",
    rate_hz=1.0,
    cost="two short queries a second in Postgres (one connection), nothing in the server",
)
SOURCE = "postgres"
_STATUSES = {
    "QUEUED": "queued",
    "STARTING": "starting",
    "STARTED": "started",
    "CANCELING": "canceling",
}
_COUNT_RUNS = "SELECT status, count(*) FROM runs WHERE status = ANY(%s) GROUP BY status"
_COUNT_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name <> 'dagster-load-harness'"
)


class RunQueueDevice:
    """Source `postgres`: `queued starting started canceling` and `pg_connections`.

    `pg_connections` counts everyone's but those of the harness's devices.
    """

    cost = COST

    def __init__(self, dsn: str) -> None:
        self._connection = DatabaseConnection(dsn)

    def read(self) -> Reading:
        """Look once.

        Raises:
            psycopg.Error: the database did not answer within 2 s.
        """
        runs: dict[str, int] = dict(self._connection.ask(_COUNT_RUNS, [list(_STATUSES)]))
        [(connections,)] = self._connection.ask(_COUNT_CONNECTIONS)
        values = {(SOURCE, key): float(runs.get(status, 0)) for status, key in _STATUSES.items()}
        values[SOURCE, "pg_connections"] = float(connections)
        return Reading(values=values)

    def close(self) -> None:
        """Close the connection, if there is one."""
        self._connection.close()


def offer(endpoints: Endpoints) -> RunQueueDevice | None:
    """The run queue, where the target has a database we may look into."""
    return None if endpoints.database_dsn is None else RunQueueDevice(endpoints.database_dsn)
