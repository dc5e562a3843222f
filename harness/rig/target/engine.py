"""The Docker engine: is there one, and what of ours does it hold?

Everything the harness creates carries the label below, so that what a crash left behind can be
found without any file of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound

from harness.errors import EnvironmentProblem, TargetFailed

LABEL = "dagster-load-harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """What answered. `problem` is empty when compose targets can be used."""

    problem: str = ""
    hint: str = ""
    version: str = ""
    compose: str = ""
    buildx: str = ""
    cgroup: str = ""


def client(timeout_s: float = 60) -> docker.DockerClient:
    """A client for the engine the environment names.

    Raises:
        EnvironmentProblem: none answers.
    """
    try:
        return docker.from_env(timeout=int(timeout_s))
    except DockerException as error:
        state = probe()
        raise EnvironmentProblem(
            state.problem or "The Docker engine does not answer.",
            evidence=str(error),
            hint=state.hint or "Start it, or use --target process.",
        ) from error


def probe() -> EngineState:
    """Look at the engine and its plugins without raising."""
    if shutil.which("docker") is None:
        return EngineState(
            problem="No `docker` command.", hint="Install Docker Engine (Debian: docker.io)."
        )
    info = _json(["info", "--format", "{{json .}}"])
    errors = "; ".join(info.get("ServerErrors") or [])
    if not info.get("ServerVersion"):
        return EngineState(problem=f"No Docker engine answers. {errors}".strip(), hint=_hint())
    compose = _line(["compose", "version", "--short"])
    buildx = _line(["buildx", "version"])
    problem = hint = ""
    if not compose.lstrip("v").startswith(("2", "3", "4", "5")):
        problem, hint = "The Compose v2 plugin is missing.", "Install docker-compose-plugin."
    elif not buildx:
        problem, hint = "The buildx plugin is missing.", "Install docker-buildx-plugin."
    return EngineState(
        problem=problem, hint=hint, version=info["ServerVersion"], compose=compose,
        buildx=buildx, cgroup=f"v{info.get('CgroupVersion', '?')}",
    )  # fmt: skip


def remove_project(project: str) -> int:
    """Remove every container, network and volume of one Compose project; how many there were.

    Works from labels alone: no Compose file and none of its variables are needed, and a second
    call finds nothing.
    """
    return _remove({"label": f"com.docker.compose.project={project}"})


def remove_everything() -> int:
    """Remove whatever any run of the harness left on this engine; how many objects."""
    return _remove({"label": LABEL})


def _remove(filters: dict[str, str | list[str] | bool]) -> int:
    engine = client()
    removed = 0
    try:
        for container in engine.containers.list(all=True, filters=filters, ignore_removed=True):
            removed += _gone(lambda c=container: c.remove(force=True, v=True))
        for network in engine.networks.list(filters=filters):
            removed += _gone(network.remove)
        for volume in engine.volumes.list(filters=filters):
            removed += _gone(lambda v=volume: v.remove(force=True))
    except APIError as error:
        raise TargetFailed(
            "The engine refused to remove what the harness started.",
            evidence=str(error), hint="Run `harness down` again.",
        ) from error  # fmt: skip
    finally:
        engine.close()
    return removed


def _gone(remove: Any) -> int:
    try:
        remove()
    except NotFound:
        return 0
    return 1


def _json(arguments: list[str]) -> dict[str, Any]:
    try:
        parsed = json.loads(_output(arguments) or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _line(arguments: list[str]) -> str:
    return _output(arguments).strip()


def _output(arguments: list[str]) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=30, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 or done.stdout.startswith("{") else ""


def _hint() -> str:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    socket = Path(host.removeprefix("unix://"))
    if host.startswith("unix://") and socket.exists() and not os.access(socket, os.W_OK):
        return f"You may not use {socket}: join the group `docker`, or run as root."
    return "Start it (systemctl start docker, or dockerd), or use --target process."
