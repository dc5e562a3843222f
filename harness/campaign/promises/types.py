"""A promise: what one configuration says a code server is given, and how much it must take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPromise:
    """One code server, as far as a configuration speaks of it; `None` where it does not.

    `vcpu` and `memory_mib` are hard limits. `load` is what Dagster loads there (`module`,
    `python_file`, `package`), `said` the place in the file by field. `faults`: what its own reader
    would refuse, although its meaning is clear.
    """

    name: str
    vcpu: float | None = None
    memory_mib: int | None = None
    max_workers: int | None = None
    replicas: int | None = None
    image: str | None = None
    load: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePromise:
    """The queue before all servers, as far as it is spoken of; `None` where it is not.

    `limit`: runs at a time in the whole deployment, `NO_LIMIT` for any number; `variable`: of the
    environment, where the limit stands in one. `threads`: launches at a time, 0 without threads,
    which is one after the other. `interval_s`: from one look of the daemon at the queue to the
    next. `said`: where each of `limit`, `threads` and `interval_s` stands, in words.
    """

    limit: int | None = None
    variable: str = ""
    threads: int | None = None
    interval_s: int | None = None
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What one file says. `queue`: what it says itself; `unsaid`: what its reader takes where
    neither it nor another file says anything. `bare`: an instance that names no run coordinator.
    """

    source: str
    kind: str
    servers: tuple[ServerPromise, ...] = ()
    queue: QueuePromise = QueuePromise()
    unsaid: QueuePromise = QueuePromise()
    bare: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Everything the files say together about one server, with what Dagster takes where they are
    silent.

    `dequeue_threads`: launches at a time, `None` without threads: one. `said`: where each stands
    (`limit`, `max_workers`, `size`, `replicas`, `launches`, `interval`), in words.
    `faults`: what the configuration's own reader would refuse. `notes`: what else to know.
    """

    name: str
    vcpu: float
    memory_mib: int
    max_workers: int
    limit: int
    replicas: int
    image: str | None
    load: Mapping[str, str]
    dequeue_threads: int | None
    dequeue_interval_s: int
    said: Mapping[str, str]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
