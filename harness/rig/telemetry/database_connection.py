"""A kept connection to Dagster's database, for devices that look into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg


class DatabaseConnection:
    """Made at the first question; dropped when one fails, and made again at the next."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def ask(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            psycopg.Error: the database did not answer within 2 s.
        """
        connection = self._connection or self._connect()
        self._connection = connection
        try:
            return connection.execute(query, parameters or None).fetchall()
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        """Close it, if it is open."""
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
