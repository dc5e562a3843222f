"""The `process` target: the code server as a child process in a cgroup of its own.

For machines without a container engine. Database, upstream, webserver and daemon run beside it
without limits; only the server, with the runs it starts, is in the box.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.campaign.plan import CellPlan
from harness.errors import CampaignError
from harness.facts.model import Limits
from harness.rig.ledger import Entry, Ledger, mark_folder
from harness.rig.protocols import Endpoints, ServerDeath, Watched
from harness.rig.target.cell_settings import (
    LOOPBACK,
    describe_feed,
    instance_name,
    queue_environment,
    web_host,
)
from harness.rig.target.child import ChildProcess, Launch, free_ports
from harness.rig.target.dagster_home import (
    dagster_environment,
    server_command,
    workload_environment,
    write_home,
    write_workspace,
)
from harness.rig.target.postgres import Postgres
from harness.rig.target.process_server import ServerProcess, ServerSetup
from harness.rig.target.process_upstream import Upstream
from harness.rig.target.python_env import ensure_env
from harness.rig.target.readiness import READY, Never, NotYet, Readiness, exit_reason, wait_ready
from harness.rig.target.software import Software, describe_software, release

READY_TIMEOUT_S = 120.0
SUPPORT_STOP_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """What may differ from the ordinary.

    `software`: left out, the release the cell names. `cache` is where environments are kept.
    `web_address`: the address of this host at which load workers reach the webserver.
    """

    software: Software | None = None
    cache: Path | None = None
    pool_probe: bool = True
    web_address: str = LOOPBACK
    ready_timeout_s: float = READY_TIMEOUT_S
    say: Callable[[str], None] = field(default=lambda _: None)


class ProcessTarget:
    """Hosts one cell in child processes. Implements `harness.rig.protocols.Target`.

    Args:
        cell: what to host.
        folder: the cell's results folder; logs stay in `logs/`, `work/` is removed at the end.
        limits: for the server and its runs together.
        ledger: where everything started is written down.
        options: see there.

    Raises:
        CampaignError: more than one replica; they would need a name that resolves to all.
    """

    def __init__(
        self,
        cell: CellPlan,
        folder: Path,
        *,
        limits: Limits,
        ledger: Ledger | None = None,
        options: ProcessOptions | None = None,
    ) -> None:
        if cell.replicas > 1:
            raise CampaignError(
                f"The process target hosts one server, not {cell.replicas}.",
                hint="Use --target compose, or replicas: [1].",
            )
        self._cell = cell
        self._limits = limits
        self._ledger = ledger or Ledger.default()
        self._options = options or ProcessOptions()
        self._work = folder.absolute() / "work"
        self._logs = folder.absolute() / "logs"
        self._home = self._work / "home"
        self._scratch = self._work / "scratch"
        self._postgres = Postgres(self._work, log=self._log("postgres"), ledger=self._ledger)
        self._upstream = Upstream(log=self._log("upstream"), ledger=self._ledger)
        self._support: dict[str, ChildProcess] = {}
        self._server: ServerProcess | None = None
        self._software = self._options.software
        self._reported: str | None = None
        self._python = Path()
        self._ports = (0, 0)
        self._location = ""
        self._running = ExitStack()

    def start(self) -> Endpoints:
        """Bring everything up; what does not need one another starts side by side.

        Raises:
            EnvironmentProblem: no environment for this Dagster, or no database, can be made.
            TargetFailed: something exited or did not answer in time; nothing is left running.
        """
        try:
            self._prepare()
            self._say("Starting the database and the upstream server")
            self._start_below()
            self._say("Starting the code server")
            self._running.callback(self._end_server)
            self._serve(self._new_server())
            # Only now: a webserver that finds no server marks the location as broken, and looks
            # again after 10 s.
            self._say("Starting the webserver")
            self._start_webserver()
            if self._cell.needs_daemon:
                # After the webserver, which by now has made the instance's tables.
                self._start_support("daemon", "dagster._daemon", "run", *self._workspace())
            return self._endpoints()
        except BaseException:
            self.stop()
            raise

    def describe(self) -> Mapping[str, Any]:
        """Versions, limits and the numbers Dagster sees of this machine."""
        server = self._server
        software = describe_software(self._software, self._reported) if self._software else {}
        return {
            # By name, not by path: results travel, home folders do not.
            "environment": self._python.parent.parent.name,
            **software,
            "postgres": self._postgres.version,
            "limits": "enforced" if server and not server.unenforced else "unenforced",
            "limits_reason": server.unenforced if server else "not started",
            # No cgroup changes this: Dagster's own defaults for workers and steps come from it.
            "cpu_count_seen": os.cpu_count(),
            "multiprocess_max_concurrent": None,
            **describe_feed(self._cell),
        }

    def effective_limits(self) -> Limits | None:
        """The limits the kernel showed when the server started; `None`: unenforced."""
        return self._server.limits if self._server else None

    def deaths(self) -> tuple[ServerDeath, ...]:
        """The server's death, from when it is noticed until `restart`.

        As in a container, nothing of it survives its first process: runs still alive are
        killed here.
        """
        death = self._server.death() if self._server else None
        return (death,) if death else ()

    def restart(self) -> Endpoints:
        """A new server process in a fresh cgroup on the same port; all else stays.

        Raises:
            TargetFailed: the new server does not serve.
        """
        self._say("Starting a fresh server")
        lives = self._server.life + 1 if self._server else 0
        self._end_server()
        self._serve(self._new_server(lives))
        return self._endpoints()

    def stop(self) -> None:
        """Take everything down in reverse order, within 8 s. Logs stay."""
        self._running.close()

    def _prepare(self) -> None:
        entry = Entry(id=secrets.token_hex(8), kind="folder", name="work", path=str(self._work))
        self._running.callback(self._ledger.remove, entry.id)
        self._running.callback(shutil.rmtree, self._work, ignore_errors=True)
        self._ledger.add(entry)
        mark_folder(self._work)
        for folder in (self._logs, self._scratch):
            folder.mkdir(parents=True, exist_ok=True)
        server_port, web_port = free_ports(2)
        self._ports = (server_port, web_port)
        write_home(self._home, instance=instance_name(self._cell), scratch=self._scratch)
        _, self._location = write_workspace(self._home, port=self._ports[0])

    def _start_below(self) -> None:
        self._running.callback(self._postgres.stop)
        self._running.callback(self._upstream.stop)
        options = self._options
        software = self._software = self._software or release(self._cell.dagster, say=options.say)
        with ThreadPoolExecutor(max_workers=3) as pool:
            python = pool.submit(ensure_env, software, options.cache, progress=options.say)
            others = [pool.submit(self._postgres.start), pool.submit(self._upstream.start)]
            self._python = python.result()
            for other in others:
                other.result()

    def _new_server(self, life: int = 0) -> ServerProcess:
        pool_path = self._work / f"pool-{life}.jsonl" if self._options.pool_probe else None
        own = workload_environment(
            self._cell,
            scratch=self._scratch,
            upstream_url=self._upstream.url,
            pool_path=pool_path,
        )
        launch = Launch(
            name="code-server",
            command=server_command(self._python, self._cell, port=self._ports[0]),
            log=self._log("code-server"),
            env=self._environment() | own,
            cwd=self._scratch,
        )
        return ServerProcess(
            ServerSetup(
                launch=launch, limits=self._limits, port=self._ports[0], life=life,
                ledger=self._ledger, say=self._options.say,
            )
        )  # fmt: skip

    def _serve(self, server: ServerProcess) -> None:
        self._server = server
        server.start()
        server.wait_ready(self._options.ready_timeout_s)

    def _end_server(self) -> None:
        if self._server is not None:
            self._server.stop()

    def _start_webserver(self) -> None:
        address = ("--host", self._options.web_address, "--port", str(self._ports[1]))
        self._start_support("webserver", "dagster_webserver", *address, *self._workspace())
        self._wait_webserver()

    def _start_support(self, name: str, module: str, *arguments: str) -> None:
        child = ChildProcess.start(
            Launch(
                name=name, command=(str(self._python), "-m", module, *arguments),
                log=self._log(name), env=self._environment(), cwd=self._scratch,
            ),
            self._ledger,
        )  # fmt: skip
        self._support[name] = child
        self._running.callback(child.stop, SUPPORT_STOP_S)

    def _wait_webserver(self) -> None:
        child = self._support["webserver"]
        # No proxy of the user's shell comes between us and this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def look() -> Readiness:
            exit_code = child.exit()
            if exit_code is not None:
                return Never(exit_reason("it", exit_code))
            try:
                with opener.open(f"{self._web_url()}/server_info", timeout=5) as answer:
                    self._reported = json.load(answer)["dagster_version"]
            except (urllib.error.URLError, OSError) as error:
                return NotYet(str(error))
            return READY

        timeout_s = self._options.ready_timeout_s
        wait_ready(look, what="The webserver", timeout_s=timeout_s, log=child.log)

    def _endpoints(self) -> Endpoints:
        assert self._server is not None
        beside: dict[str, int | None] = {name: child.pid for name, child in self._support.items()}
        beside |= {"postgres": self._postgres.pid, "upstream": self._upstream.pid}
        return Endpoints(
            webserver_url=self._web_url(),
            location=self._location,
            database_dsn=self._postgres.dsn,
            replicas=(self._server.replica(),),
            support=tuple(Watched(name=name, pid=pid) for name, pid in beside.items()),
        )

    def _environment(self) -> dict[str, str]:
        shared = dagster_environment(
            self._home,
            python=self._python,
            scratch=self._scratch,
            database_url=self._postgres.url,
        )
        return shared | queue_environment(self._cell)

    def _workspace(self) -> tuple[str, str]:
        return "--workspace", str(self._home / "workspace.yaml")

    def _web_url(self) -> str:
        return f"http://{web_host(self._options.web_address)}:{self._ports[1]}"

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _say(self, text: str) -> None:
        self._options.say(text)
