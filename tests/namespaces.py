"""A network namespace as another host: it has an address of its own and reaches this one by one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
COMMAND_TIMEOUT_S = 20
PATIENCE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """`address` is this host's as the namespace sees it."""

    name: str
    address: str

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Namespace]:
        """One with a pair of interfaces, gone afterwards, and whatever ran in it ended."""
        number = os.getpid()
        name, link = f"dlh-test-{number}", f"dlh{number}"
        net = f"10.{213 + number % 40}.{number // 40 % 256}"
        _ip("netns", "add", name)
        try:
            _ip(
                "link", "add", f"{link}a", "type", "veth", "peer", "name", f"{link}b", "netns", name
            )
            _ip("address", "add", f"{net}.1/30", "dev", f"{link}a")
            _ip("link", "set", f"{link}a", "up")
            _ip("-netns", name, "address", "add", f"{net}.2/30", "dev", f"{link}b")
            _ip("-netns", name, "link", "set", f"{link}b", "up")
            _ip("-netns", name, "link", "set", "lo", "up")
            yield cls(name=name, address=f"{net}.1")
        finally:
            for pid in _ip("netns", "pids", name).split():
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(int(pid), 9)
            _ip("netns", "delete", name)

    @contextmanager
    def workers(self, master: str, count: int) -> Iterator[subprocess.Popen[bytes]]:
        """Load workers in it, by the command that is documented for other hosts."""
        inside = ("ip", "netns", "exec", self.name)
        with load_workers(master, count, inside=inside) as started:
            yield started


@contextmanager
def load_workers(
    master: str, count: int, *, inside: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Load workers by the documented command, ended afterwards; `inside`: what it is run with."""
    command = [*inside, sys.executable, "-m", "harness.rig.load.worker", master]
    started = subprocess.Popen(
        [*command, "--count", str(count)], cwd=ROOT, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        started.wait(COMMAND_TIMEOUT_S)


def called(word: str, ancestor: psutil.Process) -> list[psutil.Process]:
    """Processes below that have this word in their command line and are not ending."""
    found = []
    for each in ancestor.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if word in each.cmdline():
                found.append(each)
    return found


def once_there_are(count: int, word: str, ancestor: psutil.Process) -> list[psutil.Process]:
    """So many of them, as soon as there are."""
    deadline_s = time.monotonic() + PATIENCE_S
    while len(found := called(word, ancestor)) < count:
        assert time.monotonic() < deadline_s, f"{len(found)} of {count} came"
        time.sleep(0.1)
    return found


def _ip(*words: str) -> str:
    return subprocess.run(
        ["ip", *words], capture_output=True, text=True, check=True, timeout=COMMAND_TIMEOUT_S
    ).stdout
