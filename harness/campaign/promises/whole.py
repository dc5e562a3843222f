"""One promise from several files, with what Dagster takes where nobody says anything."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.campaign.profiles import Profile
from harness.campaign.promises.quantities import FEWEST_CPUS_SEEN, pool_size
from harness.campaign.promises.readers import server_named
from harness.campaign.promises.tree import NO_LIMIT
from harness.campaign.promises.types import Configuration, Promise, QueuePromise, ServerPromise
from harness.errors import CampaignError

DAGSTERS_OWN = "open-source Dagster's own, where nobody sets it"

DAGSTER = QueuePromise(
    limit=10,
    threads=0,
    interval_s=5,
    said={
        "limit": f"{DAGSTERS_OWN} (--limit says another)",
        "threads": DAGSTERS_OWN,
        "interval_s": DAGSTERS_OWN,
    },
)
"""`QueuedRunCoordinator` where it is told nothing; since 1.10 that is what Dagster has where no run
coordinator is named."""

UNQUEUED = QueuePromise(
    limit=NO_LIMIT,
    said={
        "limit": "No run coordinator is named, and before 1.10 Dagster's own has no queue and no "
        "limit."
    },
)

MOST_THREADS = 100
MOST_INTERVAL_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the person says on top of the files; it comes first. `dagster`: the release it is
    tested with, empty for the newest.
    """

    location: str = ""
    limit: int | None = None
    profile: Profile | None = None
    dagster: str = ""


def promise_of(configurations: Sequence[Configuration], said: Said) -> Promise:
    """What is promised of one server, in all.

    Raises:
        CampaignError: no server or several; nobody says its CPU, its memory or, where there is
            none or it launches nothing, a limit.
    """
    server, its_file = server_named(configurations, said.location)
    vcpu, memory_mib, size_said = _size(server, its_file, said.profile)
    queues = _queues(configurations, said.dagster)
    limit, limit_said = _limit(queues, said.limit)
    launching = next(queue for queue in queues if queue.threads is not None)
    looking = next(queue for queue in queues if queue.interval_s is not None)
    workers, workers_said = _workers(server, its_file, vcpu)
    replicas = server.replicas if server.replicas is not None else 1
    return Promise(
        name=server.name,
        vcpu=vcpu,
        memory_mib=memory_mib,
        max_workers=workers,
        limit=limit,
        replicas=max(1, replicas),
        image=server.image,
        load=server.load,
        dequeue_threads=min(MOST_THREADS, launching.threads or 0) or None,
        dequeue_interval_s=min(MOST_INTERVAL_S, max(1, looking.interval_s or 0)),
        said={
            "size": size_said,
            "max_workers": workers_said,
            "limit": limit_said,
            "replicas": _place(server, its_file, "replicas") or "one, where nobody says more",
            "launches": launching.said["threads"],
            "interval": looking.said["interval_s"],
        },
        faults=server.faults,
        notes=(
            *(note for each in configurations for note in each.notes),
            *_beyond(launching.threads or 0, looking.interval_s or 0),
        ),
    )


def _queues(configurations: Sequence[Configuration], dagster: str) -> Sequence[QueuePromise]:
    """Whoever speaks of the queue, the first to be heard first; the last says everything.

    A limit that stands in a variable may stand in another file as a number.
    """
    bare = any(each.bare for each in configurations) and _before_1_10(dagster)
    return (
        *sorted((each.queue for each in configurations), key=lambda queue: bool(queue.variable)),
        *((UNQUEUED,) if bare else ()),
        *(each.unsaid for each in configurations),
        DAGSTER,
    )


def _before_1_10(release: str) -> bool:
    found = re.match(r"(\d+)\.(\d+)(\.|$)", release)
    return found is not None and (int(found[1]), int(found[2])) < (1, 10)


def _beyond(threads: int, interval_s: int) -> Sequence[str]:
    """What is configured beyond anything that is tested."""
    said = (
        (threads > MOST_THREADS, f"Of {threads} launches at a time, {MOST_THREADS} are tested"),
        (
            interval_s > MOST_INTERVAL_S,
            f"The queue is looked at every {interval_s} s; every {MOST_INTERVAL_S} s is tested",
        ),
    )
    return tuple(text for beyond, text in said if beyond)


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


def _limit(queues: Sequence[QueuePromise], given: int | None) -> tuple[int, str]:
    if given is not None:
        return given, "on the command line"
    found = next(queue for queue in queues if queue.limit is not None or queue.variable)
    place = found.said["limit"]
    if found.limit is None:
        raise CampaignError(
            f"The limit on runs at once stands in the environment variable {found.variable}.",
            evidence=place,
            hint="Say what it is: --limit N",
        )
    if found.limit == NO_LIMIT:
        raise CampaignError(
            "Nothing limits how many runs are in the server at once, so there is no limit to hold.",
            evidence=place,
            hint="Say how many it must hold: --limit N",
        )
    if found.limit == 0:
        raise CampaignError(
            "The limit on runs at once is 0, with which Dagster launches nothing.",
            evidence=place,
            hint="Say how many it must hold: --limit N",
        )
    return found.limit, place


def _workers(server: ServerPromise, its_file: Configuration, vcpu: float) -> tuple[int, str]:
    if server.max_workers is not None:
        return max(1, server.max_workers), _place(server, its_file, "max_workers")
    # `ThreadPoolExecutor`'s own default over the CPUs it sees; a quota is not seen.
    cpus = max(FEWEST_CPUS_SEEN, math.ceil(vcpu))
    return pool_size(cpus), f"what Dagster takes on {cpus} CPUs, where nobody sets it"


def _place(server: ServerPromise, its_file: Configuration, field: str) -> str:
    place = server.said.get(field, "")
    return f"{its_file.source}: {place}" if place else ""
