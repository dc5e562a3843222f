"""A Compose target behind an engine on another host: what is different, and what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg

from harness.errors import TargetFailed
from harness.facts.dagster_versions import unavailable
from harness.facts.model import Limits
from harness.rig.engine_place import reach
from harness.rig.host_clock import OUR_CLOCK, HostClock, OtherClock, compare_with_database
from harness.rig.ledger import Entry
from harness.rig.target import engine

NOT_SEEN: Mapping[str, str] = {
    "processes": "Processes of another host: its engine tells their RSS, not their PSS.",
    "stacks": "Processes of another host: their stacks are not seen.",
    "pace": "A bare start here says nothing of another host's CPUs.",
    "cgroup": "The engine tells neither a memory peak that can be reset nor a count of OOM kills: "
    "the peak is the highest reading, kills are those the engine reported.",
    "host": "Load, steal and clock frequency are those of the generator's host.",
}
"""By telemetry device, why it tells less or nothing of a server on another host."""

UNVERIFIED = "unverified"


class Elsewhere:
    """Where the servers of one target run, and their host's clock. Here, unless the engine that the
    environment names is on another host.
    """

    def __init__(self) -> None:
        self.clock: HostClock = OUR_CLOCK

    @property
    def remote(self) -> bool:
        """Whether the servers run on another host."""
        return reach.here().place.remote

    def here(self, there_s: float) -> float:
        """A stamp of the servers' host on our clock, as that is known now."""
        return self.clock.here(there_s)

    def compare_clocks(self, dsn: str) -> None:
        """Hold the database's clock against ours; here there is nothing to compare.

        Raises:
            TargetFailed: the database does not answer.
        """
        if not self.remote:
            return
        try:
            self.clock = OtherClock(lambda: compare_with_database(dsn))
        except psycopg.Error as error:
            raise TargetFailed(
                "The clock of the engine's host cannot be read: its database does not answer.",
                evidence=str(error),
            ) from error

    def describe(self, dagster: str) -> dict[str, Any]:
        """For `cell.json`: `engine` (its version), `engine_host`, and where that is another host
        `limits_source` and `unavailable`.
        """
        state = engine.probe()
        told: dict[str, Any] = {"engine": state.version, "engine_host": state.record()}
        if self.remote:
            told["limits_source"] = "docker inspect"
            told["unavailable"] = {**unavailable(dagster), **NOT_SEEN}
        return told


def limits_by_engine(attributes: Mapping[str, Any], info: Mapping[str, Any]) -> Limits | None:
    """A container's limits as the engine says they are; `None` where its kernel enforces none.

    Args:
        attributes: what `docker inspect` says of it.
        info: what `docker info` says: whether CPU quota and memory limits work there.
    """
    if info.get("CpuCfsQuota") is False or info.get("MemoryLimit") is False:
        return None
    config = attributes.get("HostConfig") or {}
    memory_bytes = int(config.get("Memory") or 0) or None
    with_swap = int(config.get("MemorySwap") or 0)
    pids = int(config.get("PidsLimit") or 0)
    return Limits(
        cpu_cores=_cores(config),
        memory_bytes=memory_bytes,
        pids=pids if pids > 0 else None,
        swap_bytes=with_swap - memory_bytes if memory_bytes and with_swap > 0 else None,
    )


def _cores(config: Mapping[str, Any]) -> float | None:
    if nano := int(config.get("NanoCpus") or 0):
        return nano / 1e9
    quota, period = int(config.get("CpuQuota") or 0), int(config.get("CpuPeriod") or 0)
    return quota / (period or 100_000) if quota > 0 else None


def on_this_engine(entry: Entry) -> Entry:
    """A ledger entry that says on which engine its project is, and how that is trusted."""
    place = reach.here().place
    if place.tls is None:
        return replace(entry, engine=place.url)
    box = "" if place.tls.verify else UNVERIFIED
    return replace(entry, engine=place.url, path=place.tls.folder, box=box)
