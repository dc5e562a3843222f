"""One life of the code server under test: its cgroup, its process, its death."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.cgroup import CgroupReader
from harness.rig.cgroup.create import PREFIX, CgroupBox, list_boxes
from harness.rig.code_server_rpc import CallError, CodeServerClient
from harness.rig.ledger import Entry, Ledger
from harness.rig.protocols import Replica, ServerDeath
from harness.rig.target.child import ChildProcess, Launch
from harness.rig.target.readiness import (
    READY,
    Never,
    NotYet,
    Readiness,
    exit_reason,
    log_tail,
    wait_ready,
)
from harness.units import show_bytes

NAME = "code-server-1"
STOP_S = 1.5
ASK_S = 2.0
UNLIMITED = Limits(cpu_cores=None, memory_bytes=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSetup:
    """How to start one life. `life` counts from 0; `launch` has no cgroup yet."""

    launch: Launch
    limits: Limits
    port: int
    life: int
    ledger: Ledger
    say: Callable[[str], None]


class ServerProcess:
    """A server process with its cgroup, where one can be made.

    After `start`, `limits` is what the kernel enforces; where it is `None`, `unenforced` says
    why.
    """

    def __init__(self, setup: ServerSetup) -> None:
        self.life = setup.life
        self.limits: Limits | None = None
        self.unenforced = "not started"
        self._setup = setup
        self._address = f"127.0.0.1:{setup.port}"
        self._child: ChildProcess | None = None
        self._box: CgroupBox | None = None
        self._reader: CgroupReader | None = None
        self._death: ServerDeath | None = None
        self._stopped = False
        self._taken = ExitStack()

    def start(self) -> None:
        """Make the cgroup and start the process inside it; does not wait until it serves.

        Raises:
            TargetFailed: the process could not be started.
        """
        setup = self._setup
        self._box = self._make_box()
        self._child = ChildProcess.start(replace(setup.launch, box=self._box), setup.ledger)
        self._taken.callback(self._child.stop, STOP_S)

    def wait_ready(self, timeout_s: float) -> None:
        """Block until it answers `GetServerId`.

        Raises:
            TargetFailed: it exited, or time is up.
        """
        client = CodeServerClient(self._address)
        try:
            wait_ready(
                lambda: self._look(client),
                what="The code server",
                timeout_s=timeout_s,
                log=self._setup.launch.log,
            )
        finally:
            client.close()

    def replica(self) -> Replica:
        """For telemetry. Without a cgroup of its own there is none to look at."""
        assert self._child is not None
        pool = self._setup.launch.env.get("POOL_PROBE")
        return Replica(
            name=NAME,
            pid=self._child.pid,
            cgroup_pid=self._child.pid if self._box else None,
            grpc_address=self._address,
            limits=self.limits or UNLIMITED,
            pool_path=self._setup.launch.cwd / pool if pool else None,
        )

    def death(self) -> ServerDeath | None:
        """How it died; `None` while it lives. The first call after death kills its orphans."""
        if self._death is None and self._child is not None and not self._stopped:
            exit_code = self._child.exit()
            if exit_code is not None:
                self._death = self._examine(exit_code)
        return self._death

    def stop(self) -> None:
        """End the process, everything in its cgroup, and the cgroup. Safe to call twice."""
        self._stopped = True
        self._taken.close()

    def _make_box(self) -> CgroupBox | None:
        setup = self._setup
        name = f"{PREFIX}server-{secrets.token_hex(4)}-{setup.life}"
        # Before the cgroup is made: a kill in between must not leave one that nobody knows of.
        entry = setup.ledger.add(Entry(id=name, kind="cgroup", name=NAME, box=name))
        try:
            box = CgroupBox.create(name, setup.limits)
        except EnvironmentProblem as problem:
            setup.ledger.remove(entry.id)
            self.unenforced = " ".join(p for p in (problem.what, problem.evidence) if p)
            setup.say(f"limits: unenforced. {self.unenforced}")
            return None
        self._taken.callback(setup.ledger.remove, entry.id)
        self._taken.callback(_dissolve, box)
        self._reader = box.reader()
        self._taken.callback(self._reader.close)
        self.limits, self.unenforced = box.limits(), ""
        return box

    def _look(self, client: CodeServerClient) -> Readiness:
        death = self.death()
        if death is not None:
            memory_bytes = self._setup.limits.memory_bytes
            raise_it = f"Raise the profile's memory (now {show_bytes(memory_bytes or 0)})."
            return Never(
                exit_reason("the server", death.exit_code, oom=death.oom),
                evidence=death.log_tail,
                hint=raise_it if death.oom and memory_bytes else "",
            )
        try:
            client.server_id(ASK_S)
        except CallError as error:
            return NotYet(f"GetServerId: {error.code}")
        return READY

    def _examine(self, exit_code: int) -> ServerDeath:
        """The inquest. In a container all processes go with the first one; here we see to it."""
        assert self._child is not None
        killed = exit_code == -signal.SIGKILL
        oom_kills = self._oom_kills()
        if self._box is not None:
            self._box.kill()
        self._child.kill_orphans()
        witnesses = []
        if oom_kills:
            witnesses.append(f"cgroup: oom_kill {oom_kills}")
        if killed:
            witnesses.append("exit 137 (SIGKILL)")
        return ServerDeath(
            replica=NAME,
            exit_code=exit_code if exit_code >= 0 else 128 - exit_code,
            # The kernel's count alone may be about a run; with a SIGKILL nobody else sends, it
            # was the server.
            oom=killed and bool(oom_kills),
            witnesses=tuple(witnesses),
            log_tail=log_tail(self._setup.launch.log),
        )

    def _oom_kills(self) -> int:
        stats = self._reader.read() if self._reader is not None else None
        return (stats.oom_kills or 0) if stats is not None else 0


def remove_box(entry: Entry) -> int:
    """Remover for the ledger's `cgroup` entries; how many there were.

    Raises:
        EnvironmentProblem: it cannot be emptied or removed.
    """
    boxes = [box for box in list_boxes() if box.name == entry.box]
    for box in boxes:
        _dissolve(box)
    return len(boxes)


def _dissolve(box: CgroupBox) -> None:
    box.kill()
    box.remove()
