"""The `compose` target: a limited code server in a container, and what feeds it beside it.

One Compose project per cell, with a name of its own, so that cells never meet and one label
removes everything.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from docker.errors import DockerException
from docker.models.containers import Container

from harness.campaign.faults import FaultKind
from harness.campaign.plan import CellPlan
from harness.errors import HarnessError, TargetFailed
from harness.facts.model import Limits
from harness.masking import masked
from harness.rig.breaking import Broken
from harness.rig.cgroup.locate import find
from harness.rig.code_server_rpc import CodeServerClient
from harness.rig.ledger import Entry, Ledger
from harness.rig.protocols import Endpoints, Replica, ServerDeath, Watched
from harness.rig.target import engine
from harness.rig.target.cell_settings import (
    LOOPBACK,
    describe_feed,
    instance_name,
    location_module,
    queue_environment,
    web_host,
)
from harness.rig.target.code.image import CodeImage
from harness.rig.target.code.override import override
from harness.rig.target.compose_project import (
    ComposeProject,
    address_of,
    env_file,
    pid_here,
    pid_of,
    port_of,
    state_of,
)
from harness.rig.target.container_deaths import death_of, never_serves, replica_name
from harness.rig.target.container_logs import LogFollower, tail
from harness.rig.target.elsewhere import Elsewhere, limits_by_engine, on_this_engine
from harness.rig.target.faults.compose_faults import ComposeFaults, disks_override
from harness.rig.target.images import Images, image_id
from harness.rig.target.readiness import READY, NotYet, Readiness, wait_ready
from harness.rig.target.software import Software, describe_software

START_TIMEOUT_S = 120
LOCATION = "under-test"
SUPPORT = ("webserver", "daemon", "postgres", "upstream")


@dataclass(slots=True, kw_only=True)
class ComposeOptions:
    """What a cell's Compose project needs beside the cell itself; `code`: the user's own; `faults`:
    what will be broken in it; `web_address`: the address of this host at which load workers reach
    the webserver.
    """

    images: Images
    software: Software
    limits: Limits
    code: CodeImage | None = None
    faults: frozenset[FaultKind] = frozenset()
    pool_probe: bool = True
    web_address: str = LOOPBACK
    say: Callable[[str], None] = field(default=lambda _: None)


class ComposeTarget:
    """Hosts one cell in one Compose project. Implements `harness.rig.protocols.Target`."""

    def __init__(
        self, cell: CellPlan, folder: Path, *, options: ComposeOptions, ledger: Ledger
    ) -> None:
        self._cell = cell
        self._logs = folder / "logs"
        self._options = options
        self._ledger = ledger
        self._password = secrets.token_urlsafe(18)
        self._project = ComposeProject(
            f"dlh-{secrets.token_hex(5)}",
            self._variables(),
            log=self._logs / "compose.log",
            overrides=self._override_files(),
        )
        self._servers: Sequence[Container] = ()
        self._support: Sequence[Container] = ()
        self._followers: list[LogFollower] = []
        self._started = False
        self._reported: str | None = None
        self._elsewhere = Elsewhere()
        self._faults = ComposeFaults(
            self._project, options.images.dagster, here=self._elsewhere.here
        )

    def start(self) -> Endpoints:
        """Bring the project up, in the order in which its parts need one another.

        Raises:
            TargetFailed: a container exited or nothing answered in time; all is taken down.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._ledger.add(self._entry())
        self._started = True
        try:
            self._write_settings()
            self._say("Starting the database")
            self._project.up("postgres", "upstream")
            self._await("PostgreSQL", self._project.container("postgres"), self._database_answers)
            self._elsewhere.compare_clocks(self._dsn())
            self._say("Starting the code server")
            self._project.up("code-server", scale=self._scale())
            self._adopt_servers()
            self._await_servers()
            # Only now: a webserver that finds no server marks the location as broken, and looks
            # again after 10 s.
            self._say("Starting the webserver")
            self._project.up("webserver")
            self._await("The webserver", self._project.container("webserver"), self._web_answers)
            if self._cell.needs_daemon:
                self._project.up("daemon")
            self._support = [c for name in SUPPORT for c in self._project.containers(name)]
            return self._endpoints()
        except BaseException:
            self.stop()
            raise

    def describe(self) -> Mapping[str, Any]:
        """Image names and digests, software, engine version, project name, feed."""
        names = {"dagster": self._options.images.dagster, "postgres": self._options.images.postgres}
        if self._options.code is not None:
            names["code"] = self._options.code.name
        return {
            "project": self._project.name,
            "images": {key: {"name": n, "id": image_id(n)} for key, n in names.items()},
            **describe_software(self._options.software, self._reported),
            **describe_feed(self._cell),
            **self._elsewhere.describe(self._options.software.version),
        }

    def effective_limits(self) -> Limits | None:
        """The first server's limits as its cgroup says: the kernel's word, not the request. On
        another host the engine's, which is all that is to be had there.
        """
        if self._elsewhere.remote:
            return limits_by_engine(self._servers[0].attrs, engine.probe().info)
        reader = find(pid_of(self._servers[0]))
        return reader.limits() if reader is not None else None

    def deaths(self) -> tuple[ServerDeath, ...]:
        """Servers found exited; reported until `restart` replaces them.

        Raises:
            TargetFailed: the engine does not answer, or a supporting container has exited.
        """
        states = [state_of(container) for container in self._servers]
        if not all(states):
            self._blame_engine()
        for container in self._support:
            state = state_of(container)
            if state and not state.get("Running"):
                raise TargetFailed(
                    f"{container.name} exited with {state.get('ExitCode')} during the measurement.",
                    evidence=tail(container, 8),
                    hint=f"Logs: {self._logs}",
                )
        return tuple(
            death_of(number, container, state, on_purpose=container.id in self._faults.killed)
            for number, (container, state) in enumerate(
                zip(self._servers, states, strict=True), start=1
            )
            if state and not state.get("Running")
        )

    def break_(self, kind: FaultKind) -> Broken:
        """See `harness.rig.breaking.Breakable`.

        Raises:
            TargetFailed: it could not be broken; all is as before.
        """
        return self._faults.break_(kind)

    def restart(self) -> Endpoints:
        """Fresh containers for the servers; database, webserver and daemon stay.

        Raises:
            TargetFailed: the new server does not serve.
        """
        self._say("Starting a fresh server")
        self._close_followers()
        self._project.up("code-server", scale=self._scale(), fresh=True)
        self._adopt_servers()
        self._await_servers()
        return self._endpoints()

    def stop(self) -> None:
        """Save what the support services said, then remove the whole project."""
        if not self._started:
            return
        # Logs are a courtesy; taking things down is a duty.
        with contextlib.suppress(HarnessError, DockerException, OSError):
            self._save_support_logs()
        self._close_followers()
        self._project.remove()
        self._ledger.remove(self._project.name)
        self._started = False

    def _blame_engine(self) -> None:
        """Raise when the engine is really gone; one slow answer under load is not that."""
        problem = engine.probe().problem
        if problem:
            raise TargetFailed(
                "The Docker engine does not answer any more.",
                evidence=problem,
                hint="Start it again, then `harness down` removes what it still holds.",
            )

    def _say(self, text: str) -> None:
        self._options.say(text)

    def _entry(self) -> Entry:
        name = self._project.name
        entry = Entry(id=name, kind="compose", name=f"cell {self._cell.id}", project=name)
        return on_this_engine(entry)

    def _scale(self) -> dict[str, int]:
        return {"code-server": self._cell.replicas}

    def _variables(self) -> dict[str, str]:
        cell, limits = self._cell, self._options.limits
        return {
            "HARNESS_OWNER": "1",
            "HARNESS_CELL": cell.id,
            "DAGSTER_IMAGE": self._options.images.dagster,
            "POSTGRES_IMAGE": self._options.images.postgres,
            "DATABASE_PASSWORD": self._password,
            "INSTANCE": instance_name(cell),
            **queue_environment(cell),
            "LOCATION_MODULE": location_module(cell),
            "MAX_WORKERS": str(cell.max_workers),
            "CPUS": f"{limits.cpu_cores:g}",
            "MEMORY_BYTES": str(limits.memory_bytes),
            "PIDS": str(limits.pids or 4096),
            # Empty: where all ports are published.
            "WEBSERVER_ADDRESS": "" if self._here_only else self._options.web_address,
            "POOL_PROBE": "stderr" if self._options.pool_probe else "",
            "WORKLOAD_EXECUTOR": cell.workload.executor,
            "WORKLOAD_STEPS": str(cell.workload.steps),
            "WORKLOAD_ENV_FILE": str(self._workload_env_file),
        }

    @property
    def _workload_env_file(self) -> Path:
        return (self._logs / "workload.env").absolute()

    def _override_files(self) -> list[Path]:
        """Compose files of this cell beside the one that ships; written when it starts."""
        wanted = {"own-code": self._options.code, "disks": disks_override(self._options.faults)}
        return [
            (self._logs / f"{name}.compose.yaml").absolute() for name, it in wanted.items() if it
        ]

    def _write_settings(self) -> None:
        text = env_file(self._cell.workload.server_environment)
        self._workload_env_file.write_text(text, encoding="utf-8")
        if (image := self._options.code) and (code := self._cell.workload.code):
            secret = Path(code.env_file).expanduser() if code.env_file else None
            text = override(image, max_workers=self._cell.max_workers, env_file=secret)
            (self._logs / "own-code.compose.yaml").write_text(text, encoding="utf-8")
        if disks := disks_override(self._options.faults):
            (self._logs / "disks.compose.yaml").write_text(disks, encoding="utf-8")

    def _adopt_servers(self) -> None:
        self._servers = self._project.containers("code-server")
        self._followers = [
            LogFollower(container, self._logs, name=replica_name(number))
            for number, container in enumerate(self._servers, start=1)
        ]

    def _close_followers(self) -> None:
        for follower in self._followers:
            follower.close()
        self._followers = []

    def _endpoints(self) -> Endpoints:
        webserver = self._project.container("webserver")
        return Endpoints(
            webserver_url=self._web_url(webserver),
            location=LOCATION,
            database_dsn=self._dsn(),
            replicas=tuple(self._replica(number) for number in range(1, len(self._servers) + 1)),
            support=tuple(
                Watched(name=name, pid=(pid := pid_here(c)), cgroup_pid=pid, container=c.id)
                for name in SUPPORT
                for c in self._project.containers(name)
            ),
            elsewhere=self._elsewhere.remote,
            clock=self._elsewhere.clock,
        )

    def _replica(self, number: int) -> Replica:
        container = self._servers[number - 1]
        pid = pid_here(container)
        return Replica(
            name=replica_name(number),
            pid=pid,
            cgroup_pid=pid,
            container=container.id,
            grpc_address=address_of(container, 4000),
            limits=self._options.limits,
            pool_path=self._followers[number - 1].pool_path if self._options.pool_probe else None,
        )

    def _dsn(self) -> str:
        address = address_of(self._project.container("postgres"), 5432)
        return f"postgresql://dagster:{self._password}@{address}/dagster"

    def _await(self, what: str, container: Container, problem: Callable[[Container], str]) -> None:
        def check() -> Readiness:
            state = state_of(container)
            if state and not state.get("Running"):
                return never_serves(container, state, self._options.limits)
            reason = problem(container)
            return NotYet(reason) if reason else READY

        wait_ready(check, what=what, timeout_s=START_TIMEOUT_S)

    def _await_servers(self) -> None:
        for container in self._servers:
            self._await("The code server", container, _server_answers)

    def _database_answers(self, _: Container) -> str:
        try:
            psycopg.connect(self._dsn(), connect_timeout=2).close()
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return ""

    def _web_answers(self, container: Container) -> str:
        url = f"{self._web_url(container)}/server_info"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                self._reported = json.load(answer)["dagster_version"]
        except (urllib.error.URLError, OSError) as error:
            return str(error)
        return ""

    def _web_url(self, container: Container) -> str:
        if self._here_only:
            return f"http://{address_of(container, 3000)}"
        return f"http://{web_host(self._options.web_address)}:{port_of(container, 3000)}"

    @property
    def _here_only(self) -> bool:
        """Whether no load worker elsewhere has to reach the webserver."""
        return self._options.web_address == LOOPBACK

    def _save_support_logs(self) -> None:
        for service in SUPPORT:
            for container in self._project.containers(service):
                text = masked(container.logs(tail=5000).decode(errors="replace"))
                (self._logs / f"{service}.log").write_text(text, encoding="utf-8")


def _server_answers(container: Container) -> str:
    client = CodeServerClient(address_of(container, 4000))
    try:
        client.server_id(2.0)
    except Exception as error:  # whatever gRPC says, it is not serving yet
        return f"GetServerId: {type(error).__name__}"
    finally:
        client.close()
    return ""
