"""cgroup v2: one folder for everything.

File meanings: the kernel's Documentation/admin-guide/cgroup-v2.rst. `memory.peak` exists since
5.19; since 6.12 a write resets it, but only for what is read through the same open file.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.facts.model import Limits
from harness.rig.cgroup import (
    CgroupStats,
    has_ended,
    read_keyed,
    read_number,
    read_pids,
    read_text,
    seconds,
)

MICROSECONDS = 1_000_000


class V2Reader:
    """Reads one cgroup v2 folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._peak_file: int | None = None

    def read(self) -> CgroupStats | None:
        usage_bytes = read_number(self._folder / "memory.current")
        memory = read_keyed(self._folder / "memory.stat")
        cpu = read_keyed(self._folder / "cpu.stat")
        if usage_bytes is None or memory is None or cpu is None:
            return None
        events = read_keyed(self._folder / "memory.events") or {}
        return CgroupStats(
            usage_bytes=usage_bytes,
            working_set_bytes=max(0, usage_bytes - memory["inactive_file"]),
            anon_bytes=memory["anon"],
            shmem_bytes=memory.get("shmem"),
            peak_bytes=self._peak_bytes(),
            oom_kills=events.get("oom_kill"),
            cpu_s=cpu["usage_usec"] / MICROSECONDS,
            periods=cpu.get("nr_periods"),
            throttled_periods=cpu.get("nr_throttled"),
            throttled_s=seconds(cpu.get("throttled_usec"), MICROSECONDS),
            pids=read_number(self._folder / "pids.current"),
        )

    def limits(self) -> Limits:
        return Limits(
            cpu_cores=self._cores(),
            memory_bytes=read_number(self._folder / "memory.max"),
            pids=read_number(self._folder / "pids.max"),
            swap_bytes=read_number(self._folder / "memory.swap.max"),
        )

    def reset_peak(self) -> bool:
        try:
            if self._peak_file is None:
                self._peak_file = os.open(self._folder / "memory.peak", os.O_RDWR | os.O_CLOEXEC)
            os.pwrite(self._peak_file, b"0\n", 0)
        except OSError:  # absent, read-only, or a kernel that takes no write
            self.close()
            return False
        return True

    def pids(self) -> list[int]:
        return read_pids(self._folder / "cgroup.procs")

    def close(self) -> None:
        if self._peak_file is not None:
            os.close(self._peak_file)
            self._peak_file = None

    def _cores(self) -> float | None:
        text = read_text(self._folder / "cpu.max")
        if text is None:
            return None
        quota_us, period_us = text.split()
        return None if quota_us == "max" else int(quota_us) / int(period_us)

    def _peak_bytes(self) -> int | None:
        if self._peak_file is None:
            return read_number(self._folder / "memory.peak")
        try:
            return int(os.pread(self._peak_file, 64, 0).split()[0])
        except OSError as error:
            if has_ended(error):
                return None
            raise
