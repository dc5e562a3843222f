"""One step as the question sees it: some thirty figures, each `None` where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

IDLE = "idle"
"""Key of the worker threads that do nothing (device `stacks`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The figures of one step, or of several equal ones (see `merged`).

    Attributes:
        concurrency: offered.
        repetitions: how many steps these figures are of.
        held: the load was held; without it the figures are of a step that broke off.
        broken: names of the broken objectives.
        cpu_ratio, throttled_ratio, peak_ratio: of the worst replica, against enforced limits.
        cpu_cores: of all replicas.
        oom_kills: processes killed for memory; oom_deaths: servers among them.
        deaths: servers that ended, for whatever reason.
        kills_counted: the kernel's counter of kills was read.
        witnesses: who said that a server ended for memory.
        sigkilled: runs that failed because signal 9 ended their process.
        failures: runs that did not succeed, by family of their failure.
        waiting_share: readings with a request waiting for a worker, of all (worst replica).
        waiting: requests waiting, median (worst replica).
        full_share: readings with every worker busy, of all (worst replica).
        workers: how many a replica has.
        threads: mean number of worker threads by what they do (device `stacks`).
        probe_s: median time of a cheap request; probes_lost: those without an answer.
        front_s: median part of accepting a launch that is not the starting of its process.
        spawn_s, import_s, exec_s: medians, see docs/metrics.md.
        services: cores of what feeds the server, by name.
        host_cores, generator_cores: of the machine, of the load generator.
        queued_share: readings with a run in Dagster's queue, of all.
        queued, taken: runs in that queue; runs that left it and have not ended (medians).
        doubts: warnings of the step, code and evidence.
    """

    concurrency: int
    repetitions: int = 1
    held: bool = True
    broken: tuple[str, ...] = ()
    cpu_ratio: float | None = None
    cpu_cores: float | None = None
    throttled_ratio: float | None = None
    peak_ratio: float | None = None
    oom_kills: int = 0
    oom_deaths: int = 0
    deaths: int = 0
    kills_counted: bool = False
    witnesses: tuple[str, ...] = ()
    sigkilled: int = 0
    failures: Mapping[str, float] = field(default_factory=dict)
    waiting_share: float | None = None
    waiting: float | None = None
    full_share: float | None = None
    workers: float | None = None
    threads: Mapping[str, float] = field(default_factory=dict)
    probe_s: float | None = None
    probes_lost: int = 0
    front_s: float | None = None
    spawn_s: float | None = None
    import_s: float | None = None
    exec_s: float | None = None
    services: Mapping[str, float] = field(default_factory=dict)
    host_cores: float | None = None
    generator_cores: float | None = None
    queued_share: float | None = None
    queued: float | None = None
    taken: float | None = None
    doubts: tuple[tuple[str, str], ...] = ()

    @property
    def held_threads(self) -> float:
        """Worker threads that do something."""
        return sum(number for key, number in self.threads.items() if key != IDLE)

    def doubt(self, code: str) -> str | None:
        """What a warning said, `None` where it was not raised."""
        return next((evidence for found, evidence in self.doubts if found == code), None)


_MEDIANS = (
    "cpu_ratio", "cpu_cores", "throttled_ratio", "waiting_share", "waiting", "full_share",
    "workers", "probe_s", "front_s", "spawn_s", "import_s", "exec_s", "host_cores",
    "generator_cores", "queued_share", "queued", "taken",
)  # fmt: skip
_HIGHEST = ("peak_ratio", "oom_kills", "oom_deaths", "deaths", "sigkilled", "probes_lost")
_MAPPINGS = ("failures", "threads", "services")
_TUPLES = ("broken", "witnesses", "doubts")


def merged(looks: Sequence[Look]) -> Look:
    """Equal repetitions as one: medians of what is known, of walls and counts the highest.

    Args:
        looks: at least one, all of one concurrency.
    """
    if len(looks) == 1:
        return looks[0]
    changes: dict[str, Any] = {
        "repetitions": len(looks),
        "held": any(look.held for look in looks),
        "kills_counted": any(look.kills_counted for look in looks),
    }
    for name in _MEDIANS:
        changes[name] = _median(getattr(look, name) for look in looks)
    for name in _HIGHEST:
        known = [value for look in looks if (value := getattr(look, name)) is not None]
        changes[name] = max(known, default=None)
    for name in _MAPPINGS:
        parts = [getattr(look, name) for look in looks]
        keys = dict.fromkeys(key for part in parts for key in part)
        changes[name] = {key: _median(part.get(key) for part in parts) for key in keys}
    for name in _TUPLES:
        changes[name] = tuple(dict.fromkeys(one for look in looks for one in getattr(look, name)))
    return replace(looks[0], **changes)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
