"""Who used this host's CPU meanwhile: some servers, everything else, or nobody."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

from harness.rig.lab.servers import LabServer

_BUSY = ("user", "nice", "system", "irq", "softirq")
_IDLE = ("idle", "iowait")


class CpuTime:
    """Counts from when it is made.

    Args:
        servers: those whose CPU is theirs; one that ends counts for nothing.
    """

    def __init__(self, servers: Sequence[LabServer]) -> None:
        self._servers = tuple(servers)
        self._before = self._now()

    def spent(self) -> dict[str, float]:
        """Seconds since then, an observation: `used_s` of CPU by the servers as the kernel
        accounts them, `others_s` by all else on this host, `idle_s` by nobody, and `window_s`,
        the time that has passed.
        """
        passed = [now - before for now, before in zip(self._now(), self._before, strict=True)]
        window_s, used_s, busy_s, idle_s = passed
        return {
            "window_s": window_s, "used_s": used_s, "others_s": max(0.0, busy_s - used_s),
            "idle_s": idle_s,
        }  # fmt: skip

    def _now(self) -> tuple[float, float, float, float]:
        stats = [server.stats() for server in self._servers]
        used_s = sum(each.cpu_s for each in stats if each is not None)
        times = psutil.cpu_times()
        busy_s, idle_s = (
            sum(float(getattr(times, name, 0.0)) for name in names) for names in (_BUSY, _IDLE)
        )
        return time.monotonic(), used_s, busy_s, idle_s
