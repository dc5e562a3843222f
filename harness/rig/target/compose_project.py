"""One Compose project: commands in, containers out. The only module that runs `docker compose`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import DockerException
from docker.models.containers import Container

from harness.errors import TargetFailed
from harness.rig.assets import asset
from harness.rig.engine_place import reach
from harness.rig.target import engine
from harness.rig.target.docker_cli import docker

UP_TIMEOUT_S = 120


class ComposeProject:
    """A project of `compose/compose.yaml`, or of another file, under a name of its own.

    Args:
        name: Compose project name; everything the project makes carries it as a label.
        variables: values for the variables in the Compose file.
        log: every command and its output is appended here.
        file: the Compose file; left out, that of a cell.
        overrides: more of them, each changes those before it.
    """

    def __init__(
        self,
        name: str,
        variables: Mapping[str, str],
        *,
        log: Path,
        file: Path | None = None,
        overrides: Sequence[Path] = (),
    ) -> None:
        self.name = name
        self._variables = dict(variables)
        self._log = log
        self._file = file
        self._overrides = tuple(overrides)
        self._client: DockerClient | None = None

    def up(
        self, *services: str, scale: Mapping[str, int] | None = None, fresh: bool = False
    ) -> None:
        """Start services without their dependencies; `fresh` replaces running containers.

        Raises:
            TargetFailed: Compose said no, or did not finish.
        """
        scales = [f"--scale={service}={count}" for service, count in (scale or {}).items()]
        recreate = ["--force-recreate"] if fresh else []
        files = [self._file or asset("compose") / "compose.yaml", *self._overrides]
        named = [word for file in files for word in ("--file", str(file))]
        docker(
            ["compose", "--project-name", self.name, *named, "up", "--detach", "--no-deps",
             "--no-build", "--pull", "never", *recreate, *scales, *services],
            env={"BIND_ADDRESS": reach.here().bind_address(), **self._variables}, log=self._log,
            timeout_s=UP_TIMEOUT_S,
        )  # fmt: skip

    def containers(self, service: str) -> Sequence[Container]:
        """The service's containers, running or not, by replica number."""
        labels = [
            f"com.docker.compose.project={self.name}",
            f"com.docker.compose.service={service}",
        ]
        found = self.engine().containers.list(all=True, filters={"label": labels})
        return sorted(found, key=lambda c: int(c.labels["com.docker.compose.container-number"]))

    def container(self, service: str) -> Container:
        """The service's only container.

        Raises:
            TargetFailed: there is none.
        """
        found = self.containers(service)
        if not found:
            raise TargetFailed(f"The container of `{service}` is gone.")
        return found[0]

    def labelled(self, label: str) -> Sequence[Container]:
        """The project's containers with a label (`name` or `name=value`), running or not, oldest
        first; also those that something inside it started.
        """
        labels = [f"com.docker.compose.project={self.name}", label]
        found = self.engine().containers.list(
            all=True, filters={"label": labels}, ignore_removed=True
        )
        return sorted(found, key=lambda c: str(c.attrs["Created"]))

    def remove(self) -> None:
        """Remove containers, networks and volumes. Safe to call twice."""
        engine.remove_project(self.name)
        if self._client is not None:
            self._client.close()
            self._client = None

    def engine(self) -> DockerClient:
        """The client its containers are asked through."""
        if self._client is None:
            self._client = engine.client()
        return self._client


def state_of(container: Container) -> dict[str, Any]:
    """The engine's `State` of a container, read now; empty when the engine cannot tell."""
    try:
        container.reload()
    except (DockerException, OSError):
        return {}
    return dict(container.attrs["State"])


def pid_of(container: Container) -> int:
    """PID of the container's first process on its host; 0 when it does not run."""
    return int(state_of(container).get("Pid") or 0)


def pid_here(container: Container) -> int | None:
    """The same, of a container on this host; `None` of one on another, where that number is
    somebody else's here.
    """
    return None if reach.here().place.remote else pid_of(container)


def port_of(container: Container, inside: int) -> int:
    """The host port the engine chose for a published port.

    Raises:
        TargetFailed: the port is not published, as when the container has exited.
    """
    container.reload()
    bindings = (container.attrs["NetworkSettings"]["Ports"] or {}).get(f"{inside}/tcp")
    if not bindings:
        raise TargetFailed(f"{container.name} publishes no port {inside}.")
    return int(bindings[0]["HostPort"])


def address_of(container: Container, inside: int) -> str:
    """`host:port` at which a published port answers here.

    Raises:
        TargetFailed: the port is not published, or cannot be reached.
    """
    return reach.here().address(port_of(container, inside))


def env_file(environment: Mapping[str, str]) -> str:
    """The text of an `env_file` from which Compose reads exactly these values.

    Without quotes Compose cuts a value at ` #`, strips blanks and puts in the shell's variables.
    """
    return "".join(f"{name}={_quoted(value)}\n" for name, value in environment.items())


def _quoted(value: str) -> str:
    for plain, escaped in (("\\", r"\\"), ('"', r"\""), ("$", r"\$"), ("\n", r"\n")):
        value = value.replace(plain, escaped)
    return f'"{value}"'
