"""Running the `py-spy` command: one dump at a time, and what it cost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LOOK_S = 0.01
_REFUSALS = ("permission denied", "operation not permitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """What one call gave. `text` is JSON, empty when it failed; `cpu_s` is what the call cost."""

    text: str
    problem: str
    cpu_s: float

    @property
    def refused(self) -> bool:
        """Whether it failed for want of the right to read another process."""
        return any(words in self.problem.lower() for words in _REFUSALS)


class PySpy:
    """The command. `close` may come from another thread and ends a call under way."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._closed = False

    def __call__(self, pid: int, timeout_s: float) -> Dump:
        """Dump the stacks of a process, which is not paused; killed after `timeout_s` seconds.

        Raises:
            OSError: the command cannot be started.
        """
        # Files, not pipes: nobody has to read while we wait for the exit and its bill.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if not self._start(pid, out, err):
                return Dump(text="", problem="closed", cpu_s=0.0)
            code, cpu_s = self._wait(time.monotonic() + timeout_s)
            text, said = _content(out), _content(err)
        if code == 0:
            return Dump(text=text, problem="", cpu_s=cpu_s)
        return Dump(text="", problem=said.strip() or f"exit code {code}", cpu_s=cpu_s)

    def close(self) -> None:
        """Start nothing more, end what runs. Safe to call twice."""
        with self._lock:
            self._closed = True
        self._kill()

    def _start(self, pid: int, out: IO[bytes], err: IO[bytes]) -> bool:
        command = [self._command, "dump", "--nonblocking", "--json", "--pid", str(pid)]
        with self._lock:
            if self._closed:
                return False
            # A session of its own: Ctrl-C reaches the harness alone.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
            process.returncode = 0  # we reap it ourselves: only wait4 tells what one child cost
            self._pid = process.pid
        return True

    def _wait(self, until_s: float) -> tuple[int, float]:
        """The exit code (−signal where one ended it) and the CPU seconds used."""
        while True:
            with self._lock:  # a pid is ours to kill until it is reaped
                assert self._pid is not None
                ended, status, usage = os.wait4(self._pid, os.WNOHANG)
                if ended:
                    self._pid = None
                    code = os.waitstatus_to_exitcode(status)
                    return code, usage.ru_utime + usage.ru_stime
            if time.monotonic() > until_s:
                self._kill()
            time.sleep(_LOOK_S)

    def _kill(self) -> None:
        with self._lock:
            if self._pid is not None:
                os.kill(self._pid, signal.SIGKILL)


def find_command() -> str | None:
    """The `py-spy` command: on the path, or where this Python's own commands are."""
    return shutil.which("py-spy") or shutil.which("py-spy", path=Path(sys.executable).parent)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
