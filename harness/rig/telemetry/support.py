"""What feeds the server: webserver, daemon, Postgres, and whatever else the target started.

If one of these is out of CPU, the numbers measure it and not the code server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psutil
from docker.errors import NotFound

from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.cgroup import LockedReader, Readers, engine_numbers, engine_stats
from harness.rig.telemetry.processes import Tree

COST = DeviceCost(
    name="support",
    reads="CPU and memory of webserver, daemon, Postgres and the other helpers",
    rate_hz=1.0,
    cost="on the host a few kernel files, or about 5 ms of CPU a process tree; by the engine's "
    "stats API some ms in the engine a service; nothing in the server",
)


class Meter(Protocol):
    """Reads one service; empty once it has ended."""

    def read(self) -> Mapping[str, float]: ...


class CgroupMeter:
    """A service in a cgroup of its own."""

    def __init__(self, reader: LockedReader) -> None:
        self._reader = reader

    def read(self) -> Mapping[str, float]:
        """`rss_bytes` is the working set here: what the service could not give back."""
        stats = self._reader.read()
        if stats is None:
            return {}
        values = {"cpu_s": stats.cpu_s, "rss_bytes": float(stats.working_set_bytes)}
        if stats.throttled_periods is not None:
            values["throttled_periods"] = float(stats.throttled_periods)
        return values


class TreeMeter:
    """A service as a process tree: its own CPU, its children's, and that of those it reaped."""

    def __init__(self, pid: int) -> None:
        self._tree = Tree(pid)

    def read(self) -> Mapping[str, float]:
        """`rss_bytes` is summed, so pages shared within the tree count more than once."""
        cpu_s, rss_bytes = 0.0, 0
        processes = self._tree.processes()
        for process in processes:
            with contextlib.suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                rss_bytes += process.memory_info().rss
                cpu_s += times.user + times.system + times.children_user + times.children_system
        return {"cpu_s": cpu_s, "rss_bytes": float(rss_bytes)} if rss_bytes else {}


class EngineMeter:
    """A service in a container that only its engine can see."""

    def __init__(self, stats: Callable[[], Mapping[str, Any]]) -> None:
        self._stats = stats

    def read(self) -> Mapping[str, float]:
        """The same keys as a cgroup gives."""
        try:
            told = engine_numbers(self._stats())
        except NotFound:
            return {}
        names = {"cpu_s": "cpu_s", "working_set_bytes": "rss_bytes"}
        names |= {"throttled_periods": "throttled_periods"}
        return {names[key]: value for key, value in told.items() if key in names}


class SupportDevice:
    """Keys by service: `cpu_s` (so far), `rss_bytes`, and `throttled_periods` in a cgroup."""

    cost = COST

    def __init__(self, meters: Mapping[str, Meter]) -> None:
        self._meters = dict(meters)

    def read(self) -> Reading:
        """Look once at every service."""
        return Reading(
            values={
                (name, key): value
                for name, meter in self._meters.items()
                for key, value in meter.read().items()
            }
        )

    def close(self) -> None:
        """The readers belong to the suite, which closes them."""


def offer(endpoints: Endpoints, readers: Readers) -> SupportDevice | None:
    """The services that can be seen from here, by cgroup where they have one."""
    meters: dict[str, Meter] = {}
    for watched in endpoints.support:
        reader = readers.of(watched.cgroup_pid)
        if reader is not None:
            meters[watched.name] = CgroupMeter(reader)
        elif watched.pid is not None:
            meters[watched.name] = TreeMeter(watched.pid)
        elif watched.container is not None:
            meters[watched.name] = EngineMeter(engine_stats(watched.container))
    return SupportDevice(meters) if meters else None
