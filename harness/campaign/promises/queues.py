"""The run queue, as an instance and as the Helm chart describe it.

What each takes where nothing is said: Dagster's `QueuedRunCoordinator` itself, and the chart's
`values.yaml` with what its template leaves out of `dagster.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.campaign.promises.quantities import FEWEST_CPUS_SEEN, pool_size
from harness.campaign.promises.tree import NO_LIMIT, Tree
from harness.campaign.promises.types import QueuePromise

UNQUEUED = ("DefaultRunCoordinator", "SyncInMemoryRunCoordinator")
"""Run coordinators that launch at once, whatever `concurrency` says."""

CHART_WORKERS = 4
"""`dequeueNumWorkers` of the chart, which turns `dequeueUseThreads` on."""

CHARTS_OWN = "the Helm chart's own, where nobody sets it"
POOL = f"as many as Dagster takes on {FEWEST_CPUS_SEEN} CPUs, where nobody sets it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What a file says of the queue, with what holds where it does not. Fields as in
    `Configuration`.
    """

    queue: QueuePromise = QueuePromise()  # noqa: RUF009 - frozen
    unsaid: QueuePromise = QueuePromise()  # noqa: RUF009 - frozen
    bare: bool = False


def of_instance(root: Tree, source: str) -> Queued:
    """`dagster.yaml`, and the settings of a Dagster+ deployment."""
    coordinator, run_queue = root.at("run_coordinator"), root.at("run_queue")
    isolation = root.at("non_isolated_runs", "max_concurrent_non_isolated_runs")
    places = (
        isolation,
        root.at("concurrency", "runs", "max_concurrent_runs"),
        run_queue.at("max_concurrent_runs"),
    )
    # Dagster takes an empty `run_queue` for none.
    bare = not coordinator and not run_queue.value and not isolation
    return Queued(queue=_coordinated(coordinator, places, source, run_queue), bare=bare)


def _coordinated(
    coordinator: Tree, places: Sequence[Tree], source: str, *others: Tree
) -> QueuePromise:
    """A run coordinator of whatever class; `places`, `others`: where its settings stand too."""
    named, config = coordinator.at("class"), coordinator.at("config")
    if named.text() in UNQUEUED:
        named.note(f"is {named.text()}: it has no queue, and launches whatever comes at once")
        unlimited = f"{source}: {named.place} is {named.text()}, which has no limit"
        return QueuePromise(limit=NO_LIMIT, said={"limit": unlimited})
    limited = _limited((*places, config.at("max_concurrent_runs")), source)
    return _daemon(limited, (config, *others), source)


def _limited(places: Sequence[Tree], source: str) -> QueuePromise:
    """The narrowest of several limits: all of them bind."""
    known = [(limit, place) for place in places if (limit := place.limit()) is not None]
    numbers = [pair for pair in known if pair[0] != NO_LIMIT]
    hidden = next((place for place in places if place.variable), None)
    if numbers:
        limit, place = min(numbers, key=lambda pair: pair[0])
        return QueuePromise(limit=limit, said={"limit": f"{source}: {place.place}"})
    if hidden is not None:
        return QueuePromise(
            variable=hidden.variable, said={"limit": f"{source}: {hidden.place}"}
        )  # fmt: skip
    if known:
        said = f"{source}: {known[0][1].place} is {NO_LIMIT}, which is no limit"
        return QueuePromise(limit=NO_LIMIT, said={"limit": said})
    return QueuePromise()


def _daemon(queue: QueuePromise, places: Sequence[Tree], source: str) -> QueuePromise:
    """The same queue, with what is said of the daemon that empties it."""
    for place in places:
        threaded = place.at("dequeue_use_threads")
        on = threaded.flag()
        if on is not None and queue.threads is None:
            workers = place.at("dequeue_num_workers")
            number = workers.read(_one_or_more, "a whole number from 1 on") if on else 0
            queue = _launching(queue, number, workers if number else threaded, source)
        look = place.at("dequeue_interval_seconds")
        if (look_s := look.count()) is not None and queue.interval_s is None:
            queue = _looking(queue, look_s, look, source)
    return queue


def _launching(
    queue: QueuePromise, threads: int | None, place: Tree, source: str
) -> QueuePromise:  # fmt: skip
    """`threads`: `None` for as many as a pool of threads has unless told."""
    said = f"{source}: {place.place}"
    if threads is None:
        threads, said = pool_size(FEWEST_CPUS_SEEN), f"{said}; {POOL}"
    return replace(queue, threads=threads, said={**queue.said, "threads": said})


def _looking(queue: QueuePromise, look_s: int, place: Tree, source: str) -> QueuePromise:
    said = {**queue.said, "interval_s": f"{source}: {place.place}"}
    return replace(queue, interval_s=look_s, said=said)


def _one_or_more(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def of_chart(root: Tree, source: str) -> Queued:
    """Values of the open-source Helm chart, over the chart's own."""
    daemon = root.at("dagsterDaemon")
    coordinator = daemon.at("runCoordinator")
    if False in (daemon.at("enabled").flag(), coordinator.at("enabled").flag()):
        return Queued(bare=True)
    if coordinator.at("type").text() == "CustomRunCoordinator":
        custom = coordinator.at("config", "customRunCoordinator")
        return Queued(queue=_coordinated(custom, (), source))
    queued = coordinator.at("config", "queuedRunCoordinator")
    top = root.at("concurrency", "runs", "maxConcurrentRuns")
    topped = root.at("concurrency", "enabled").flag() is True
    if top and not topped:
        top.note("counts only with concurrency.enabled: true")
    limit = queued.at("maxConcurrentRuns")
    queue = _limited((limit, top) if topped else (limit,), source)
    queue = _chart_daemon(queue, queued, source)
    if not _written(queued):
        return Queued(queue=queue)
    # Where `concurrency` is on, the template leaves the limit to it, and so to Dagster.
    none, said = None if topped else NO_LIMIT, f"no limit is {CHARTS_OWN}"
    unsaid = QueuePromise(
        limit=none, threads=CHART_WORKERS, said={"limit": said, "threads": CHARTS_OWN}
    )
    return Queued(queue=queue, unsaid=unsaid)


def _chart_daemon(queue: QueuePromise, queued: Tree, source: str) -> QueuePromise:
    """The template writes nothing that is null, 0 or false: then Dagster's own counts."""
    threaded, workers = queued.at("dequeueUseThreads"), queued.at("dequeueNumWorkers")
    on = threaded.flag() if queued.has("dequeueUseThreads") else True
    if not on:
        queue = _launching(queue, 0, threaded, source)
    elif queued.has("dequeueNumWorkers"):
        queue = _launching(queue, workers.count() or None, workers, source)
    look = queued.at("dequeueIntervalSeconds")
    return _looking(queue, look_s, look, source) if (look_s := look.count()) else queue


def _written(queued: Tree) -> bool:
    """Whether the template writes any `config`: it does unless every value is empty."""
    own = {"dequeueUseThreads": True, "dequeueNumWorkers": CHART_WORKERS}
    said = queued.value if isinstance(queued.value, dict) else {}
    return any({**own, **said}.values())
