"""Who watches, by what the terminal can do and what was asked for."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator
from typing import Any, TextIO

import pytest
from listening import play
from rich.console import Console

from harness.errors import EnvironmentProblem, ExitCode
from harness.watch.choose import choose_listener, watching
from harness.watch.dashboard.live import Dashboard
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """The writing end of a real (pseudo) terminal."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as file:
        yield file
    os.close(ours)


def console(file: TextIO, environment: dict[str, str], **options: Any) -> Console:
    return Console(file=file, _environ={"TERM": "xterm-256color", **environment}, **options)


def chosen(file: TextIO, environment: dict[str, str], *, plain: bool = False) -> type:
    return type(choose_listener(console(file, environment), plain=plain))


def test_a_real_terminal_gets_the_dashboard(terminal: TextIO) -> None:
    assert chosen(terminal, {}) is Dashboard


@pytest.mark.parametrize(
    "environment", [{"TERM": "dumb"}, {"TERM": "unknown"}, {"NO_COLOR": "1"}], ids=str
)
def test_a_terminal_that_should_not_or_cannot_show_it_gets_lines(
    terminal: TextIO, environment: dict[str, str]
) -> None:
    assert chosen(terminal, environment) is PlainListener


def test_lines_are_what_was_asked_for(terminal: TextIO) -> None:
    assert chosen(terminal, {}, plain=True) is PlainListener


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_lines_whatever_it_is_said_to_be(environment: dict[str, str]) -> None:
    file = io.StringIO()
    with watching(console(file, environment)) as listener:
        play(listener)
    assert "\x1b" not in file.getvalue()
    assert len(file.getvalue().splitlines()) == 5


def test_a_terminal_without_unicode_gets_lines() -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="latin-1") as file:
        assert chosen(file, {}) is PlainListener
    os.close(ours)


def test_gauges_are_served_while_it_lasts_and_their_address_is_said() -> None:
    file = io.StringIO()
    with watching(console(file, {}), plain=True, metrics_port=0) as listener:
        play(listener)
    said = file.getvalue().splitlines()[0]
    assert said.startswith("Live gauges: http://127.0.0.1:")
    assert said.endswith("/metrics")


def test_a_port_in_use_is_said_before_anything_begins() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = watching(console(io.StringIO(), {}), plain=True, metrics_port=port)
        with pytest.raises(EnvironmentProblem) as refused, wanted:
            pytest.fail("nothing may be measured")
    assert refused.value.exit_code == ExitCode.ENVIRONMENT
    assert str(port) in refused.value.evidence
