"""Was the server's memory seen, with its limit? Without that nobody can say that a soak lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.analysis.measures.windows import CellRecord
from harness.analysis.soaking.types import Growth
from harness.facts.model import Cell

MEMORY = "memory"


def memory_limit_bytes(cell: Cell) -> int | None:
    """The limit in force, or as the servers or their owner told; `None` where there is none, or
    none that is known.
    """
    limits = cell.effective_limits if cell.limits_enforced else None
    return None if limits is None else limits.memory_bytes


def unseen(record: CellRecord, growth: Iterable[Growth]) -> Iterator[str]:
    """Why it cannot be told whether memory meets its limit; nothing where it can."""
    if memory_limit_bytes(record.cell) is None:
        yield "the server's memory limit is not known: nobody can tell whether it is met"
    known = {each.of for each in growth if each.what == MEMORY and each.course != "not known"}
    servers = _servers(record)
    missing = sorted(servers - known)
    if missing:
        yield f"memory of {', '.join(missing)} was not seen{_why(record, missing)}"
    elif len(servers) < record.cell.replicas:
        why = record.cell.unavailable("cgroup")
        yield f"the server's memory was not seen{f': {why}' if why else ''}"


def _servers(record: CellRecord) -> set[str]:
    """Every server that anything was read of."""
    keys = ("usage_bytes", "working_set_bytes", "anon_bytes")
    read = (("probe", "probe_s"), *(("cgroup", key) for key in keys))
    return {source for device, key in read for source in record.samples.sources(device, key)}


def _why(record: CellRecord, missing: Iterable[str]) -> str:
    if said := record.cell.unavailable("cgroup"):
        return f": {said}"
    if set(missing) & set(record.samples.sources("cgroup", "usage_bytes")):
        return " apart from its page cache, which grows up to any limit, or in too few segments"
    return ""
