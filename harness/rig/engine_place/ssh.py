"""One ssh connection to an engine's host, and what is forwarded through it.

OpenSSH itself, as a master that other `ssh` commands control: the user's settings, agent and
known hosts apply, and nobody is asked for a password. The engine's socket and every published
port get an end here; nothing of them is open to others on the network.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from harness.errors import EnvironmentProblem, TargetFailed
from harness.rig.engine_place.place import EnginePlace
from harness.rig.ledger import Entry, Ledger, mark_folder

# A leaf of `target` that knows nothing of engines: children that cannot be lost.
from harness.rig.target.child import ChildProcess, Launch

CONNECT_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 20.0
ALIVE_EVERY_S, ALIVE_MISSED = 5, 3
"""A connection that says nothing for so many times so long is given up: no call hangs longer."""

FORWARD_TRIES = 5
LONGEST_SOCKET_PATH = 80
"""The kernel allows 107 bytes; ssh adds 17 while it makes one."""


class SshConnection:
    """A living master. Make one with `open`; close it, or it ends with us."""

    def __init__(self, place: EnginePlace, folder: Path, ledger: Ledger) -> None:
        self._place = place
        self._folder = folder
        self._ledger = ledger
        self._entry = Entry(id=uuid.uuid4().hex, kind="folder", name="ssh", path=str(folder))
        self._master: ChildProcess | None = None
        self._ports: dict[int, int] = {}

    @classmethod
    def open(cls, place: EnginePlace, ledger: Ledger | None = None) -> SshConnection:
        """Connect and forward the engine's socket.

        Raises:
            EnvironmentProblem: no `ssh` here, or the host does not let us in without a question.
        """
        if shutil.which("ssh") is None:
            raise EnvironmentProblem(
                "No `ssh` command.", hint="Install OpenSSH's client (Debian: openssh-client)."
            )
        connection = cls(place, _short_folder(), ledger or Ledger.default())
        try:
            connection._start()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def socket(self) -> Path:
        """The engine's socket, as it can be used here."""
        return self._folder / "engine"

    def port(self, there: int) -> int:
        """A port of 127.0.0.1 that leads to a port of 127.0.0.1 there; the same for the same.

        Raises:
            TargetFailed: the connection is gone, or the host forwards nothing.
        """
        if there not in self._ports:
            self._ports[there] = self._forward_port(there)
        return self._ports[there]

    def lost(self) -> str:
        """Why the connection is no more; empty while it lives."""
        code = self._master.exit() if self._master is not None else None
        if code is None:
            return ""
        return f"ssh ended with exit code {code}. {self._said()}".strip()

    def close(self) -> None:
        """End it and all it forwards. Safe to call twice."""
        if self._master is not None:
            self._master.stop(grace_s=3)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._ledger.remove(self._entry.id)

    def _start(self) -> None:
        self._ledger.add(self._entry)
        mark_folder(self._folder)
        self._master = ChildProcess.start(
            Launch(
                name=f"ssh to {self._place.host}", command=tuple(_master_command(self._place,
                self._control)), log=self._folder / "log", env=os.environ, cwd=self._folder,
                if_orphaned=signal.SIGTERM,
            ),
            self._ledger,
        )  # fmt: skip
        deadline_s = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._control.exists() or self._ask("check") is not None:
            if self.lost() or time.monotonic() > deadline_s:
                raise self._refused()
            time.sleep(0.05)
        problem = self._ask("forward", "-L", f"{self.socket}:{self._place.socket}")
        if problem is not None:
            raise EnvironmentProblem(
                f"{self._place.host} does not forward its engine's socket by ssh.",
                evidence=problem,
                hint="Its ssh server must allow it (AllowStreamLocalForwarding yes).",
            )

    def _refused(self) -> EnvironmentProblem:
        words = f"ssh {self._place.host}"
        return EnvironmentProblem(
            f"{self._place.host} cannot be reached by ssh.",
            evidence=self._said() or f"no connection within {CONNECT_TIMEOUT_S:.0f} s",
            hint=f"`{words} docker version` must work without any question: a key in the agent, "
            "the host known.",
        )

    def _forward_port(self, there: int) -> int:
        problem: str | None = ""
        for _ in range(FORWARD_TRIES):  # somebody else may take the port in between
            here = _free_port()
            problem = self._ask("forward", "-L", f"127.0.0.1:{here}:127.0.0.1:{there}")
            if problem is None:
                return here
        raise TargetFailed(
            f"Port {there} of {self._place.host} cannot be reached by ssh.",
            evidence=self.lost() or problem or "",
            hint="Its ssh server must allow it (AllowTcpForwarding yes).",
        )

    @property
    def _control(self) -> Path:
        return self._folder / "control"

    def _ask(self, request: str, *options: str) -> str | None:
        """Ask the master; `None`, or what was wrong. No settings of the user's: forwardings among
        them would be asked for as well.
        """
        command = ["ssh", "-F", "/dev/null", "-S", str(self._control), "-O", request, *options]
        try:
            done = subprocess.run(
                [*command, "--", self._place.host], capture_output=True, text=True, check=False,
                timeout=COMMAND_TIMEOUT_S, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"ssh -O {request} did not answer in {COMMAND_TIMEOUT_S:.0f} s"
        return None if done.returncode == 0 else (done.stderr or done.stdout).strip()

    def _said(self) -> str:
        """The last lines ssh wrote."""
        try:
            text = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(line.strip() for line in text.splitlines()[-4:] if line.strip())


def _master_command(place: EnginePlace, control: Path) -> list[str]:
    options = (
        "BatchMode=yes", "ExitOnForwardFailure=yes", "ControlPersist=no", "ForwardAgent=no",
        "ForwardX11=no", "ConnectTimeout=15", f"ServerAliveInterval={ALIVE_EVERY_S}",
        f"ServerAliveCountMax={ALIVE_MISSED}",
        # Those of the user's settings, which another ssh of theirs may hold already.
        "ClearAllForwardings=yes",
    )  # fmt: skip
    command = ["ssh", "-M", "-N", "-T", "-S", str(control)]
    command += [word for option in options for word in ("-o", option)]
    command += ["-p", str(place.port)] if place.port else []
    command += ["-l", place.user] if place.user else []
    return [*command, "--", place.host]


def _short_folder() -> Path:
    """A private folder whose path is short enough for sockets in it."""
    usual = Path(tempfile.mkdtemp(prefix="dlh-ssh-"))
    if len(str(usual / "control")) <= LONGEST_SOCKET_PATH:
        return usual
    usual.rmdir()
    return Path(tempfile.mkdtemp(prefix="dlh-ssh-", dir="/tmp"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
