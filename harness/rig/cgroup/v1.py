"""cgroup v1: one folder a controller, joined into one reader.

File meanings: the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and
Documentation/scheduler/sched-bwc.rst.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.facts.model import Limits
from harness.rig.cgroup import (
    CgroupStats,
    read_keyed,
    read_number,
    read_pids,
    seconds,
)

NANOSECONDS = 1_000_000_000

# An unlimited counter reads as the largest multiple of the page size that fits a signed
# 64-bit number; the page size differs between machines, so anything near it counts.
_UNLIMITED_BYTES = 1 << 62


class V1Reader:
    """Reads a cgroup v1 set of folders: `memory` and `cpuacct` at least, `cpu` and `pids` too."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Take the folder of each controller, by the controller's name."""
        self._folders = dict(folders)
        self._memory = folders["memory"]

    def read(self) -> CgroupStats | None:
        usage_bytes = read_number(self._memory / "memory.usage_in_bytes")
        memory = read_keyed(self._memory / "memory.stat")
        cpu_ns = read_number(self._folders["cpuacct"] / "cpuacct.usage")
        if usage_bytes is None or memory is None or cpu_ns is None:
            return None
        cpu = self._keyed("cpu", "cpu.stat")
        return CgroupStats(
            usage_bytes=usage_bytes,
            working_set_bytes=max(0, usage_bytes - memory["total_inactive_file"]),
            anon_bytes=memory["total_rss"],
            shmem_bytes=memory.get("total_shmem"),
            peak_bytes=self._number("memory", "memory.max_usage_in_bytes"),
            oom_kills=self._keyed("memory", "memory.oom_control").get("oom_kill"),
            cpu_s=cpu_ns / NANOSECONDS,
            periods=cpu.get("nr_periods"),
            throttled_periods=cpu.get("nr_throttled"),
            throttled_s=seconds(cpu.get("throttled_time"), NANOSECONDS),
            pids=self._number("pids", "pids.current"),
        )

    def limits(self) -> Limits:
        memory_bytes = self._bytes("memory.limit_in_bytes")
        with_swap_bytes = self._bytes("memory.memsw.limit_in_bytes")
        swap_bytes = None
        if memory_bytes is not None and with_swap_bytes is not None:
            swap_bytes = max(0, with_swap_bytes - memory_bytes)
        return Limits(
            cpu_cores=self._cores(),
            memory_bytes=memory_bytes,
            pids=self._number("pids", "pids.max"),
            swap_bytes=swap_bytes,
        )

    def reset_peak(self) -> bool:
        try:
            (self._memory / "memory.max_usage_in_bytes").write_text("0", encoding="ascii")
        except OSError:
            return False
        return True

    def pids(self) -> list[int]:
        return read_pids(self._memory / "cgroup.procs")

    def close(self) -> None:
        """Nothing is kept open."""

    def _cores(self) -> float | None:
        quota_us = self._number("cpu", "cpu.cfs_quota_us")
        period_us = self._number("cpu", "cpu.cfs_period_us")
        if quota_us is None or period_us is None or quota_us < 0:
            return None
        return quota_us / period_us

    def _bytes(self, name: str) -> int | None:
        value = self._number("memory", name)
        return None if value is None or value >= _UNLIMITED_BYTES else value

    def _number(self, controller: str, name: str) -> int | None:
        folder = self._folders.get(controller)
        return None if folder is None else read_number(folder / name)

    def _keyed(self, controller: str, name: str) -> dict[str, int]:
        folder = self._folders.get(controller)
        return ({} if folder is None else read_keyed(folder / name)) or {}
