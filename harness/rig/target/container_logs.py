"""Container output onto disk as it comes, pool-probe lines apart from the rest, secrets masked.

Following instead of fetching at the end: what a container said survives its removal, a fresh
server after a crash, and `kill -9` of the harness.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from docker.errors import DockerException
from docker.models.containers import Container

from harness.masking import masked, masked_bytes

PROBE_PREFIX = b"@pool_probe "


class LogFollower:
    """Follows one container in a thread until it ends or `close` is called."""

    def __init__(self, container: Container, folder: Path, *, name: str) -> None:
        self._container = container
        self.log_path = folder / f"{name}.log"
        self.pool_path = folder / f"{name}.pool.jsonl"
        self._stream = container.logs(stream=True, follow=True, stdout=True, stderr=True)
        self._thread = threading.Thread(target=self._follow, name=f"log-{name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; what was read stays."""
        with contextlib.suppress(Exception):  # the stream may be closed, or the engine gone
            self._stream.close()
        self._thread.join(timeout=2)

    def _follow(self) -> None:
        rest = b""
        with (
            self.log_path.open("ab", buffering=0) as log,
            self.pool_path.open("ab", buffering=0) as pool,
            contextlib.suppress(Exception),  # close() and a dying engine end the stream
        ):
            for chunk in self._stream:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.startswith(PROBE_PREFIX):
                        pool.write(line[len(PROBE_PREFIX) :] + b"\n")
                    else:
                        log.write(masked_bytes(line) + b"\n")


def tail(container: Container, lines: int) -> str:
    """The container's last lines, without the probe's; empty when the engine cannot tell."""
    try:
        text: bytes = container.logs(tail=lines * 10)
    except DockerException:
        return ""
    kept = [line for line in text.splitlines() if not line.startswith(PROBE_PREFIX)]
    return masked(b"\n".join(kept[-lines:]).decode(errors="replace"))
