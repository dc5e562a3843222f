"""One container of a lab, looked at from the host and handled as an operator would."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from docker.errors import DockerException
from docker.models.containers import Container

from harness.errors import TargetFailed
from harness.rig.cgroup import CgroupReader, CgroupStats
from harness.rig.cgroup.locate import find
from harness.rig.code_server_rpc import CallError, CodeServerClient
from harness.rig.lab.documents import PORT
from harness.rig.target.compose_project import pid_of, port_of, state_of
from harness.rig.telemetry.processes import ServerTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a container ended: its exit code, whether the engine says OOM, and how long it took
    from being asked.
    """

    exit_code: int | None
    oom_killed: bool
    took_s: float


class LabServer:
    """A running container.

    Args:
        container: of the engine.
        name: `server-1`: service and number of the replica.
    """

    def __init__(self, container: Container, name: str) -> None:
        self.container = container
        self.name = name
        self.pid = pid_of(container)
        self._tree = ServerTree(self.pid)
        self._all = Tree(self.pid)
        self._reader: CgroupReader | None = find(self.pid) if self.pid else None
        self._client: CodeServerClient | None = None

    @property
    def running(self) -> bool:
        """Whether it runs, as the engine says now."""
        return bool(state_of(self.container).get("Running"))

    @property
    def address(self) -> str:
        """Where its gRPC port is published on this host.

        Raises:
            TargetFailed: nowhere: it does not run.
        """
        return f"127.0.0.1:{port_of(self.container, PORT)}"

    @property
    def client(self) -> CodeServerClient:
        """A client over a channel that stays open."""
        if self._client is None:
            self._client = CodeServerClient(self.address)
        return self._client

    def current_runs(self, timeout_s: float = 20.0) -> tuple[str, ...]:
        """Ids of the runs it holds, as it says; none where it has ended or does not answer."""
        with contextlib.suppress(CallError, TargetFailed, DockerException):
            return self.client.current_runs(timeout_s)
        return ()

    def stats(self) -> CgroupStats | None:
        """What the kernel accounts to it; `None` once it has ended."""
        return self._reader.read() if self._reader is not None else None

    def reset_peak(self) -> bool:
        """Start the kernel's memory peak anew; `False` where it cannot."""
        return self._reader is not None and self._reader.reset_peak()

    def processes(self) -> list[psutil.Process]:
        """The living processes inside, its first one first."""
        return self._all.processes()

    def pss_bytes(self) -> int:
        """PSS of all its processes together; those that end meanwhile are left out."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total

    def look(self) -> dict[str, float]:
        """Everything cheap at one moment, flat: an observation. Empty once it has ended.

        Keys: those of `ServerTree.look` (`resident_runs steps server_threads server_rss_bytes …`;
        PSS at every fifth look), `processes`, and of the cgroup `usage_bytes working_set_bytes
        anon_bytes peak_bytes oom_kills cpu_s periods throttled_periods`.
        """
        stats = self.stats()
        if stats is None:
            return {}
        told = {
            name: getattr(stats, name)
            for name in ("usage_bytes", "working_set_bytes", "anon_bytes", "peak_bytes",
                         "oom_kills", "cpu_s", "periods", "throttled_periods")
        }  # fmt: skip
        known = {name: float(value) for name, value in told.items() if value is not None}
        return {**self._tree.look(), **known, "processes": float(len(self.processes()))}

    def run(self, *command: str) -> str:
        """Run a command inside, as the server's user; what it printed.

        Raises:
            TargetFailed: it ended with another code than 0.
        """
        code, output = self.container.exec_run(list(command))
        text = output.decode(errors="replace") if isinstance(output, bytes) else ""
        if code:
            shown = " ".join(command)[:80]
            raise TargetFailed(f"`{shown}` ended with {code} in {self.name}.", evidence=text[-800:])
        return text

    def stop(self, grace_s: float) -> Exit:
        """SIGTERM, and after `grace_s` SIGKILL; blocks until it has ended."""
        began_s = time.monotonic()
        # The engine's own answer may take as long as the grace.
        with contextlib.suppress(DockerException, OSError):
            self.container.stop(timeout=int(grace_s))
        return self._exit(began_s)

    def kill(self) -> Exit:
        """SIGKILL to its first process: everything in it is gone at once."""
        began_s = time.monotonic()
        with contextlib.suppress(DockerException):
            self.container.kill()
            self.container.wait(timeout=30)
        return self._exit(began_s)

    def state(self) -> dict[str, Any]:
        """The engine's `State`."""
        return state_of(self.container)

    def log(self, lines: int = 200) -> str:
        """The end of what it said."""
        with contextlib.suppress(DockerException):
            return str(self.container.logs(tail=lines).decode(errors="replace"))
        return ""

    def close(self) -> None:
        """Let go of files and channels; the container is the lab's."""
        if self._client is not None:
            self._client.close()
        if self._reader is not None:
            self._reader.close()

    def _exit(self, began_s: float) -> Exit:
        state = self.state()
        return Exit(
            exit_code=state.get("ExitCode"), oom_killed=bool(state.get("OOMKilled")),
            took_s=time.monotonic() - began_s,
        )  # fmt: skip


def named(containers: Sequence[Container], service: str) -> list[LabServer]:
    """The replicas of one service, by number from 1."""
    return [LabServer(each, f"{service}-{n}") for n, each in enumerate(containers, start=1)]
