"""Whoever listens understands every call of the protocol, and none of them costs a campaign."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from typing import Any

import listening
import pytest
from fakes import FakeListener
from rich.console import Console

from harness.rig.protocols import Listener
from harness.watch.dashboard.live import Dashboard
from harness.watch.fan_out import FanOut, Watcher
from harness.watch.openmetrics import MetricsListener
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.contract

CALLS = {
    name
    for name, member in inspect.getmembers(Listener, inspect.isfunction)
    if not name.startswith("_")
}


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, height=30)


def all_of_them() -> FanOut:
    watchers: list[Watcher] = [PlainListener(terminal()), Dashboard(terminal()), MetricsListener(0)]
    return FanOut(watchers, complain=pytest.fail)


LISTENERS: dict[str, Callable[[], Any]] = {
    "plain": lambda: PlainListener(terminal()),
    "dashboard": lambda: Dashboard(terminal()),
    "metrics": lambda: MetricsListener(0),
    "fan out": all_of_them,
    "fake": FakeListener,
}


class Called:
    """Remembers which calls a campaign makes."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        self.names.add(name)
        return lambda *_, **__: None


def test_the_campaign_played_here_makes_every_call_there_is() -> None:
    called: Any = Called()
    listening.play(called)
    assert called.names == CALLS


@pytest.mark.parametrize("make", LISTENERS.values(), ids=LISTENERS)
def test_a_listener_takes_two_campaigns_one_after_the_other(make: Callable[[], Any]) -> None:
    listener = make()
    if hasattr(listener, "__enter__"):
        with listener:
            listening.play(listener)
            listening.play(listener, name="verify", cells=listening.CELLS[1:])
    else:
        listening.play(listener)


@pytest.mark.parametrize("make", LISTENERS.values(), ids=LISTENERS)
def test_a_listener_names_its_parameters_as_the_protocol_does(make: Callable[[], Any]) -> None:
    listener = make()
    for name in CALLS:
        promised = list(inspect.signature(getattr(Listener, name)).parameters)[1:]
        assert list(inspect.signature(getattr(listener, name)).parameters) == promised
