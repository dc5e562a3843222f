"""Load workers for a master on this or another host: `python -m harness.rig.load.worker HOST:PORT`.

A Locust worker ends with its step, so it is started again for the next one, until this process is
told to end (Ctrl-C, SIGTERM). It needs this package, Locust, and nothing of the campaign: what to
do comes from the master.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.rig.load.commands import PACKAGE_ROOT, joining

TICK_S = 0.2
SOON_S = 2.0
PAUSE_S = 5.0
PATIENCE_S = 3.0


class Child(Protocol):
    """What we use of `subprocess.Popen`."""

    def poll(self) -> int | None:
        """Its exit code; `None` while it runs."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; raises `subprocess.TimeoutExpired`."""


@dataclass(slots=True, kw_only=True)
class Post:
    """A worker's place, filled again whenever it is empty.

    One that failed at once is waited for: what is wrong is seldom mended in a moment.
    """

    start: Callable[[], Child]
    clock: Callable[[], float] = time.monotonic
    _child: Child | None = None
    _started_s: float = 0.0
    _not_before_s: float = field(default=float("-inf"))

    def look(self) -> None:
        """Start one where there is none and it is time."""
        now_s = self.clock()
        if self._child is not None and (code := self._child.poll()) is not None:
            failed_at_once = code != 0 and now_s - self._started_s < SOON_S
            self._child, self._not_before_s = None, now_s + (PAUSE_S if failed_at_once else 0.0)
        if self._child is None and now_s >= self._not_before_s:
            self._child, self._started_s = self.start(), now_s

    def ask(self) -> None:
        """Ask whoever is there to end."""
        if self._child is not None:
            self._child.terminate()

    def end(self) -> None:
        """Wait for the end of whoever was asked, at most 3 s; then it is made."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def starter(master: str) -> Callable[[], Child]:
    """Starts a Locust worker that writes where we write and ends when we do, however we end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    roots = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), kept.get("PYTHONPATH", ""))))
    environment = {**kept, "PYTHONPATH": roots, "PYTHONUNBUFFERED": "1", "LOAD_WATCH_STDIN": "1"}

    def start() -> Child:
        return subprocess.Popen(
            joining(sys.executable, master), env=environment, stdin=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip

    return start


def main(arguments: Sequence[str] | None = None) -> int:
    """Workers until told to end; 0 then."""
    parser = argparse.ArgumentParser(prog="harness.rig.load.worker", description=__doc__)
    parser.add_argument("master", metavar="HOST:PORT", help="where `harness run` waits for workers")
    parser.add_argument("--count", type=int, default=1, help="so many of them, 1 to 64")
    options = parser.parse_args(arguments)
    if not options.master.rpartition(":")[2].isdigit() or not 1 <= options.count <= 64:
        parser.error("HOST:PORT needs a port, --count is 1 to 64")
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    posts = [Post(start=starter(options.master)) for _ in range(options.count)]
    try:
        while not told:
            for post in posts:
                post.look()
            time.sleep(TICK_S)
    finally:
        for post in posts:
            post.ask()
        for post in posts:
            post.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
