"""The gRPC worker pool from inside the server, as `compose/probe` writes it.

The probe pushes lines into a file at its own rate; this device follows the file, so a late look
loses nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.facts.model import Event
from harness.rig.host_clock import OUR_CLOCK, HostClock
from harness.rig.protocols import DeviceCost, Endpoints, Reading

COST = DeviceCost(
    name="pool",
    reads="requests waiting for and holding gRPC worker threads, by a thread inside the server",
    rate_hz=2.0,
    cost="in the server about 0.1 ms of CPU a second (5 looks), holding its GIL; here a file read",
)
_KEYS = {
    "queue": "pool_queue",
    "busy": "pool_busy",
    "threads": "pool_threads",
    "max": "pool_max",
    "executions": "executions",
}
_MOST_BYTES_A_LOOK = 1 << 20


class LineTail:
    """Whole lines appended to a file since the last look.

    Survives a file that is not there yet, a last line still being written, and a file that was
    truncated or replaced (it is then read from its start).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._inode: int | None = None
        self._rest = b""

    def lines(self) -> list[bytes]:
        """New complete lines, oldest first, without their line ends."""
        try:
            with self._path.open("rb") as file:
                self._follow(file.fileno())
                file.seek(self._offset)
                chunk = file.read(_MOST_BYTES_A_LOOK)
        except FileNotFoundError:
            return []
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines

    def _follow(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if status.st_ino != self._inode or status.st_size < self._offset:
            self._offset, self._rest = 0, b""
        self._inode = status.st_ino


class PoolDevice:
    """Keys by replica: `pool_queue pool_busy pool_threads pool_max executions pool_late_s`.

    `executions` are the run processes the server itself keeps track of. `pool_late_s` is how late
    the probe's thread came to look: a stall of the server's interpreter shows there. Readings
    carry the probe's stamps, moved onto our clock; lines from before this device existed are left
    alone, so a device rebuilt over the same file repeats nothing.
    """

    cost = COST

    def __init__(
        self,
        files: dict[str, Path],
        *,
        clock: Callable[[], float] = time.time,
        server_clock: HostClock = OUR_CLOCK,
    ) -> None:
        self._tails = {source: LineTail(path) for source, path in files.items()}
        self._server_clock = server_clock
        self._clock = clock
        self._born_s = clock()

    def read(self) -> Reading:
        """Everything the probes wrote since the last look."""
        reading = Reading()
        for source, tail in self._tails.items():
            for line in tail.lines():
                self._take(source, line, reading)
        return reading

    def close(self) -> None:
        """Nothing is kept open between looks."""

    def _take(self, source: str, line: bytes, reading: Reading) -> None:
        fields = _parse(line)
        if "error" in fields:
            detail = {"error": str(fields["error"])}
            reading.events.append(
                Event(at_s=self._clock(), kind="probe_error", source=source, detail=detail)
            )
        stamp_s = _number(fields.get("t"))
        taken_s = None if stamp_s is None else self._server_clock.here(stamp_s)
        if stamp_s is None or taken_s is None or taken_s < self._born_s:
            return
        for field, key in _KEYS.items():
            value = _number(fields.get(field))
            if value is not None:
                reading.stamped.append((taken_s, source, key, value))
        due_s = _number(fields.get("due"))
        if due_s is not None:
            reading.stamped.append((taken_s, source, "pool_late_s", stamp_s - due_s))


def offer(endpoints: Endpoints) -> PoolDevice | None:
    """The pools of the replicas that carry a probe."""
    files = {r.name: r.pool_path for r in endpoints.replicas if r.pool_path is not None}
    return PoolDevice(files, server_clock=endpoints.clock) if files else None


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:  # torn by a full disk or a killed writer
        return {}
    if not isinstance(fields, dict) or fields.get("probe") != "pool":
        return {}
    return fields


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
