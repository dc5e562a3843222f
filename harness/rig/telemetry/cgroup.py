"""Memory, CPU, throttling and OOM kills of every replica, from its cgroup's own files.

Where those cannot be read (a remote engine, no permission), the engine's stats API says most of
the same at a lower rate, and an event `fallback` tells so. Of a server somebody else started, only
the server itself may tell: see `told`.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from docker.errors import NotFound

from harness.facts.model import Event
from harness.rig.cgroup import CgroupReader, CgroupStats
from harness.rig.cgroup.locate import find
from harness.rig.engine_place import reach
from harness.rig.protocols import DeviceCost, Endpoints, Reading

COST = DeviceCost(
    name="cgroup",
    reads="memory, kernel peak, OOM kills, CPU, throttling and pids of every replica's cgroup",
    rate_hz=5.0,
    cost="a few kernel files a look (under 1 ms on the host), nothing in the server; "
    "by the engine's stats API instead: 1 Hz, some ms in the engine; of an external server by its "
    "own Ping: every 5 s, about 7 ms of its CPU",
)
FALLBACK_EVERY_LOOKS = 5


class LockedReader:
    """A cgroup reader two threads may share: the device samples, the suite resets the peak.

    They must share it, because cgroup v2 resets the peak for one open file only.
    """

    def __init__(self, reader: CgroupReader) -> None:
        self._reader = reader
        self._lock = threading.Lock()

    def read(self) -> CgroupStats | None:
        """All numbers now; `None` once the cgroup has ended."""
        with self._lock:
            return self._reader.read()

    def reset_peak(self) -> bool:
        """Start the peak anew; `False` where that is not possible."""
        with self._lock:
            return self._reader.reset_peak()

    def close(self) -> None:
        """Let go of open files."""
        with self._lock:
            self._reader.close()


class Readers:
    """One shared reader per process, made on first use; `None` where nothing can be read."""

    def __init__(self, find_reader: Callable[[int], CgroupReader | None] = find) -> None:
        self._find = find_reader
        self._by_pid: dict[int, LockedReader | None] = {}

    def of(self, pid: int | None) -> LockedReader | None:
        """The reader of the cgroup `pid` is in."""
        if pid is None:
            return None
        if pid not in self._by_pid:
            self._by_pid[pid] = self._readable(pid)
        return self._by_pid[pid]

    def close(self) -> None:
        """Close every reader."""
        for reader in self._by_pid.values():
            if reader is not None:
                reader.close()

    def _readable(self, pid: int) -> LockedReader | None:
        try:
            reader = self._find(pid)
            if reader is None or reader.read() is None:
                return None
        except (OSError, ValueError):
            return None
        return LockedReader(reader)


class Source(Protocol):
    """Anything that tells a replica's numbers; empty once it has ended."""

    def read(self) -> Mapping[str, float]: ...


class FileSource:
    """A replica's numbers from its cgroup files."""

    def __init__(self, reader: LockedReader) -> None:
        self._reader = reader

    def read(self) -> Mapping[str, float]:
        """Look once."""
        stats = self._reader.read()
        return {} if stats is None else numbers(stats)


class EngineSource:
    """A replica's numbers from the engine's stats API, every fifth look."""

    def __init__(self, stats: Callable[[], Mapping[str, Any]]) -> None:
        self._stats = stats
        self._looks = 0

    def read(self) -> Mapping[str, float]:
        """Ask the engine, or nothing when it is not time yet."""
        self._looks += 1
        if self._looks % FALLBACK_EVERY_LOOKS != 1:
            return {}
        try:
            return engine_numbers(self._stats())
        except NotFound:
            return {}


class CgroupDevice:
    """Keys by replica: the fields of `CgroupStats`, counters as they stand.

    `peak_bytes` counts from the last reset, which a step's begin makes where the kernel allows.
    A rise of `oom_kills` becomes an event `oom_kill` with the `count` of new kills.
    """

    cost = COST

    def __init__(
        self,
        sources: Mapping[str, Source],
        *,
        by_engine: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = dict(sources)
        self._to_announce = list(by_engine)
        self._clock = clock
        self._kills: dict[str, float] = {}

    def read(self) -> Reading:
        """Look once at every replica."""
        reading = Reading(events=self._announcements())
        for name, source in self._sources.items():
            found = source.read()
            reading.values |= {(name, key): value for key, value in found.items()}
            reading.events += self._new_kills(name, found.get("oom_kills"))
        return reading

    def close(self) -> None:
        """The readers belong to the suite, which closes them."""

    def _announcements(self) -> list[Event]:
        names, self._to_announce = self._to_announce, []
        detail = {"device": COST.name, "instead": "the engine's stats API, 1 Hz, no oom_kills"}
        return [
            Event(at_s=self._clock(), kind="fallback", source=name, detail=detail) for name in names
        ]

    def _new_kills(self, name: str, kills: float | None) -> list[Event]:
        if kills is None:
            return []
        before = self._kills.get(name, kills)
        self._kills[name] = kills
        if kills <= before:
            return []
        detail = {"count": int(kills - before), "total": int(kills)}
        return [Event(at_s=self._clock(), kind="oom_kill", source=name, detail=detail)]


def offer(endpoints: Endpoints, readers: Readers) -> CgroupDevice | None:
    """The cgroups of all replicas that have one of their own, or an engine to ask."""
    sources: dict[str, Source] = {}
    by_engine: list[str] = []
    for replica in endpoints.replicas:
        reader = readers.of(replica.cgroup_pid)
        if reader is not None:
            sources[replica.name] = FileSource(reader)
        elif replica.container is not None:
            sources[replica.name] = EngineSource(engine_stats(replica.container))
            by_engine.append(replica.name)
    return CgroupDevice(sources, by_engine=by_engine) if sources else None


def numbers(stats: CgroupStats) -> dict[str, float]:
    """The known fields of a reading, by name."""
    fields = dataclasses.asdict(stats)
    return {key: float(value) for key, value in fields.items() if value is not None}


def engine_numbers(stats: Mapping[str, Any]) -> dict[str, float]:
    """An engine's stats document (cgroup v1 or v2) under the names of `CgroupStats`.

    A stopped container's document has empty memory and CPU parts: nothing is known then.
    """
    memory, cpu = stats.get("memory_stats") or {}, stats.get("cpu_stats") or {}
    if "usage" not in memory:
        return {}
    detail = memory.get("stats") or {}
    throttling = cpu.get("throttling_data") or {}
    cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    known = {
        "usage_bytes": memory["usage"],
        "working_set_bytes": max(0, memory["usage"] - cache),
        "anon_bytes": detail.get("total_rss", detail.get("anon")),
        "shmem_bytes": detail.get("total_shmem", detail.get("shmem")),
        "peak_bytes": memory.get("max_usage"),
        "cpu_s": _ns((cpu.get("cpu_usage") or {}).get("total_usage")),
        "periods": throttling.get("periods"),
        "throttled_periods": throttling.get("throttled_periods"),
        "throttled_s": _ns(throttling.get("throttled_time")),
        "pids": (stats.get("pids_stats") or {}).get("current"),
    }
    return {key: float(value) for key, value in known.items() if value is not None}


def engine_stats(container: str) -> Callable[[], Mapping[str, Any]]:
    """Asks the engine for the stats document of a container; raises what its client raises."""
    connect = functools.cache(lambda: reach.here().client(timeout_s=5))  # at the first look

    def stats() -> Mapping[str, Any]:
        told = connect().api.stats(container, stream=False, one_shot=True)
        return cast(Mapping[str, Any], told)

    return stats


def _ns(count: float | None) -> float | None:
    return None if count is None else count / 1e9
