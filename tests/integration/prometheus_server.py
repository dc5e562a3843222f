"""A real Prometheus on a port and a disk of its own, and the questions one asks it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"
READY_S = 15.0
STOP_S = 5.0
SPAN_S = 120.0
STEP_S = 2


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of one answer of its HTTP API.

        Raises:
            AssertionError: it refuses; the message is its own.
        """
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=5) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def now(self, expr: str) -> list[dict[str, Any]]:
        """The series an instant query returns now."""
        found: list[dict[str, Any]] = self.ask("query", query=expr)["result"]
        return found

    def value(self, expr: str) -> float | None:
        """The value of the one series there is now, or `None`."""
        found = self.now(expr)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def lately(self, expr: str) -> list[dict[str, Any]]:
        """The series a range query over the last two minutes returns."""
        now_s = time.time()
        found: list[dict[str, Any]] = self.ask(
            "query_range", query=expr, start=f"{now_s - SPAN_S:.0f}", end=f"{now_s:.0f}",
            step=str(STEP_S),
        )["result"]  # fmt: skip
        return found


@contextlib.contextmanager
def running(command: str, config: Path, folder: Path) -> Iterator[Prometheus]:
    """Start it with this configuration; it is gone when this ends, whatever happened."""
    address = f"{ADDRESS}:{_free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        child = subprocess.Popen(
            [
                command, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}", "--log.level=warn",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _await_ready(child, f"http://{address}", folder / "prometheus.log")
            yield Prometheus(f"http://{address}")
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_S)
            child.kill()
            child.wait()
            shutil.rmtree(folder / "data", ignore_errors=True)


def until(true: Callable[[], bool], meanwhile: Callable[[], None], *, patience_s: float) -> None:
    """Repeat `meanwhile` until something is true.

    Raises:
        AssertionError: it does not become true in time.
    """
    deadline_s = time.monotonic() + patience_s
    while True:
        meanwhile()
        if true():
            return
        assert time.monotonic() < deadline_s, f"not seen in {patience_s} s"
        time.sleep(0.3)


def _free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _await_ready(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    def ready() -> bool:
        assert child.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    until(ready, lambda: None, patience_s=READY_S)
