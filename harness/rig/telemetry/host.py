"""The machine everything shares: whether it had CPU, memory and disk to give."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import psutil

from harness.rig.protocols import DeviceCost, Endpoints, Reading

COST = DeviceCost(
    name="host",
    reads="load, CPU use and steal, free memory, clock frequency, free disk of this machine",
    rate_hz=1.0,
    cost="under 1 ms of CPU a look on the host, nothing in the server",
)
SOURCE = "host"
GENERATOR = "generator_host"
"""The source where the servers run on another host: nothing of this one is theirs."""


class Machine(Protocol):
    """The calls of `psutil` this device makes."""

    def cpu_times(self) -> Any:
        """Seconds since boot, over all cores, by what they were spent on."""

    def virtual_memory(self) -> Any:
        """Memory, with `available` in bytes."""

    def cpu_freq(self) -> Any:
        """The clock, with `current` in MHz; `None` where it is not told."""

    def disk_usage(self, path: str) -> Any:
        """The disk that holds `path`, with `free` in bytes."""


class HostDevice:
    """Keys: `load1 cpu_used_cores cpu_steal_ratio mem_available_bytes freq_mhz disk_free_bytes`.

    `cpu_used_cores` is busy CPU seconds per second since the last look, over all cores (not
    idle, not waiting for I/O, not stolen); `cpu_steal_ratio` is stolen ÷ all CPU time. Both need
    a look before, and `freq_mhz` a machine that tells; else the key is absent.

    Args:
        disk: a folder on the disk whose space matters.
        source: what this machine is: `host`, or `generator_host` where it is not the servers'.
    """

    cost = COST

    def __init__(
        self,
        *,
        disk: Path,
        source: str = SOURCE,
        machine: Machine = psutil,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._disk = str(disk)
        self._source = source
        self._machine = machine
        self._monotonic = monotonic
        self._before: tuple[float, float, float, float] | None = None

    def read(self) -> Reading:
        """Look once."""
        values = {
            "load1": os.getloadavg()[0],
            "mem_available_bytes": float(self._machine.virtual_memory().available),
            "disk_free_bytes": float(self._machine.disk_usage(self._disk).free),
        }
        frequency = self._machine.cpu_freq()
        if frequency is not None and frequency.current:
            values["freq_mhz"] = float(frequency.current)
        values |= self._cpu()
        return Reading(values={(self._source, key): value for key, value in values.items()})

    def close(self) -> None:
        """Nothing to let go of."""

    def _cpu(self) -> dict[str, float]:
        times = self._machine.cpu_times()
        stolen = float(getattr(times, "steal", 0.0))
        resting = times.idle + getattr(times, "iowait", 0.0)
        # The kernel counts a guest's time in user and nice as well.
        guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        everything = sum(times) - guests
        now = (self._monotonic(), everything - resting - stolen, stolen, everything)
        before, self._before = self._before, now
        if before is None or now[0] <= before[0] or now[3] <= before[3]:
            return {}
        return {
            "cpu_used_cores": (now[1] - before[1]) / (now[0] - before[0]),
            "cpu_steal_ratio": (now[2] - before[2]) / (now[3] - before[3]),
        }


def offer(endpoints: Endpoints) -> HostDevice | None:
    """This machine; the disk is the one we stand on, where results go unless told otherwise."""
    return HostDevice(disk=Path.cwd(), source=GENERATOR if endpoints.elsewhere else SOURCE)
