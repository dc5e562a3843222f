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
class Configuration:
    """What one file says. `limit`: runs at a time in the whole deployment, `limit_said` where.

    `dequeue_threads`: launches at a time, where the file turns threads on. `dequeue_interval_s`:
    from one look of the daemon at its queue to the next.
    """

    source: str
    kind: str
    servers: tuple[ServerPromise, ...] = ()
    limit: int | None = None
    limit_said: str = ""
    dequeue_threads: int | None = None
    dequeue_interval_s: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Everything the files say together about one server, with what Dagster takes where they are
    silent.

    `said`: where each of the four stands (`limit`, `max_workers`, `size`, `replicas`), in words.
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
