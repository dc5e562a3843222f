"""What a lab is made of. Pure: nothing here starts anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JOBS = "workloads.guides.jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """One code location and the server (or replicas) that serves it.

    `name` is the location's name and the server's DNS name. `max_workers` `None` leaves the
    number of worker threads to Dagster. `command` starts it, with `arguments` behind. `grace_s`:
    how long `stop` waits between SIGTERM and SIGKILL unless told otherwise. `probe`: whether the
    pool probe runs inside. `awaited`: whether the lab waits until it serves; not where it never
    will. `replicas_named`: whether each replica is a location of its own besides, `server-1`, for
    whoever must choose one.
    """

    name: str = "server"
    module: str = JOBS
    cpu_cores: float = 1.0
    memory_mib: int = 2048
    max_workers: int | None = 8
    replicas: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ("dagster", "api", "grpc")
    arguments: tuple[str, ...] = ()
    grace_s: int = 30
    probe: bool = False
    awaited: bool = True
    replicas_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSpec:
    """Everything of one lab.

    In any text of it `{project}`, `{network}`, `{home}` (a folder of this host), `{image}` and
    `{socket_group}` are put in when the lab writes its files: what Dagster needs to start
    containers of its own beside the others.

    Args:
        servers: the locations that have servers of their own.
        modules: locations the webserver (and the daemon) load themselves, as `python_module`: the
            module by the location's name.
        instance: keys of `dagster.yaml` in place of the usual ones (feed `direct`); `None` leaves
            one out.
        daemon: whether the daemon runs.
        environment: more variables for webserver and daemon, the clients of the servers.
        server_environment: more variables for every server.
        docker_socket: whether everything may start containers. Whoever has the socket is root on
            this host: only for what cannot be shown without.
    """

    servers: tuple[ServerSpec, ...] = (ServerSpec(),)
    modules: Mapping[str, str] = field(default_factory=dict)
    instance: Mapping[str, Any] = field(default_factory=dict)
    daemon: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    server_environment: Mapping[str, str] = field(default_factory=dict)
    docker_socket: bool = False

    @property
    def locations(self) -> tuple[str, ...]:
        """Names of all locations."""
        return (*(server.name for server in self.servers), *self.modules)
