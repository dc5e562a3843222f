"""The I/O-bound workload: each op waits on HTTP requests to the upstream server."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from dagster import Definitions

from workloads.common import Params, load_job, wait_upstream

DEFAULTS: Mapping[str, float] = {"requests": 8, "wait_s": 1.0, "parallel": 1}


def work(params: Params) -> Mapping[str, float]:
    """Send `requests` requests of `wait_s` seconds each, `parallel` at a time.

    Reports `waited_s`, the sum over all requests, also of those that waited side by side.

    Raises:
        ValueError: `parallel` is 0.
        UpstreamError: a request failed; requests not yet sent are given up.
    """
    requests, parallel = params["requests"], params["parallel"]
    if parallel < 1:
        raise ValueError(f"parallel must be at least 1, not {parallel}")
    pool = ThreadPoolExecutor(max_workers=parallel)
    try:
        waited = list(pool.map(wait_upstream, [float(params["wait_s"])] * requests))
    finally:
        pool.shutdown(cancel_futures=True)
    return {"requests": len(waited), "waited_s": sum(waited)}


defs = Definitions(jobs=[load_job(work, DEFAULTS)])
