"""What the kernel says about a group of processes, whichever cgroup version says it.

`locate` finds the cgroup of a process, `create` makes a new one, `v1` and `v2` read their
version's files. Here is what all of them share.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.facts.model import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupStats:
    """One reading. Counters (`oom_kills`, `cpu_s`, periods, `throttled_s`) only ever grow.

    `working_set_bytes` is usage − inactive file cache, never below 0: what an OOM kill would
    look at, as Kubernetes and ECS report it. `shmem_bytes` is what files in memory hold (tmpfs,
    shared memory): no part of `anon_bytes`, but as little to be reclaimed. `peak_bytes` is the
    kernel's own highest usage since creation or the last reset. `throttled_s` adds up over all
    CPUs.
    """

    usage_bytes: int
    working_set_bytes: int
    anon_bytes: int
    shmem_bytes: int | None = None
    peak_bytes: int | None
    oom_kills: int | None
    cpu_s: float
    periods: int | None
    throttled_periods: int | None
    throttled_s: float | None
    pids: int | None


class CgroupReader(Protocol):
    """Reads one cgroup. Not for two threads at once."""

    def read(self) -> CgroupStats | None:
        """All numbers now; `None` once the cgroup has ended.

        Raises:
            OSError: the kernel refused for another reason.
            ValueError: a file does not have the form it should.
        """

    def limits(self) -> Limits:
        """The limits the kernel enforces; all `None` once the cgroup has ended."""

    def reset_peak(self) -> bool:
        """Start `peak_bytes` anew; `False` where this kernel cannot."""

    def pids(self) -> list[int]:
        """The processes inside, ascending; empty once the cgroup has ended."""

    def close(self) -> None:
        """Let go of open files. Safe to call twice."""


def has_ended(error: OSError) -> bool:
    """Whether this error means the cgroup is gone (new opens: ENOENT, open files: ENODEV)."""
    return error.errno in (errno.ENOENT, errno.ENODEV)


def read_text(path: Path) -> str | None:
    """A cgroup file's content; `None` when the file, or its cgroup, is not there."""
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        if has_ended(error):
            return None
        raise


def read_number(path: Path) -> int | None:
    """A file of one whole number; `None` when it is not there or says `max`."""
    text = read_text(path)
    if text is None or text.strip() == "max":
        return None
    return int(text)


def read_keyed(path: Path) -> dict[str, int] | None:
    """A file of `key number` lines; `None` when it is not there."""
    text = read_text(path)
    if text is None:
        return None
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


def read_pids(path: Path) -> list[int]:
    """A `cgroup.procs` file, ascending; processes of other pid namespaces (0) are left out."""
    text = read_text(path) or ""
    return sorted({int(word) for word in text.split()} - {0})


def seconds(count: int | None, per_second: int) -> float | None:
    """A count of some fraction of a second as seconds; unknown stays unknown."""
    return None if count is None else count / per_second
