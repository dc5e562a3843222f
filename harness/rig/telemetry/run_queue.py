"""Runs waiting in Dagster's own queue, counted in its database."""

from __future__ import annotations

from typing import Any

import psycopg

from harness.rig.protocols import DeviceCost, Endpoints, Reading

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
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class RunQueueDevice:
    """Source `postgres`: `queued starting started canceling` and `pg_connections`.

    `pg_connections` counts everyone's but ours. A look that fails drops the connection; the
    next one makes a new one.
    """

    cost = COST

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def read(self) -> Reading:
        """Look once.

        Raises:
            psycopg.Error: the database did not answer within 2 s.
        """
        connection = self._connection or self._connect()
        self._connection = connection
        try:
            counted = connection.execute(_COUNT_RUNS, [list(_STATUSES)]).fetchall()
            connections = connection.execute(_COUNT_CONNECTIONS).fetchone()
        except psycopg.Error:
            self.close()
            raise
        runs: dict[str, int] = dict(counted)
        values = {(SOURCE, key): float(runs.get(status, 0)) for status, key in _STATUSES.items()}
        if connections is not None:
            values[SOURCE, "pg_connections"] = float(connections[0])
        return Reading(values=values)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=2,
            options="-c statement_timeout=2000",
            application_name="dagster-load-harness",
        )


def offer(endpoints: Endpoints) -> RunQueueDevice | None:
    """The run queue, where the target has a database we may look into."""
    return None if endpoints.database_dsn is None else RunQueueDevice(endpoints.database_dsn)
