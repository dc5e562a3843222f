"""What the generator is told to send, and what it tells of it: all a load worker has to know.

Neutral records between conductor and load: a worker's image holds this module, and no target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.campaign.plan import LoadModel
from harness.facts.model import Event, Phase, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a webserver is asked beside its address: with which headers, trusting whose certificates
    (`None`: those the system trusts): a file of them, or themselves.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """A job to launch, its share of the runs (in proportion to the others), its run config.

    `partitions` are taken in turn. With `assets` (`a/b`) these are materialized, and `job` is only
    what their runs are called.
    """

    job: str
    share: float
    run_config: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    partitions: Sequence[str] = ()
    assets: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """One step for the generator.

    `model` `closed`: `concurrency` runs in flight. `uniform` and `poisson`: `rate_per_s` arrivals
    a second, evenly or by chance (seeded). `burst`: `concurrency` runs at the start of the hold
    and no more. Jobs are taken in turn so that at any moment each has had its share. The step is
    aborted once `most_failures` runs have failed. Never more than `most_at_once` are in flight:
    arrivals of an open model beyond that are dropped, and counted.
    """

    step: int
    webserver_url: str
    location: str
    jobs: tuple[JobOrder, ...]
    tags: Mapping[str, str]
    concurrency: int
    ramp_s: float
    settle_s: float
    hold_s: float
    drain_s: float
    burst: bool
    max_runs: int | None = None  # stop sending after this many (warm-up)
    model: LoadModel = "closed"
    rate_per_s: float | None = None
    seed: int = 1
    access: Access = Access()
    most_failures: int | None = None
    most_at_once: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is going on right now, for the live view; counts are of this step."""

    phase: str
    in_flight: int
    sent: int
    completed: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """What the generator did. `abort_reason` is empty when the step ran to its end.

    `events`: of several load workers, who they were. `ends_seen`: ids of runs whose end is when the
    poll saw it, on our clock, since the server told none.
    """

    runs: tuple[Run, ...]
    phases: tuple[Phase, ...]
    abort_reason: str = ""
    dropped_arrivals: int = 0
    generator_cpu_cores: float | None = None
    events: tuple[Event, ...] = ()
    ends_seen: frozenset[str] = frozenset()
