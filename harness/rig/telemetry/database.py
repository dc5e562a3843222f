"""How Dagster's database grows: its size, and how many rows it was given so far."""

from __future__ import annotations

from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.database_connection import DatabaseConnection

COST = DeviceCost(
    name="database",
    reads="size of Dagster's database, and the last row number of its runs and its event log",
    rate_hz=0.05,
    cost="one query every 20 s in Postgres (one connection), which walks no table",
)
SOURCE = "postgres"
# The highest row number instead of a count: it is read off an index, however long the table is.
_QUERY = (
    "SELECT pg_database_size(current_database()),"
    " (SELECT max(id) FROM runs), (SELECT max(id) FROM event_logs)"
)
KEYS = ("database_bytes", "run_rows", "event_rows")


class DatabaseDevice:
    """Source `postgres`: `database_bytes`, and rows ever added: `run_rows event_rows`.

    Rows that were removed count too. A look that fails drops the connection; the next one makes a
    new one.
    """

    cost = COST

    def __init__(self, connection: DatabaseConnection) -> None:
        self._connection = connection

    def read(self) -> Reading:
        """Look once.

        Raises:
            psycopg.Error: the database did not answer within 2 s.
        """
        [row] = self._connection.ask(_QUERY)
        return Reading(
            values={(SOURCE, key): float(value or 0) for key, value in zip(KEYS, row, strict=True)}
        )

    def close(self) -> None:
        """Close the connection, if there is one."""
        self._connection.close()


def offer(endpoints: Endpoints) -> DatabaseDevice | None:
    """The database, where the target has one we may look into."""
    dsn = endpoints.database_dsn
    return None if dsn is None else DatabaseDevice(DatabaseConnection(dsn))
