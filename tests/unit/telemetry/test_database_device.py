"""How Dagster's database grows, and the connection that is kept to look into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.errors import QueryCanceled

from harness.rig.protocols import Endpoints
from harness.rig.telemetry import database
from harness.rig.telemetry.database import DatabaseDevice
from harness.rig.telemetry.database_connection import DatabaseConnection
from harness.rig.telemetry.processes import _handles
from harness.rig.telemetry.registry import DEVICES

pytestmark = pytest.mark.unit


class Connection:
    """Answers each question with these rows, or breaks."""

    def __init__(self, *rows: tuple[Any, ...], breaks: Exception | None = None) -> None:
        self._rows = list(rows)
        self._breaks = breaks
        self.asked: list[tuple[str, Any]] = []
        self.closed = 0

    def execute(self, query: str, parameters: Any = None) -> Connection:
        self.asked.append((query, parameters))
        if self._breaks is not None:
            raise self._breaks
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections the database will give out, first come first."""
    waiting: list[Connection] = []
    monkeypatch.setattr(psycopg, "connect", lambda *_, **__: waiting.pop(0))
    return waiting


def device() -> DatabaseDevice:
    return DatabaseDevice(DatabaseConnection("dsn"))


def values(size: float, runs: float, events: float) -> dict[tuple[str, str], float]:
    return {
        ("postgres", "database_bytes"): size,
        ("postgres", "run_rows"): runs,
        ("postgres", "event_rows"): events,
    }


def test_it_reads_size_and_rows_ever_given(connections: list[Connection]) -> None:
    connections.append(Connection((9_000_000, 12, 340)))
    assert device().read().values == values(9_000_000, 12, 340)


def test_tables_without_a_row_have_had_none(connections: list[Connection]) -> None:
    connections.append(Connection((8_000_000, None, None)))
    assert device().read().values == values(8_000_000, 0, 0)


def test_it_walks_no_table(connections: list[Connection]) -> None:
    """A count would grow dearer with what it measures."""
    connection = Connection((1, 2, 3))
    connections.append(connection)
    device().read()
    ((query, _),) = connection.asked
    assert "count(" not in query
    assert "max(id)" in query


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("server closed"), QueryCanceled("statement timeout")]
)
def test_a_broken_connection_is_replaced_at_the_next_look(
    connections: list[Connection], error: psycopg.Error
) -> None:
    broken = Connection(breaks=error)
    connections += [broken, Connection((1, 2, 3))]
    looking = device()
    with pytest.raises(psycopg.Error):
        looking.read()
    assert broken.closed == 1
    assert looking.read().values == values(1, 2, 3)


def test_one_connection_is_kept_and_closed_once(connections: list[Connection]) -> None:
    connection = Connection((1, 2, 3))
    connections.append(connection)
    looking = device()
    looking.read()
    looking.read()
    looking.close()
    looking.close()
    assert len(connection.asked) == 2
    assert connection.closed == 1


def test_a_database_that_cannot_be_reached_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: Iterator[Any] = iter([psycopg.OperationalError("timeout"), Connection((1, 2, 3))])

    def connect(*_: Any, **__: Any) -> Connection:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(psycopg, "connect", connect)
    looking = device()
    with pytest.raises(psycopg.OperationalError):
        looking.read()
    assert looking.read().values == values(1, 2, 3)


def test_questions_end_and_are_known_as_the_harnesss(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_connections` leaves out what has this name."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(psycopg, "connect", lambda dsn, **how: asked.update(how) or Connection())
    assert DatabaseConnection("dsn").ask("SELECT 1") == []
    assert asked["application_name"] == "dagster-load-harness"
    assert "statement_timeout" in asked["options"]
    assert asked["connect_timeout"] > 0


def test_it_is_offered_where_there_is_a_database() -> None:
    def there(dsn: str | None) -> Endpoints:
        return Endpoints(webserver_url="", location="", database_dsn=dsn, replicas=())

    assert database.offer(there(None)) is None
    offered = database.offer(there("postgresql://nowhere"))
    assert offered is not None
    assert offered.cost is database.COST
    assert database.COST in DEVICES
    offered.close()


class Process:
    def __init__(self, answer: int | psutil.Error) -> None:
        self._answer = answer

    def num_fds(self) -> int:
        if isinstance(self._answer, psutil.Error):
            raise self._answer
        return self._answer


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), psutil.NoSuchProcess(1)])
def test_handles_that_are_not_told_are_left_out(error: psutil.Error) -> None:
    process: Any = Process(error)
    assert _handles(process) == {}


def test_handles_are_counted() -> None:
    process: Any = Process(23)
    assert _handles(process) == {"server_fds": 23.0}
