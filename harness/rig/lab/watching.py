"""Looks at servers at a steady rate while something else happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from harness.rig.lab.servers import LabServer


class Watch:
    """A thread that looks at every server each `period_s`, from `with` to its end.

    `looks`: what was seen, oldest first, each with `at_s` (epoch) and `server`. A server that has
    ended has no more looks.
    """

    def __init__(self, servers: Sequence[LabServer], *, period_s: float = 0.5) -> None:
        self._servers = tuple(servers)
        self._period_s = period_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lab-watch", daemon=True)
        self.looks: list[dict[str, Any]] = []

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)

    def highest(self, key: str, server: str | None = None) -> float | None:
        """The largest value of a key, of one server or of all."""
        seen = [
            look[key] for look in self.looks if key in look and server in (None, look["server"])
        ]
        return max(seen, default=None)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stopped.wait(max(0.0, due_s - time.monotonic())):
            for server in self._servers:
                at_s = time.time()
                try:
                    seen = server.look()
                except (OSError, ValueError):
                    continue  # it ended between two reads
                if seen:
                    self.looks.append({"at_s": at_s, "server": server.name, **seen})
            due_s = max(due_s + self._period_s, time.monotonic())
