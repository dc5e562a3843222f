"""Counting runs in Dagster's database."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from harness.rig.protocols import Endpoints
from harness.rig.telemetry import run_queue
from harness.rig.telemetry.run_queue import RunQueueDevice

pytestmark = pytest.mark.unit


class Rows:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0]


class Connection:
    """Answers the two queries of a look, or breaks."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.closed = False

    def execute(self, query: str, _: Any = None) -> Rows:
        if self.broken:
            raise psycopg.OperationalError("server closed the connection")
        if "pg_stat_activity" in query:
            return Rows([(23,)])
        return Rows([("QUEUED", 7), ("STARTED", 3)])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections the database will give out, first come first."""
    waiting: list[Connection] = []
    monkeypatch.setattr(psycopg, "connect", lambda *_, **__: waiting.pop(0))
    return waiting


def test_a_status_without_runs_counts_as_zero(connections: list[Connection]) -> None:
    connections.append(Connection())
    assert RunQueueDevice("dsn").read().values == {
        ("postgres", "queued"): 7.0,
        ("postgres", "starting"): 0.0,
        ("postgres", "started"): 3.0,
        ("postgres", "canceling"): 0.0,
        ("postgres", "pg_connections"): 23.0,
    }


def test_one_connection_is_kept(connections: list[Connection]) -> None:
    connections.append(Connection())
    device = RunQueueDevice("dsn")
    device.read()
    device.read()
    assert connections == []


def test_a_broken_connection_is_replaced_at_the_next_look(connections: list[Connection]) -> None:
    broken = Connection(broken=True)
    connections += [broken, Connection()]
    device = RunQueueDevice("dsn")
    with pytest.raises(psycopg.OperationalError):
        device.read()
    assert broken.closed
    assert device.read().values["postgres", "queued"] == 7.0


def test_closing_closes_the_connection_and_twice_is_fine(connections: list[Connection]) -> None:
    connection = Connection()
    connections.append(connection)
    device = RunQueueDevice("dsn")
    device.read()
    device.close()
    device.close()
    assert connection.closed


def test_a_target_without_a_database_offers_no_run_queue() -> None:
    nowhere = Endpoints(webserver_url="", location="", database_dsn=None, replicas=())
    assert run_queue.offer(nowhere) is None
