"""The mixed workload: each op waits, then parses, aggregates, compresses, writes and verifies."""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from typing import Any

from dagster import Definitions

from workloads.common import Params, fetch, load_job

DEFAULTS: Mapping[str, float] = {"records": 20_000, "wait_s": 2.0}


class VerificationError(RuntimeError):
    """Data did not survive the way from the upstream server to the disk and back."""


def aggregate(body: bytes) -> dict[str, dict[str, int]]:
    """Count, sum and maximum of `value` by `group` over JSON lines."""
    groups: dict[str, dict[str, int]] = {}
    for line in body.splitlines():
        record: dict[str, Any] = json.loads(line)
        totals = groups.setdefault(record["group"], {"count": 0, "sum": 0, "max": 0})
        totals["count"] += 1
        totals["sum"] += record["value"]
        totals["max"] = max(totals["max"], record["value"])
    return groups


def store_and_verify(body: bytes) -> int:
    """Compress `body` into a temporary file, read it back, compare, remove; bytes on disk.

    The file lies in `WORKLOAD_SCRATCH`, or where the system keeps temporary files.

    Raises:
        VerificationError: what was read is not what was written.
    """
    folder = os.environ.get("WORKLOAD_SCRATCH") or None
    with tempfile.TemporaryFile(dir=folder, prefix="load-") as file:
        file.write(zlib.compress(body))
        stored_bytes = file.tell()
        file.seek(0)
        if zlib.decompress(file.read()) != body:
            raise VerificationError(f"{stored_bytes} bytes read back differ from those written")
    return stored_bytes


def work(params: Params) -> Mapping[str, float]:
    """Fetch `records` records after `wait_s` seconds and take them through all stages.

    Raises:
        UpstreamError: the upstream server failed.
        VerificationError: records are missing, or the file differs from what was written.
    """
    records, wait_s = params["records"], float(params["wait_s"])
    body = fetch(f"/data?records={records}&s={wait_s}", expected_s=wait_s)
    groups = aggregate(body)
    counted = sum(totals["count"] for totals in groups.values())
    if counted != records:
        raise VerificationError(f"asked for {records} records, received {counted}")
    return {
        "records": counted,
        "groups": len(groups),
        "value_sum": sum(totals["sum"] for totals in groups.values()),
        "fetched_bytes": len(body),
        "stored_bytes": store_and_verify(body),
    }


defs = Definitions(jobs=[load_job(work, DEFAULTS)])
