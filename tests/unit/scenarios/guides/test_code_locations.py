"""What servers of small locations show at rest, and where runs execute."""

from __future__ import annotations

from typing import Any

import pytest

from harness.analysis.guides.verdicts import verdict_on
from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.code_locations import MB, figures, small_servers
from harness.scenarios.guides.registry import all_claims

pytestmark = pytest.mark.unit


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def memory(servers: int, *, shared_mb: float = 0.0) -> Observation:
    """Servers of 100 MB each, beside what all of them share."""
    pss_bytes = (100 * servers + shared_mb) * MB
    return seen("memory", servers=servers, servers_pss_bytes=pss_bytes,
                servers_working_set_bytes=120 * servers * MB)  # fmt: skip


def idle(servers: int) -> Observation:
    return seen("idle", servers=servers, window_s=10.0, servers_cpu_s=0.05 * servers,
                webserver_cpu_s=0.1, daemon_cpu_s=0.2)  # fmt: skip


def started(servers: int) -> Observation:
    return seen("started", servers=servers, servers_s=2.0 * servers, webserver_s=3.0 + servers)


SEEN = (
    started(1), idle(1), memory(1, shared_mb=20), seen("page", servers=1, took_s=[0.1]),
    seen("runs", launched=3, started=3, resident_runs=3.0),
    started(5), idle(5), memory(5, shared_mb=20), seen("page", servers=5, took_s=[0.2, 0.3, 0.9]),
    seen("update", servers=5, each_s=[1.0, 2.0, 3.0, 2.0, 2.0], all_s=12.0),
)  # fmt: skip


def value(name: str, *rows: Observation) -> float | None:
    return figures(Observations(rows or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("servers", 5), ("server_mb", 104.0), ("server_alone_mb", 120.0),
        ("server_working_set_mb", 120.0), ("fifty_gb", 5.02), ("server_idle_millicores", 5.0),
        ("fifty_idle_cores", 0.25), ("webserver_idle_cores", 0.01), ("daemon_idle_cores", 0.02),
        ("start_all_s", 10.0), ("webserver_start_s", 8.0), ("webserver_start_alone_s", 4.0),
        ("page_s", 0.3), ("runs", 3), ("runs_in_server", 3), ("update_s", 12.0),
        ("update_each_s", 2.0), ("update_fifty_s", 120.0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_fifty_are_predicted_only_where_they_were_not_measured() -> None:
    found = figures(Observations([*SEEN, memory(50, shared_mb=20)]))
    assert found["fifty_gb"].value == pytest.approx(5.02)
    assert not found["fifty_gb"].predicted
    assert found["fifty_idle_cores"].predicted


def test_one_size_predicts_no_other() -> None:
    assert value("fifty_gb", memory(5)) is None


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


def test_servers_have_names_of_their_own() -> None:
    assert [server.name for server in small_servers(3)] == ["small-1", "small-2", "small-3"]


def verdict(claim: int, *rows: Observation) -> str:
    (found,) = (each for each in all_claims() if each.id == claim)
    return verdict_on(found, figures(Observations(rows))).state


def test_fifty_servers_of_100_mb_hold_five_gb() -> None:
    assert verdict(63, *SEEN) == "holds"
    heavy = [memory(1, shared_mb=300), memory(5, shared_mb=300)]
    assert verdict(63, *heavy) == "does not hold"


def test_whether_a_server_runs_pipelines_depends_on_the_launcher() -> None:
    assert verdict(64, *SEEN) == "depends"
    elsewhere = seen("runs", launched=3, started=3, resident_runs=0.0)
    assert verdict(64, elsewhere) == "holds"
