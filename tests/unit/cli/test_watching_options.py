"""`harness run` and `harness verify`: who watches is settled before anything is measured."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import run as run_module
from harness.cli import verify as verify_module
from harness.cli.app import main
from harness.errors import ExitCode

pytestmark = pytest.mark.unit


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody else serves on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Stands for the rig; has the names of what was measured."""
    names: list[str] = []

    def measure(plan: Any, _trust: Any, watch: Any, *_: object, **__: object) -> tuple[Path, int]:
        with watch as listener:
            names.append(plan.name)
            listener.say("measured")
        return tmp_path, 0

    def trials(_folder: Path, *, listener: Any, **_: object) -> int:
        names.append("verify")
        listener.say("verified")
        return 0

    monkeypatch.setattr(run_module, "_measure", measure)
    monkeypatch.setattr(run_module, "show_measured", lambda *_, **__: 0)
    monkeypatch.setattr(verify_module, "run_trials", trials)
    monkeypatch.setattr(verify_module, "resolve", lambda *_: tmp_path)
    return names


def exit_code(*argv: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(argv))
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", ["run", "verify"])
def test_live_gauges_are_served_while_measuring_and_their_address_is_said(
    command: str, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(command, "--metrics-port", "0") == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Live gauges: http://127.0.0.1:")
    assert said[1] in ("measured", "verified")
    assert len(measured) == 1


@pytest.mark.parametrize("command", ["run", "verify"])
def test_a_port_in_use_ends_it_before_anything_is_measured(
    command: str, taken: int, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(command, "--metrics-port", str(taken)) == ExitCode.ENVIRONMENT
    assert str(taken) in capsys.readouterr().err
    assert measured == []


@pytest.mark.parametrize("port", ["70000", "-1", "http"])
def test_what_is_no_port_is_bad_input(port: str, measured: list[str]) -> None:
    assert exit_code("run", "--metrics-port", port) == ExitCode.BAD_INPUT
    assert measured == []


def test_without_the_option_nothing_is_served(
    measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("run", "--plain") == 0
    assert capsys.readouterr().err == "measured\n"
    assert measured == ["quick"]
