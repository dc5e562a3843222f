"""The upstream server as a child process: what the I/O workloads wait on."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from harness.rig.assets import asset
from harness.rig.ledger import Ledger
from harness.rig.target.child import ChildProcess, Launch
from harness.rig.target.readiness import (
    READY,
    Never,
    NotYet,
    Readiness,
    exit_reason,
    wait_ready,
)

READY_TIMEOUT_S = 20
STOP_S = 0.5
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)$", re.MULTILINE)


class Upstream:
    """`compose/upstream/server.py` on a port of its own choosing."""

    def __init__(self, *, log: Path, ledger: Ledger) -> None:
        self._log = log
        self._ledger = ledger
        self._child: ChildProcess | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """Its pid, once started."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it and wait until it has said where it listens.

        Raises:
            TargetFailed: it exited or said nothing.
        """
        server = asset("compose/upstream/server.py")
        # Standard library only, so our own interpreter serves, before any environment is made.
        command = (sys.executable, "-I", str(server), "--host", "127.0.0.1", "--port", "0")
        env = {"PATH": os.defpath, "LANG": "C.UTF-8"}
        launch = Launch(name="upstream", command=command, log=self._log, env=env, cwd=server.parent)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)  # an earlier start's port must not be read
        self._child = ChildProcess.start(launch, self._ledger)
        wait_ready(self._look, what="The upstream server", timeout_s=READY_TIMEOUT_S, log=self._log)

    def stop(self) -> None:
        """End it. Safe to call twice, and half-started."""
        if self._child is not None:
            self._child.stop(STOP_S)

    def _look(self) -> Readiness:
        assert self._child is not None
        exit_code = self._child.exit()
        if exit_code is not None:
            return Never(exit_reason("it", exit_code))
        found = _LISTENING.search(self._log.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            return NotYet("it has not said where it listens")
        self.url = f"http://127.0.0.1:{found.group(1)}"
        return READY
