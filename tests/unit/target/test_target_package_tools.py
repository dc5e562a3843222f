from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.target import package_tools

pytestmark = pytest.mark.unit


def test_uv_hears_of_the_index_and_the_ca_that_pip_was_told_about() -> None:
    told = {"PIP_INDEX_URL": "https://index.example/simple", "PIP_CERT": "/ca.pem"}
    environment = package_tools.uv_environment(told)
    assert environment["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert environment["SSL_CERT_FILE"] == "/ca.pem"


def test_uvs_own_index_setting_wins_over_pips() -> None:
    told = {"UV_INDEX_URL": "https://a.example", "PIP_INDEX_URL": "https://b.example"}
    assert package_tools.uv_environment(told) == told


class FakeCommand:
    """Stands in for `subprocess.run`; remembers the commands."""

    def __init__(self, *, code: int = 0, out: str = "", err: str = "") -> None:
        self.commands: list[list[str]] = []
        self._done = (code, out, err)

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        code, out, err = self._done
        return subprocess.CompletedProcess(command, code, stdout=out, stderr=err)


@pytest.mark.parametrize(("has_pip", "start"), [(True, [sys.executable, "-m", "pip"]), (False, [])])
def test_an_environment_without_pip_borrows_one_from_uv(
    has_pip: bool, start: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCommand(out="said")
    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object() if has_pip else None)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.example/simple")
    assert package_tools.run_pip(["index", "versions", "x"], what="A list", timeout_s=9) == "said"
    (command,) = fake.commands
    assert command[: len(start)] == start
    assert command[-4:] == ["pip", "index", "versions", "x"]
    assert ("tool" in command) is not has_pip


def test_what_a_tool_said_last_is_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCommand(code=2, err="warning\n\n" + "\n".join(f"line {n}" for n in range(20)))
    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.example/simple")
    with pytest.raises(EnvironmentProblem, match="A list: uv failed with exit code 2") as caught:
        package_tools.run_uv(["pip"], what="A list", timeout_s=9)
    assert caught.value.evidence.startswith("line 8\n")
    assert caught.value.evidence.endswith("line 19")
