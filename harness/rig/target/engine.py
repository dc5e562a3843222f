"""The Docker engine: is there one, where, and what of ours does it hold?

Everything the harness creates carries the label below, so that what a crash left behind can be
found without any file of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound

from harness.errors import EnvironmentProblem, TargetFailed
from harness.rig.engine_place import reach
from harness.rig.engine_place.place import EnginePlace
from harness.rig.engine_place.reach import Reach

LABEL = "dagster-load-harness"
ASK_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """What answered. `problem` is empty when compose targets can be used. `info`: what `docker
    info` says of the engine and its host. `named`: the user named another place than this host.
    """

    problem: str = ""
    hint: str = ""
    version: str = ""
    compose: str = ""
    buildx: str = ""
    cgroup: str = ""
    place: EnginePlace | None = None
    named: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remote(self) -> bool:
        """Whether it is on another host, as far as that can be known."""
        return self.place is not None and self.place.remote

    def record(self) -> dict[str, Any]:
        """Where it is and what its host is, for `environment.json` and `cell.json`.

        `place` (`local`, `tcp`, `ssh`), `url`, `said_by`, `version`, and of its host `name cpus
        memory_bytes kernel system machine cgroup`.
        """
        place, info = self.place, self.info
        return {
            "place": place.kind if place else "local",
            "url": place.url if place else "",
            "said_by": place.said_by if place else "",
            "version": self.version,
            "name": info.get("Name"),
            "cpus": info.get("NCPU"),
            "memory_bytes": info.get("MemTotal"),
            "kernel": info.get("KernelVersion"),
            "system": info.get("OperatingSystem"),
            "machine": info.get("Architecture"),
            "cgroup": self.cgroup,
        }


def client(timeout_s: float = 60, way: Reach | None = None) -> docker.DockerClient:
    """A client for the engine the environment names, or for that at the end of `way`.

    Raises:
        EnvironmentProblem: none answers, or its host cannot be reached.
    """
    try:
        return (way or reach.here()).client(timeout_s)
    except DockerException as error:
        state = EngineState() if way else probe()
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
    try:
        way = reach.here()
    except EnvironmentProblem as error:
        return EngineState(problem=_in_a_line(error), hint=error.hint, named=True)
    place = way.place
    found = EngineState(hint=_hint(place), place=place, named=place.remote)
    if gone := way.lost() or way.unreachable():
        return replace(found, problem=f"There is no connection to {place.words}: {gone}")
    try:
        info = _json(["info", "--format", "{{json .}}"])
    except EnvironmentProblem as error:
        return replace(found, problem=_in_a_line(error), hint=error.hint)
    if not info.get("ServerVersion"):
        errors = "; ".join(info.get("ServerErrors") or [])
        where = f" at {place.words}" if place.remote else ""
        return replace(found, problem=f"No Docker engine answers{where}. {errors}".strip())
    return _with_plugins(found, info)


def _with_plugins(found: EngineState, info: Mapping[str, Any]) -> EngineState:
    compose = _line(["compose", "version", "--short"])
    buildx = _line(["buildx", "version"])
    problem = hint = ""
    if not compose.lstrip("v").startswith(("2", "3", "4", "5")):
        problem, hint = "The Compose v2 plugin is missing.", "Install docker-compose-plugin."
    elif not buildx:
        problem, hint = "The buildx plugin is missing.", "Install docker-buildx-plugin."
    return replace(
        found, problem=problem, hint=hint, version=info["ServerVersion"], compose=compose,
        buildx=buildx, cgroup=f"v{info.get('CgroupVersion', '?')}", info=info,
    )  # fmt: skip


def _in_a_line(error: EnvironmentProblem) -> str:
    return " ".join(filter(None, (error.what, *error.evidence.split())))


def remove_project(project: str, way: Reach | None = None) -> int:
    """Remove every container, network and volume of one Compose project; how many there were.

    Works from labels alone: no Compose file and none of its variables are needed, and a second
    call finds nothing.

    Args:
        project: its name.
        way: to the engine it was started on; by default the one the environment names.
    """
    return _remove({"label": f"com.docker.compose.project={project}"}, way)


def remove_everything() -> int:
    """Remove whatever any run of the harness left on this engine; how many objects."""
    return _remove({"label": LABEL})


def busy_with() -> tuple[str, ...]:
    """Names of the containers of ours, whoever started them, that this engine runs now.

    Raises:
        EnvironmentProblem: it does not answer.
    """
    engine = client()
    try:
        running = engine.containers.list(filters={"label": LABEL}, ignore_removed=True)
        return tuple(sorted(str(container.name) for container in running))
    except DockerException as error:
        raise EnvironmentProblem(
            "The Docker engine does not answer.", evidence=str(error)
        ) from error
    finally:
        engine.close()


def _remove(filters: dict[str, str | list[str] | bool], way: Reach | None = None) -> int:
    engine = client(way=way)
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
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=ASK_TIMEOUT_S,
            check=False, stdin=subprocess.DEVNULL, env=reach.here().environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout if done.returncode == 0 or done.stdout.startswith("{") else ""


def _hint(place: EnginePlace) -> str:
    if place.kind == "ssh":
        return (f"`ssh {place.host} docker version` must work without any question, and its "
                f"account may use {place.socket} there.")  # fmt: skip
    if place.kind == "tcp":
        return f"Does it listen at {place.url}? Start it, or name another: DOCKER_HOST=…"
    local = Path(place.socket)
    if local.exists() and not os.access(local, os.W_OK):
        return f"You may not use {place.socket}: join the group `docker`, or run as root."
    return "Start it (systemctl start docker, or dockerd), or use --target process."
