"""What the pool probe inside a server said, read back from the container's output."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.rig.target.container_logs import PROBE_PREFIX

_PREFIX = PROBE_PREFIX.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLook:
    """The worker pool at one moment, `at_s` in epoch seconds.

    `queue`: requests that wait for a worker thread, also those their client has given up; `busy`
    threads have one.
    """

    at_s: float
    queue: int
    busy: int


def pool_looks(log: str) -> list[PoolLook]:
    """Every look of the probe in a container's output, oldest first; other lines are left alone."""
    lines = (line for line in log.splitlines() if line.startswith(_PREFIX))
    looks = (_look(line.removeprefix(_PREFIX)) for line in lines)
    return [look for look in looks if look is not None]


def _look(text: str) -> PoolLook | None:
    try:
        told = json.loads(text)
        return PoolLook(at_s=float(told["t"]), queue=int(told["queue"]), busy=int(told["busy"]))
    except (ValueError, KeyError, TypeError):  # cut off, or the probe telling of an error
        return None
