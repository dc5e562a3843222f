"""Which machine a campaign's servers ran on."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.server_host import is_elsewhere, server_host

pytestmark = pytest.mark.unit

HOST = {"cpus": 2, "cpu_model": "fast", "machine": "x86_64", "kernel": "6.1"}
ENGINE = {"place": "ssh", "name": "bench", "cpus": 16, "machine": "aarch64", "memory_bytes": 5}


@pytest.mark.parametrize("more", [{}, {"engine": {**ENGINE, "place": "local"}}, {"engine": None}])
def test_without_an_engine_elsewhere_it_is_this_one(more: dict[str, Any]) -> None:
    environment = {"host": HOST, **more}
    assert not is_elsewhere(environment)
    assert server_host(environment) == HOST


def test_behind_an_engine_elsewhere_nothing_of_this_host_is_told() -> None:
    environment = {"host": HOST, "engine": ENGINE}
    assert is_elsewhere(environment)
    told = server_host(environment)
    assert (told["cpus"], told["machine"], told["cpu_model"]) == (16, "aarch64", "engine bench")
    assert told["kernel"] is None


def test_nothing_recorded_is_nothing_known() -> None:
    assert server_host({}) == server_host({"host": "?"}) == {}
