"""The long-running workload: each op lasts minutes and mostly waits on the upstream server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, load_job, wait_upstream

DEFAULTS: Mapping[str, float] = {"minutes": 2.0}

CHUNK_S = 10.0
_HEARTBEAT_ROUNDS = 1_000


def chunks(total_s: float) -> tuple[float, ...]:
    """`total_s` seconds as waits of 10 s and one rest, in that order."""
    full = int(total_s // CHUNK_S)
    rest = round(total_s - full * CHUNK_S, 3)
    return (CHUNK_S,) * full + ((rest,) if rest > 0 else ())


def heartbeat(state: bytes) -> bytes:
    """The little work of a job that watches something: a millisecond or so of hashing."""
    for _ in range(_HEARTBEAT_ROUNDS):
        state = hashlib.sha256(state).digest()
    return state


def work(params: Params) -> Mapping[str, float]:
    """Wait `minutes` in chunks, each over a fresh connection, with a heartbeat after each.

    Raises:
        UpstreamError: a chunk failed.
    """
    waited, state = [], b""
    for wait_s in chunks(params["minutes"] * 60.0):
        waited.append(wait_upstream(wait_s))
        state = heartbeat(state)
    return {"heartbeats": len(waited), "waited_s": sum(waited)}


defs = Definitions(jobs=[load_job(work, DEFAULTS)])
