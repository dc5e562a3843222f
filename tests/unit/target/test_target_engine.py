"""What the harness says when no container engine can be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.rig.target import engine

pytestmark = pytest.mark.unit


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` command of our own on the path; the test writes what it does."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    return tmp_path / "docker"


def script(command: Path, body: str) -> None:
    command.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    command.chmod(0o755)


NO_ANSWER = """
echo '{"ServerVersion":"","ServerErrors":["permission denied while connecting"]}'; exit 1"""

ANSWERS = """
case "$1" in
  info) echo '{"ServerVersion":"20.10","CgroupVersion":"2"}';;
  compose) test -n "$NO_COMPOSE" && exit 1; echo 2.26.1;;
  buildx) test -n "$NO_BUILDX" && exit 1; echo "buildx 0.13";;
esac"""


def test_without_the_command_the_way_out_is_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    state = engine.probe()
    assert state.problem == "No `docker` command."
    assert "Install" in state.hint


def test_a_socket_one_may_not_use_is_named_with_the_group_to_join(
    docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(docker, NO_ANSWER)
    socket = docker.with_name("docker.sock")
    socket.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != socket)
    state = engine.probe()
    assert "permission denied" in state.problem
    assert str(socket) in state.hint
    assert "group `docker`" in state.hint


def test_an_engine_that_does_not_run_is_to_be_started(docker: Path) -> None:
    script(docker, NO_ANSWER)
    assert "Start it" in engine.probe().hint


@pytest.mark.parametrize(
    ("missing", "words"), [("NO_COMPOSE", "Compose v2"), ("NO_BUILDX", "buildx")]
)
def test_a_missing_plugin_is_named(
    docker: Path, monkeypatch: pytest.MonkeyPatch, missing: str, words: str
) -> None:
    script(docker, ANSWERS)
    monkeypatch.setenv(missing, "1")
    assert words in engine.probe().problem


def test_an_engine_with_both_plugins_is_no_problem(docker: Path) -> None:
    script(docker, ANSWERS)
    state = engine.probe()
    assert state.problem == ""
    assert (state.version, state.compose, state.cgroup) == ("20.10", "2.26.1", "v2")
