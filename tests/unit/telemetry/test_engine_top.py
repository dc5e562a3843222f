"""A container's process tree, by the engine's list of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from docker.errors import APIError

from harness.rig.telemetry.engine_top import EngineTree

pytestmark = pytest.mark.unit

SERVER = "python /usr/bin/dagster api grpc --port=4000"
SPAWN = "python -c from_multiprocessing spawn_main() --multiprocessing-fork"
ROWS = [
    # As `ps` sorts them, by PID: numbers start again at the host's end of them.
    ["12", "900", "2048", "3", SPAWN],
    ["13", "12", "1024", "1", SPAWN],
    ["14", "900", "0", "1", "[python] <defunct>"],
    ["899", "1", "8", "1", f"/sbin/docker-init -- {SERVER}"],
    ["900", "899", "4096", "20", SERVER],
    ["PID?", "900", "1", "1", "what"],
]


def tree(rows: Sequence[Sequence[str]]) -> EngineTree:
    return EngineTree(lambda: {"Titles": ["PID"], "Processes": rows})


def test_server_runs_and_steps_are_told_apart_in_bytes() -> None:
    assert tree(ROWS).look() == {
        "server_rss_bytes": 4096 * 1024, "runs_rss_bytes": 3072 * 1024,
        "steps_rss_bytes": 1024 * 1024, "resident_runs": 1, "steps": 1, "server_threads": 20,
    }  # fmt: skip


@pytest.mark.parametrize("rows", [[], [["5", "1", "8", "1", "sleep 1"]]])
def test_without_a_server_nothing_is_told(rows: list[list[str]]) -> None:
    assert tree(rows).look() == {}


def failing(status: int) -> EngineTree:
    def top() -> Any:
        raise APIError("no", response=Mock(status_code=status))

    return EngineTree(top)


@pytest.mark.parametrize("status", [404, 409])
def test_a_container_that_has_ended_says_nothing(status: int) -> None:
    assert failing(status).look() == {}


def test_an_engine_without_ps_is_an_error_of_the_device() -> None:
    with pytest.raises(APIError):
        failing(500).look()
