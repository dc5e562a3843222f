"""One promise from several files, with what Dagster takes where nobody says anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.campaign.profiles import Profile
from harness.campaign.promises.readers import server_named
from harness.campaign.promises.types import Configuration, Promise, ServerPromise
from harness.errors import CampaignError

OSS_LIMIT = 10
"""`max_concurrent_runs` of open-source Dagster where it is not set (`QueuedRunCoordinator`)."""

OSS_LOOK_S = 5
"""`dequeue_interval_seconds` of Dagster's daemon where it is not set."""

FEWEST_CPUS_SEEN = 2
"""A Fargate container sees two CPUs at least, whatever it may use of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the person says on top of the files; it comes first."""

    location: str = ""
    limit: int | None = None
    profile: Profile | None = None


def promise_of(configurations: Sequence[Configuration], said: Said) -> Promise:
    """What is promised of one server, in all.

    Raises:
        CampaignError: no server or several, or nobody says its CPU or its memory.
    """
    server, its_file = server_named(configurations, said.location)
    vcpu, memory_mib, size_said = _size(server, its_file, said.profile)
    limit, limit_said = _limit(configurations, said.limit)
    workers, workers_said = _workers(server, its_file, vcpu)
    replicas = server.replicas if server.replicas is not None else 1
    threads = [c.dequeue_threads for c in configurations if c.dequeue_threads is not None]
    looks = [c.dequeue_interval_s for c in configurations if c.dequeue_interval_s is not None]
    return Promise(
        name=server.name,
        vcpu=vcpu,
        memory_mib=memory_mib,
        max_workers=workers,
        limit=limit,
        replicas=max(1, replicas),
        image=server.image,
        load=server.load,
        dequeue_threads=threads[0] if threads else None,
        dequeue_interval_s=max(1, looks[0]) if looks else OSS_LOOK_S,
        said={
            "size": size_said,
            "max_workers": workers_said,
            "limit": limit_said,
            "replicas": _place(server, its_file, "replicas") or "one, where nobody says more",
        },
        faults=server.faults,
        notes=tuple(note for each in configurations for note in each.notes),
    )


def _size(
    server: ServerPromise, its_file: Configuration, profile: Profile | None
) -> tuple[float, int, str]:
    if profile is not None:
        return profile.vcpu, profile.memory_mib, "on the command line"
    missing = [
        what
        for what, value in (("CPU", server.vcpu), ("memory", server.memory_mib))
        if value is None
    ]
    if server.vcpu is None or server.memory_mib is None:
        raise CampaignError(
            f"{its_file.source} does not say how much {' and '.join(missing)} {server.name} may "
            "use.",
            evidence="Only limits count: without them a server takes what the machine has.",
            hint="Say it: --profile 1vcpu-2gb",
        )
    return server.vcpu, server.memory_mib, _place(server, its_file, "memory_mib")


def _limit(configurations: Sequence[Configuration], given: int | None) -> tuple[int, str]:
    if given is not None:
        return given, "on the command line"
    for each in configurations:
        if each.limit is not None:
            return max(1, each.limit), f"{each.source}: {each.limit_said}"
    return OSS_LIMIT, "open-source Dagster's own, where nobody sets it (--limit says another)"


def _workers(server: ServerPromise, its_file: Configuration, vcpu: float) -> tuple[int, str]:
    if server.max_workers is not None:
        return max(1, server.max_workers), _place(server, its_file, "max_workers")
    # `ThreadPoolExecutor`'s own default over the CPUs it sees; a quota is not seen.
    cpus = max(FEWEST_CPUS_SEEN, math.ceil(vcpu))
    return min(32, cpus + 4), f"what Dagster takes on {cpus} CPUs, where nobody sets it"


def _place(server: ServerPromise, its_file: Configuration, field: str) -> str:
    place = server.said.get(field, "")
    return f"{its_file.source}: {place}" if place else ""
