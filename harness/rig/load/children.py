"""The generator's processes of one step: one Locust, or a master with its workers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import GeneratorFailed

TERM_PATIENCE_S = 2.0
KILL_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """One process: its command, what is in its environment, where its output goes."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path


class Children:
    """Processes that are started together and ended together; the first one leads."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, spawns: Sequence[Spawn], *, cwd: Path) -> None:
        """Start them, each in a session of its own, so that Ctrl-C reaches only us.

        Their standard input is a pipe that nobody writes to: it closes when we die, even by
        SIGKILL, and they then end themselves. (PR_SET_PDEATHSIG would need code between fork and
        exec, unsafe beside our threads, and follows the thread, not the process.)

        Raises:
            GeneratorFailed: one could not be started; those before it run.
        """
        for spawn in spawns:
            try:
                with spawn.log.open("wb") as log:
                    self._started.append(
                        subprocess.Popen(
                            list(spawn.command), cwd=cwd, env=dict(spawn.environment),
                            stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                            start_new_session=True,
                        )
                    )  # fmt: skip
            except OSError as error:
                raise GeneratorFailed(
                    "The load generator could not be started.", evidence=str(error)
                ) from error

    def exit_code(self) -> int | None:
        """Of the leader, or of another that ended badly; `None` while none has."""
        if not self._started:
            return None
        codes = [child.poll() for child in self._started]
        return codes[0] if codes[0] is not None else next((c for c in codes[1:] if c), None)

    def wait(self, patience_s: float) -> None:
        """Let the leader end by itself, for a while."""
        if self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._started[0].wait(patience_s)

    def stop(self) -> None:
        """End all at once, in at most 3 s. Safe to call twice."""
        started, self._started = self._started, []
        try:
            for child in started:
                if child.poll() is None:
                    child.terminate()
            for child in started:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(TERM_PATIENCE_S)
        finally:
            for child in started:
                _kill(child)


def free_port() -> int:
    """A port of 127.0.0.1 that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait(KILL_PATIENCE_S)
    if child.stdin is not None:
        child.stdin.close()
