"""A replica's cgroup, its engine fallback, and OOM kills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from docker.errors import NotFound

from harness.facts.model import Event
from harness.rig.cgroup import CgroupReader, CgroupStats
from harness.rig.telemetry.cgroup import (
    CgroupDevice,
    EngineSource,
    FileSource,
    LockedReader,
    Readers,
    engine_numbers,
    numbers,
)

pytestmark = pytest.mark.unit

MIB = 2**20
STATS = CgroupStats(
    usage_bytes=300,
    working_set_bytes=200,
    anon_bytes=100,
    shmem_bytes=40,
    peak_bytes=None,
    oom_kills=0,
    cpu_s=1.5,
    periods=10,
    throttled_periods=4,
    throttled_s=0.5,
    pids=7,
)
V1_DOCUMENT: dict[str, Any] = {
    "memory_stats": {
        "usage": 300 * MIB,
        "max_usage": 400 * MIB,
        "stats": {"total_inactive_file": 50 * MIB, "total_rss": 200 * MIB},
    },
    "cpu_stats": {
        "cpu_usage": {"total_usage": 2_500_000_000},
        "throttling_data": {"periods": 9, "throttled_periods": 3, "throttled_time": 500_000_000},
    },
    "pids_stats": {"current": 12},
}
V2_DOCUMENT: dict[str, Any] = {
    "memory_stats": {
        "usage": 300 * MIB,
        "stats": {"inactive_file": 50 * MIB, "anon": 200 * MIB, "shmem": 30 * MIB},
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
}


class Told:
    """A source that tells what it was given, one look after the other."""

    def __init__(self, *looks: Mapping[str, float]) -> None:
        self._looks = list(looks)

    def read(self) -> Mapping[str, float]:
        return self._looks.pop(0) if self._looks else {}


class Reader:
    """A cgroup that says the same until it ends."""

    def __init__(self, stats: CgroupStats | None = STATS) -> None:
        self.stats = stats
        self.closed = False

    def read(self) -> CgroupStats | None:
        return self.stats

    def limits(self) -> Any: ...

    def reset_peak(self) -> bool:
        return True

    def pids(self) -> list[int]:
        return []

    def close(self) -> None:
        self.closed = True


def kills(device: CgroupDevice) -> list[Event]:
    return [event for event in device.read().events if event.kind == "oom_kill"]


def test_what_the_kernel_does_not_tell_is_absent() -> None:
    found = numbers(STATS)
    assert "peak_bytes" not in found
    assert found["throttled_s"] == 0.5


def test_every_replica_is_a_source_of_its_own() -> None:
    device = CgroupDevice({"a": Told({"cpu_s": 1.0}), "b": Told({"cpu_s": 2.0})})
    assert device.read().values == {("a", "cpu_s"): 1.0, ("b", "cpu_s"): 2.0}


def test_a_rise_of_the_kill_counter_is_an_event_with_the_number_of_new_kills() -> None:
    told = Told({"oom_kills": 1.0}, {"oom_kills": 3.0}, {"oom_kills": 3.0})
    device = CgroupDevice({"a": told}, clock=lambda: 42.0)
    assert kills(device) == []
    (event,) = kills(device)
    assert (event.at_s, event.source, event.detail) == (42.0, "a", {"count": 2, "total": 3})
    assert kills(device) == []


def test_a_cgroup_that_has_ended_says_nothing() -> None:
    assert FileSource(LockedReader(Reader(None))).read() == {}


def test_the_fallback_is_announced_once() -> None:
    device = CgroupDevice({"a": Told()}, by_engine=["a"])
    assert [event.kind for event in device.read().events] == ["fallback"]
    assert device.read().events == []


def test_the_engine_is_asked_at_every_fifth_look_only() -> None:
    asked: list[int] = []

    def stats() -> Mapping[str, Any]:
        asked.append(1)
        return V1_DOCUMENT

    source = EngineSource(stats)
    looks = [bool(source.read()) for _ in range(11)]
    assert [number for number, told in enumerate(looks) if told] == [0, 5, 10]
    assert len(asked) == 3


def test_a_container_that_is_gone_says_nothing() -> None:
    def stats() -> Mapping[str, Any]:
        raise NotFound("No such container")

    assert EngineSource(stats).read() == {}


def test_the_engines_document_of_a_v1_machine_is_read_in_si_units() -> None:
    assert engine_numbers(V1_DOCUMENT) == {
        "usage_bytes": 300 * MIB,
        "working_set_bytes": 250 * MIB,
        "anon_bytes": 200 * MIB,
        "peak_bytes": 400 * MIB,
        "cpu_s": 2.5,
        "periods": 9,
        "throttled_periods": 3,
        "throttled_s": 0.5,
        "pids": 12,
    }


def test_the_engines_document_of_a_v2_machine_leaves_out_what_it_does_not_say() -> None:
    assert engine_numbers(V2_DOCUMENT) == {
        "usage_bytes": 300 * MIB,
        "working_set_bytes": 250 * MIB,
        "anon_bytes": 200 * MIB,
        "shmem_bytes": 30 * MIB,
        "cpu_s": 2.5,
    }


def test_a_stopped_containers_document_says_nothing() -> None:
    assert engine_numbers({"memory_stats": {}, "cpu_stats": {"cpu_usage": {}}}) == {}


def test_a_process_without_a_readable_cgroup_has_no_reader() -> None:
    def refused(_: int) -> CgroupReader | None:
        raise PermissionError("memory.stat")

    assert Readers(refused).of(1) is None
    assert Readers(lambda _: None).of(1) is None
    assert Readers(lambda _: Reader(None)).of(1) is None
    assert Readers(lambda _: Reader()).of(None) is None


def test_the_same_process_has_one_reader_and_closing_reaches_it() -> None:
    made: list[Reader] = []

    def find(_: int) -> CgroupReader:
        made.append(Reader())
        return made[-1]

    readers = Readers(find)
    assert readers.of(1) is readers.of(1)
    readers.close()
    assert [reader.closed for reader in made] == [True]
