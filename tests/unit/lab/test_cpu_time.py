"""Whose the CPU was: of some servers, of others, of nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.rig.lab import cpu_time
from harness.rig.lab.cpu_time import CpuTime

pytestmark = pytest.mark.unit


class Server:
    """Its counter stands at each of these in turn; `None`: it has ended."""

    def __init__(self, *readings: float | None) -> None:
        self._readings = iter(readings)

    def stats(self) -> Any:
        cpu_s = next(self._readings)
        return None if cpu_s is None else SimpleNamespace(cpu_s=cpu_s)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten CPU-seconds of work and four of rest between two looks."""
    looks = iter([(100.0, 50.0), (110.0, 54.0)])

    def times() -> Any:
        user, idle = next(looks)
        return SimpleNamespace(user=user, system=1.0, idle=idle, iowait=2.0)

    monkeypatch.setattr(cpu_time.psutil, "cpu_times", times)


def spent(*servers: Any) -> dict[str, float]:
    return CpuTime(servers).spent()


@pytest.mark.usefixtures("host")
def test_what_servers_did_not_use_others_used_and_the_rest_was_idle() -> None:
    told = spent(Server(5.0, 8.0), Server(0.0, 1.0))
    assert (told["used_s"], told["others_s"], told["idle_s"]) == (4.0, 6.0, 4.0)
    assert told["window_s"] >= 0


@pytest.mark.usefixtures("host")
def test_others_never_used_less_than_nothing() -> None:
    assert spent(Server(0.0, 10.5))["others_s"] == 0.0


@pytest.mark.usefixtures("host")
def test_a_server_that_ended_counts_for_nothing() -> None:
    assert spent(Server(None, None), Server(1.0, 2.0))["used_s"] == 1.0
