"""The real embedded PostgreSQL; about two seconds."""

from __future__ import annotations

from pathlib import Path

import psutil
import psycopg
import pytest

from harness.rig.ledger import Ledger
from harness.rig.target.postgres import Postgres

pytestmark = pytest.mark.integration


def test_a_fresh_database_serves_with_a_password_and_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    server = Postgres(tmp_path / "work", log=tmp_path / "postgres.log", ledger=ledger)
    try:
        server.start()
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("show timezone").fetchone() == ("UTC",)
            assert connection.execute("show max_connections").fetchone() == ("300",)
        wrong = psycopg.conninfo.make_conninfo(server.dsn, password="wrong")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)
        assert server.url == server.dsn.replace("postgresql", "postgresql+psycopg2", 1)
        assert {entry.kind for entry in ledger.entries()} == {"folder", "process"}
        pid = server.pid
    finally:
        server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert ledger.entries() == ()
    assert list((tmp_path / "work").iterdir()) == []
    server.stop()


def test_a_database_that_was_never_started_stops_quietly(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    Postgres(tmp_path / "work", log=tmp_path / "postgres.log", ledger=ledger).stop()
    assert ledger.entries() == ()
