"""The jobs of `jobs`, and a sensor that never lets go of what it has read.

    hoard   every evaluation keeps HOARD_MIB more MiB in the server's own process

A sensor is evaluated in the server, not in a process of its own: this one makes the server the
largest process of its container.

Environment:
    HOARD_MIB   MiB kept by each evaluation, 100 without it
"""

from __future__ import annotations

from dagster import Definitions, SkipReason, sensor

from workloads.common import ballast, setting
from workloads.guides.jobs import jobs

_KEPT: list[bytearray] = []


# Dagster refuses an annotation of `context` that `from __future__` has turned into a string.
@sensor(job_name="noop")
def hoard(context):  # type: ignore[no-untyped-def]
    """Keep a bit more, and launch nothing."""
    del context
    _KEPT.append(ballast(int(setting("HOARD_MIB", 100))))
    return SkipReason(f"keeps {sum(map(len, _KEPT))} bytes")


defs = Definitions(jobs=jobs(), sensors=[hoard])
