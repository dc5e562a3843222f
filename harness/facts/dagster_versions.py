"""What a setting is called in the words of one Dagster version.

Read from the code of Dagster 1.5 to 1.13. Whoever writes settings for people to paste asks here,
so that all of them say the same.
"""

from __future__ import annotations

import re

STEPS_VARIABLE = "DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT"
"""Steps of one run at a time in the multiprocess executor; unset, the machine's CPU count."""

WORKERS_VARIABLE = ((1, 6), "DAGSTER_GRPC_MAX_WORKERS")
"""Read by `dagster api grpc` from Dagster 1.6 on; an older one ignores it without a word."""

OLD_WORKERS_VARIABLE = "DAGSTER_CLI_API_GRPC_MAX_WORKERS"
"""What the command line library derives from the option's name; works in every version."""

CONCURRENCY_SECTION = (1, 10)
"""First Dagster whose `dagster.yaml` has `concurrency: runs:`; before, `run_queue:`."""

REQUEST_METRICS = (1, 6, 1)
"""First Dagster whose Ping tells of the requests at its server; `--enable-metrics` is older."""

NEWEST = (9999,)
"""Where a build of one's own stands: after every release."""

_RELEASE = re.compile(r"\d+\.\d+\.\d+")


def is_release(dagster: str) -> bool:
    """Whether this is a release `1.A.B`, not a label of something built."""
    return _RELEASE.fullmatch(dagster) is not None


def base_release(version: str) -> str | None:
    """The release a version is built on: `1.13.27+mine` → `1.13.27`, `1!0+dev` → `None`."""
    release = version.partition("+")[0]
    return release if is_release(release) else None


def version_of(dagster: str) -> tuple[int, ...]:
    """`1.13.27` → (1, 13, 27), as its builds; what is no release is newer than all of them."""
    release = base_release(dagster)
    return tuple(int(part) for part in release.split(".")) if release else NEWEST


def workers_variable(dagster: str) -> str:
    """The variable that sets the gRPC workers of a code server of this version."""
    since, name = WORKERS_VARIABLE
    return name if version_of(dagster) >= since else OLD_WORKERS_VARIABLE


def has_concurrency_section(dagster: str) -> bool:
    """Whether `dagster.yaml` of this version knows `concurrency: runs:`."""
    return version_of(dagster) >= CONCURRENCY_SECTION


def unavailable(dagster: str) -> dict[str, str]:
    """What this version cannot tell, by telemetry device, and why; empty where it tells all."""
    if version_of(dagster) >= REQUEST_METRICS:
        return {}
    since = ".".join(str(part) for part in REQUEST_METRICS)
    why = f"Dagster {dagster} answers a Ping without its requests; {since} is the first that tells"
    return {"ping": f"{why} ping_queued, ping_running and ping_max."}
