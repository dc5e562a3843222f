"""What a code server says of its own container, in the answer to Dagster's Ping.

Names and meanings by release, read from its code and from real answers: `container_utilization` is
there from 1.6.1 on (1.5 had `resource_utilization`); `memory_usage` is memory charged, page cache
included, up to 1.13.4, and the working set soon after. `server_id`, younger still, tells which. The
numbers are those of `/sys/fs/cgroup` as the server sees it: of its container where it has one, of
the whole machine where it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.facts.model import Limits

UNCONSTRAINED_BYTES = 2**62
"""A cgroup v1 without a limit reads almost 2^63, on some hosts rounded down."""

UNKNOWN = Limits(cpu_cores=None, memory_bytes=None)

NOT_SAID = (
    "the server answers a Ping without metrics: they are off. Start it with --enable-metrics or "
    "DAGSTER_ENABLE_SERVER_METRICS=1"
)
TOO_OLD = "the server's Dagster is too old: 1.6.1 is the first whose Ping tells of its container"
NO_CGROUP = "the server found no cgroup it can read"
MACHINE = (
    "the server reads the root of a cgroup v2, which tells no memory: it runs in no container of "
    "its own, and its CPU is that of the whole machine"
)
NO_FIGURES = "the server could read neither its memory nor its CPU time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWord:
    """One look of a server at its own container; `None` is what it does not say.

    `cpu_s` is cumulative. `working_set`: `memory_bytes` has no inactive page cache for sure. `why`:
    the reason where neither memory nor CPU can be had; empty where one can.
    """

    memory_bytes: float | None = None
    cpu_s: float | None = None
    limits: Limits = UNKNOWN
    cgroup: str = ""
    working_set: bool = False
    why: str = ""

    @property
    def unlimited(self) -> bool:
        """No limit stands: it may be the whole machine it speaks of."""
        return self.limits.cpu_cores is None and self.limits.memory_bytes is None


def read_word(document: object) -> ServerWord:
    """The container's part of a Ping's metrics.

    Args:
        document: the decoded answer; `None` where it was empty or no JSON.
    """
    if not isinstance(document, Mapping):
        return ServerWord(why=NOT_SAID)
    told = document.get("container_utilization")
    if not isinstance(told, Mapping):
        return ServerWord(why=TOO_OLD)
    version = str(told.get("cgroup_version") or "")
    if not version:
        return ServerWord(why=NO_CGROUP)
    memory, cpu_s = _number(told.get("memory_usage")), _number(told.get("cpu_usage"))
    if version == "V2" and memory is None and cpu_s is not None:
        return ServerWord(cgroup=version, why=MACHINE)
    if memory is None and cpu_s is None:
        return ServerWord(cgroup=version, why=NO_FIGURES)
    return ServerWord(
        memory_bytes=memory, cpu_s=cpu_s, limits=_limits(told), cgroup=version,
        working_set="server_id" in document,
    )  # fmt: skip


def _limits(told: Mapping[str, Any]) -> Limits:
    quota, period = _number(told.get("cpu_cfs_quota_us")), _number(told.get("cpu_cfs_period_us"))
    size = _number(told.get("memory_limit"))
    return Limits(
        cpu_cores=quota / period if quota and period else None,
        memory_bytes=int(size) if size and size < UNCONSTRAINED_BYTES else None,
    )


def _number(value: object) -> float | None:
    """A number not below zero: -1 is a quota that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 else None
