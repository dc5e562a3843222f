"""Child processes that cannot be lost: own session, own log, in the ledger, dying with us.

A launcher program stands between fork and exec. It waits until the parent has put it into its
cgroup and its ledger entry is written, drops root where asked, ties its life to ours, and then
becomes the real command: the command never runs a single instruction outside its limits.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import TargetFailed
from harness.rig.ledger import TOKEN_VARIABLE, Entry, Ledger, kill_entry, started_s

# PR_SET_PDEATHSIG is 1. It is lost when a process changes its user, hence the order; and it
# follows the *thread* that forked, hence one thread per child in `ChildProcess`.
_LAUNCHER = """
import ctypes, os, signal, sys
# A shell starts background jobs with SIGINT ignored; Dagster copies that onto SIGTERM, and a
# server that ignores both cannot be asked to stop.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
gate, parent, death, uid, gid = map(int, sys.argv[1:6])
if os.read(gate, 1) != b"g":
    sys.exit(125)
os.close(gate)
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, death)
    if os.getppid() != parent:
        sys.exit(125)
try:
    os.execvp(sys.argv[6], sys.argv[6:])
except OSError as error:
    print(f"{sys.argv[6]}: {error}", file=sys.stderr)
    sys.exit(127)
"""


def free_ports(count: int) -> tuple[int, ...]:
    """Different TCP ports of 127.0.0.1 that nobody listens on right now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(int(one.getsockname()[1]) for one in sockets)


class Box(Protocol):
    """What this module needs of a cgroup."""

    def add(self, pid: int) -> None:
        """Move a process in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start.

    `env` is the whole environment, `user` (uid, gid) to become, `if_orphaned` the signal it
    gets when we die (Linux).
    """

    name: str
    command: tuple[str, ...]
    log: Path
    env: Mapping[str, str]
    cwd: Path
    box: Box | None = None
    user: tuple[int, int] | None = None
    if_orphaned: signal.Signals = signal.SIGKILL


class ChildProcess:
    """A running child. Make one with `start`."""

    def __init__(self, launch: Launch, ledger: Ledger) -> None:
        self.name = launch.name
        self.log = launch.log
        self._launch = launch
        self._ledger = ledger
        self._entry = Entry(id=uuid.uuid4().hex, kind="process", name=launch.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._problem: Exception | None = None
        self._forked = threading.Event()
        self._ended = threading.Event()

    @classmethod
    def start(cls, launch: Launch, ledger: Ledger) -> ChildProcess:
        """Start it; returns once it is in its cgroup and in the ledger, about to exec.

        Raises:
            TargetFailed: it could not be started; nothing is left of it.
        """
        child = cls(launch, ledger)
        threading.Thread(target=child._live, name=f"child-{launch.name}", daemon=True).start()
        child._forked.wait()
        if child._problem is not None:
            raise TargetFailed(
                f"{launch.name} could not be started.", evidence=str(child._problem)
            ) from child._problem
        return child

    @property
    def pid(self) -> int:
        """Its pid, which is also its session id. May have ended."""
        assert self._process is not None
        return self._process.pid

    def exit(self) -> int | None:
        """Its exit code (−signal where a signal ended it), or `None` while it runs."""
        return self._process.returncode if self._process and self._ended.is_set() else None

    def stop(self, grace_s: float, *, first: signal.Signals = signal.SIGTERM) -> None:
        """Ask, wait up to `grace_s` seconds, then kill it and everything it started.

        Safe to call twice. Its orphans are found by the token in their environment, so they
        go even where it has already exited.
        """
        if self.exit() is None:
            self._signal(first)
            self._ended.wait(grace_s)
        kill_entry(self._entry)
        self._ended.wait(5)
        self._ledger.remove(self._entry.id)

    def kill_orphans(self) -> int:
        """Kill what an exited child left running; how many there were."""
        return kill_entry(self._entry) if self.exit() is not None else 0

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _live(self) -> None:
        """The child's whole life, in a thread of its own: fork, admit, reap."""
        try:
            gate, opener = os.pipe()
            try:
                self._process = self._fork(gate)
            finally:
                os.close(gate)
            try:
                self._admit(self._process.pid)
                os.write(opener, b"g")
            finally:
                os.close(opener)
        except Exception as error:
            self._problem = error
            if self._process is not None:
                self._process.kill()
                self._ledger.remove(self._entry.id)
        finally:
            self._forked.set()
        if self._process is not None:
            self._process.wait()
        self._ended.set()

    def _fork(self, gate: int) -> subprocess.Popen[bytes]:
        launch = self._launch
        uid, gid = launch.user or (-1, -1)
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
        numbers = [str(number) for number in (gate, os.getpid(), int(launch.if_orphaned), uid, gid)]
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        with launch.log.open("ab") as log:
            return subprocess.Popen(
                [*launcher, *numbers, *launch.command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=launch.cwd,
                env={**launch.env, TOKEN_VARIABLE: self._entry.id}, pass_fds=(gate,),
                start_new_session=True,
            )  # fmt: skip

    def _admit(self, pid: int) -> None:
        if self._launch.box is not None:
            self._launch.box.add(pid)
        self._entry = self._ledger.add(
            Entry(
                id=self._entry.id, kind="process", name=self.name,
                pid=pid, created_s=started_s(pid), at_s=time.time(),
            )
        )  # fmt: skip
