"""A lab: a Compose project of its own with the servers, the clients and the settings a question
needs, started in order and taken down whichever way it ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psycopg
from docker.errors import DockerException
from docker.models.containers import Container
from ruamel.yaml import YAML

from harness.errors import HarnessError, TargetFailed
from harness.rig.assets import asset
from harness.rig.lab.documents import (
    SOCKET,
    Document,
    Place,
    compose_document,
    filled,
    instance_document,
    workspace_document,
)
from harness.rig.lab.launching import RUN_LABEL, STARTED_LABEL
from harness.rig.lab.records import Records
from harness.rig.lab.servers import LabServer, named
from harness.rig.lab.spec import LabSpec
from harness.rig.lab.watching import Watch
from harness.rig.lab.web import Web
from harness.rig.ledger import Entry, Ledger
from harness.rig.target.compose_project import ComposeProject, port_of, state_of
from harness.rig.target.elsewhere import on_this_engine
from harness.rig.target.images import Images
from harness.rig.target.readiness import READY, Never, NotYet, Readiness, exit_reason, wait_ready

START_TIMEOUT_S = 180
SERVERS_AT_ONCE = 10
"""Compose has two minutes for a command: fifty servers at once may take longer on two cores."""


class MakeImages(Protocol):
    """Finds or builds the images."""

    def __call__(self, *, launcher: bool) -> Images:
        """With `launcher`, those whose Dagster can start containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabParts:
    """What every lab of a session shares."""

    images: MakeImages
    ledger: Ledger
    say: Callable[[str], None] = field(default=lambda _: None)


class Lab:
    """Use it as a context: `with Lab(...) as lab`.

    Args:
        spec: what it is made of.
        folder: where its files and logs go; a new one.
        parts: images, ledger, and whom to tell.

    `start_s`: the seconds all `servers` and the `webserver` took until they served, once started.
    """

    def __init__(self, spec: LabSpec, folder: Path, parts: LabParts) -> None:
        self.spec = spec
        self.folder = folder
        self._parts = parts
        self._images = parts.images(launcher=spec.docker_socket)
        self._password = secrets.token_urlsafe(18)
        self.project_name = f"dlh-{secrets.token_hex(5)}"
        self._project = ComposeProject(
            self.project_name, self._variables(), log=folder / "compose.log",
            file=folder / "compose.yaml",
        )  # fmt: skip
        self._servers: dict[str, list[LabServer]] = {}
        self._web: Web | None = None
        self.start_s: dict[str, float] = {}

    def __enter__(self) -> Lab:
        """Start everything.

        Raises:
            TargetFailed: a part does not serve; all is taken down.
        """
        try:
            self._write_files()
            self._parts.ledger.add(self._entry())
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def web(self) -> Web:
        """The webserver."""
        if self._web is None:
            raise TargetFailed("This lab's webserver does not run.")
        return self._web

    @property
    def records(self) -> Records:
        """The database."""
        return Records(self._dsn())

    @property
    def network(self) -> str:
        """Name of the network everything is in, for containers that Dagster starts itself."""
        return f"{self.project_name}_default"

    def server(self, name: str = "server", replica: int = 1) -> LabServer:
        """One server."""
        return self.servers(name)[replica - 1]

    def servers(self, name: str = "server") -> list[LabServer]:
        """The replicas of one location."""
        return self._servers[name]

    def all_servers(self) -> list[LabServer]:
        """Every server of the lab."""
        return [each for replicas in self._servers.values() for each in replicas]

    def support(self, service: str) -> LabServer:
        """The container of `webserver`, `daemon`, `postgres` or `upstream`."""
        return LabServer(self._project.container(service), service)

    def launched(self, run_id: str) -> LabServer:
        """The container that Dagster's run launcher started for a run; it may have ended.

        Raises:
            TargetFailed: there is none.
        """
        found = self._project.labelled(f"{RUN_LABEL}={run_id}")
        if not found:
            raise TargetFailed(f"No container was started for run {run_id[:8]}.")
        return LabServer(found[0], f"run-{run_id[:8]}")

    def started(self) -> Sequence[Container]:
        """Containers that Dagster itself started, running or ended, oldest first."""
        return self._project.labelled(STARTED_LABEL)

    def count_steps(self) -> int:
        """How many containers for steps there are, running or ended: those that Dagster started
        and that belong to no run of their own.
        """
        return sum(1 for each in self.started() if RUN_LABEL not in each.labels)

    def watch(self, *servers: LabServer, period_s: float = 0.5) -> Watch:
        """Looks at these servers (all of them) while a `with` lasts."""
        return Watch(servers or self.all_servers(), period_s=period_s)

    def fresh(self, name: str = "server", *, wait: bool = True) -> float:
        """Replace a location's servers by new containers; seconds until they serve.

        Raises:
            TargetFailed: they never do.
        """
        return self._up(name, fresh=True, wait=wait)

    def restore(self, name: str = "server") -> float:
        """Start those of a location's servers that have ended; seconds until all serve.

        Raises:
            TargetFailed: they never do.
        """
        return self._up(name, fresh=False, wait=True)

    def start_service(self, service: str) -> None:
        """Start `daemon` or `webserver` (again)."""
        self._project.up(service)

    def configure(self, instance: Mapping[str, Any], *services: str) -> None:
        """Write `dagster.yaml` anew, and start `webserver` or `daemon` as new ones that read it.

        A server needs no new start: whoever launches a run gives it these settings.

        Args:
            instance: as in the spec, whose own are forgotten.
            services: `webserver`, `daemon`, or both.

        Raises:
            TargetFailed: they do not start.
        """
        self._write(self._home / "dagster.yaml", self._instance_document(instance))
        for service in services:
            if service == "webserver":
                self._start_webserver(fresh=True)
            else:
                self._project.up(service, fresh=True)

    def stop(self) -> None:
        """Save the logs and remove everything. Safe to call twice."""
        for replicas in self._servers.values():
            for each in replicas:
                each.close()
        with contextlib.suppress(HarnessError, DockerException, OSError):
            self._save_logs()
        self._project.remove()
        self._parts.ledger.remove(self.project_name)

    def _start(self) -> None:
        say = self._parts.say
        say("Starting the database")
        self._project.up("postgres", "upstream")
        self._await("PostgreSQL", "postgres", self._database_problem)
        names = [server.name for server in self.spec.servers]
        if names:
            say(f"Starting {names[0]}" if len(names) == 1 else f"Starting {len(names)} servers")
            began_s = time.monotonic()
            self._start_servers()
            self.start_s["servers"] = time.monotonic() - began_s
        say("Starting the webserver")
        self._start_webserver()
        if self.spec.daemon:
            self._project.up("daemon")

    def _start_webserver(self, *, fresh: bool = False) -> None:
        began_s = time.monotonic()
        self._project.up("webserver", fresh=fresh)
        self._await("The webserver", "webserver", self._web_problem)
        self.start_s["webserver"] = time.monotonic() - began_s
        port = port_of(self._project.container("webserver"), 3000)
        self._web = Web(f"http://127.0.0.1:{port}")

    def _start_servers(self) -> None:
        servers = self.spec.servers
        if sum(each.replicas for each in servers) > 1:
            self._make_tables(next((each.name for each in servers if each.awaited), ""))
        for first in range(0, len(servers), SERVERS_AT_ONCE):
            scale = {each.name: each.replicas for each in servers[first : first + SERVERS_AT_ONCE]}
            self._project.up(*scale, scale=scale)
        for each in servers:
            self._adopt(each.name)
            if each.awaited:
                self._await_servers(each.name)

    def _make_tables(self, first: str) -> None:
        """Start one server alone: each makes the database's tables if there are none, and of two
        that do so at once one fails. Without one that is sure to serve it is left to luck.
        """
        if not first:
            return
        self._project.up(first, scale={first: 1})
        self._adopt(first)
        self._await_servers(first)
        for each in self._servers.pop(first):
            each.close()

    def _up(self, name: str, *, fresh: bool, wait: bool) -> float:
        began_s = time.monotonic()
        for each in self._servers.get(name, ()):
            each.close()
        self._project.up(name, scale={name: self._replicas(name)}, fresh=fresh)
        self._adopt(name)
        if wait:
            self._await_servers(name)
        return time.monotonic() - began_s

    def _replicas(self, name: str) -> int:
        return next(server.replicas for server in self.spec.servers if server.name == name)

    def _adopt(self, name: str) -> None:
        self._servers[name] = named(self._project.containers(name), name)

    def _await_servers(self, name: str) -> None:
        for server in self._servers[name]:
            check = partial(_serves, server)
            wait_ready(check, what=f"The server {server.name}", timeout_s=START_TIMEOUT_S)

    def _await(self, what: str, service: str, problem: Callable[[], str]) -> None:
        container = self._project.container(service)
        wait_ready(lambda: _readiness(container, problem()), what=what, timeout_s=START_TIMEOUT_S)

    def _database_problem(self) -> str:
        try:
            psycopg.connect(self._dsn(), connect_timeout=2).close()
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return ""

    def _web_problem(self) -> str:
        port = port_of(self._project.container("webserver"), 3000)
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).close()
        except (urllib.error.URLError, OSError) as error:
            return str(error)
        return ""

    def _dsn(self) -> str:
        port = port_of(self._project.container("postgres"), 5432)
        return f"postgresql://dagster:{self._password}@127.0.0.1:{port}/dagster"

    def _variables(self) -> dict[str, str]:
        return {
            "HARNESS_OWNER": "1",
            "HARNESS_CELL": "lab",
            "DAGSTER_IMAGE": self._images.dagster,
            "POSTGRES_IMAGE": self._images.postgres,
            "DATABASE_PASSWORD": self._password,
        }

    def _write_files(self) -> None:
        """What the containers read. Another user reads it there: everybody may."""
        home = self._home
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        place = Place(home=str(home), socket_group=self._socket_group())
        base = _yaml(asset("compose") / "compose.yaml")
        documents: Mapping[Path, Mapping[str, Any]] = {
            self.folder / "compose.yaml": compose_document(base, self.spec, place),
            home / "dagster.yaml": self._instance_document(self.spec.instance),
            home / "workspace.yaml": workspace_document(self.spec, self.project_name),
        }
        for path, document in documents.items():
            self._write(path, document)

    @property
    def _home(self) -> Path:
        return (self.folder / "home").absolute()

    def _instance_document(self, instance: Mapping[str, Any]) -> Document:
        direct = _yaml(asset("compose/dagster-home/direct/dagster.yaml"))
        return instance_document(direct, dataclasses.replace(self.spec, instance=instance))

    def _write(self, path: Path, document: Mapping[str, Any]) -> None:
        names = {
            "project": self.project_name, "network": self.network, "home": str(self._home),
            "image": self._parts.images(launcher=self.spec.docker_socket).dagster,
            "socket_group": str(self._socket_group()),
        }  # fmt: skip
        with path.open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(filled(document, names), stream)
        path.chmod(0o644)

    def _socket_group(self) -> int | None:
        return Path(SOCKET).stat().st_gid if self.spec.docker_socket else None

    def _entry(self) -> Entry:
        name = self.project_name
        entry = Entry(id=name, kind="compose", name=f"lab {self.folder.name}", project=name)
        return on_this_engine(entry)

    def _save_logs(self) -> None:
        services = ("postgres", "webserver", "daemon", *(s.name for s in self.spec.servers))
        named = {service: self._project.containers(service) for service in services}
        for name, containers in {**named, "started": self.started()}.items():
            for number, container in enumerate(containers, start=1):
                text = container.logs(tail=2000).decode(errors="replace")
                (self.folder / f"{name}-{number}.log").write_text(text, encoding="utf-8")


def _serves(server: LabServer) -> Readiness:
    try:
        server.client.server_id(2.0)
    except Exception as error:  # whatever gRPC or the engine says, it is not serving yet
        return _readiness(server.container, f"GetServerId: {type(error).__name__}")
    return READY


def _readiness(container: Container, problem: str) -> Readiness:
    state = state_of(container)
    if state and not state.get("Running"):
        oom = bool(state.get("OOMKilled"))
        reason = exit_reason("the container", state.get("ExitCode"), oom=oom)
        tail = container.logs(tail=12).decode(errors="replace")
        return Never(reason, evidence=tail)
    return NotYet(problem) if problem else READY


def _yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return loaded
