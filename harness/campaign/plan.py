"""What to measure: the campaign as frozen, validated data.

A campaign is the product of profiles × workloads × Dagster versions × workers × replicas, as often
as `repetitions` says; each combination is one cell, and each cell climbs through steps. Nothing
here reads a file or a clock; `harness.campaign.loading` makes these from YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from harness.campaign.external import External
from harness.campaign.faults import Fault
from harness.campaign.own_code import Code, OwnJob, Strict
from harness.campaign.profiles import Profile

TargetKind = Literal["auto", "compose", "process", "external"]
Feed = Literal["direct", "queued"]
Strategy = Literal["adaptive", "bisect", "ladder", "soak"]
LISTED: tuple[Strategy, ...] = ("ladder", "soak")
"""Their steps are known before anything is measured."""

LoadModel = Literal["closed", "uniform", "poisson", "burst"]
"""`closed`: a fixed number in flight. `uniform`, `poisson`: arrivals, whatever becomes of the
earlier ones. `burst`: all at once and no more, as cron at minute 0."""
Param = int | float | str | bool
Concurrency = Annotated[int, Field(ge=1, le=500)]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
DagsterVersion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=40)]
"""A release `1.A.B`, `latest`, or a label that `Campaign.builds` explains."""

RELEASE = re.compile(r"\d+\.\d+\.\d+")
OLDEST = (1, 5, 0)
"""The first release of Dagster the harness can host."""

LATEST = "latest"
"""The newest release there is when the campaign starts; its number takes its place then."""


class Part(Strict):
    """One workload of a mix: `share` of the runs, in proportion to the other parts' shares."""

    workload: Name
    share: float = Field(gt=0)
    params: dict[str, Param] = Field(default_factory=dict)


class Sensors(Strict):
    """Sensors ticking beside the runs: each tick holds a gRPC worker for `tick_s` seconds.

    `block` sleeps, `burn` computes and so holds the server's GIL.
    """

    count: int = Field(ge=1, le=200)
    tick_s: float = Field(default=5, ge=0, le=600)
    interval_s: int = Field(default=30, ge=1, le=3600)
    mode: Literal["block", "burn"] = "block"


class Job(Strict):
    """A job to launch, its share of the runs, and its run config; see `OwnJob` for the rest."""

    name: str
    share: float
    params: dict[str, Any]
    tags: dict[str, str] = Field(default_factory=dict)
    partitions: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()


class Workload(Strict):
    """What a run does. `params` go to the run as config, `steps` and `executor` to its job.

    `module` names the package under `workloads/`, where that is not the workload's own name (the
    same one measured in two ways). With `mix` several packages share one server. `environment`
    goes to the server's environment as it is: what a location reads when it loads. With `code` the
    server loads the user's own, and its jobs are launched.
    """

    name: Name
    module: Name | None = None
    params: dict[str, Param] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
    executor: Literal["in_process", "multiprocess"] = "in_process"
    steps: int = Field(default=1, ge=1, le=50)
    mix: tuple[Part, ...] = ()
    sensors: Sensors | None = None
    code: Code | None = None
    concurrencies: tuple[Concurrency, ...] | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it is made of: its mix, or itself alone."""
        alone = Part(workload=self.module or self.name, share=1, params=self.params)
        return self.mix or (alone,)

    @property
    def package(self) -> str:
        """The package under `workloads/` that the server loads: `blend` for more than one job."""
        blended = self.mix or self.sensors
        return "blend" if blended else (self.module or self.name).replace("-", "_")

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What is launched: `load`, of a blend `load_<workload>` for each part, or the user's."""
        if self.code is not None:
            return tuple(_own_job(job) for job in self.code.jobs)
        if self.package != "blend":
            return (Job(name="load", share=1, params=self.params),)
        return tuple(
            Job(
                name=f"load_{part.workload.replace('-', '_')}",
                share=part.share,
                params={**self.params, **part.params} if self.mix else part.params,
            )
            for part in self.parts
        )

    @property
    def server_environment(self) -> dict[str, str]:
        """Variables of the code server: the blend's parts, its sensors, then the user's own."""
        made: dict[str, str] = {}
        if self.package == "blend":
            made["WORKLOAD_BLEND"] = ",".join(part.workload for part in self.parts)
        if self.sensors:
            made |= {
                "WORKLOAD_SENSORS": str(self.sensors.count),
                "WORKLOAD_SENSOR_MODE": self.sensors.mode,
                "WORKLOAD_SENSOR_S": f"{self.sensors.tick_s:g}",
                "WORKLOAD_SENSOR_INTERVAL_S": str(self.sensors.interval_s),
                "WORKLOAD_SENSORS_RUNNING": "1",
            }
        return made | self.environment


def _own_job(job: OwnJob) -> Job:
    fields = job.model_dump(exclude={"run_config"})
    return Job(**fields, params=job.run_config)


class StepTimes(Strict):
    """How long each phase of a step takes, in seconds.

    `ramp_s` should span one run, so that launches do not all land together. The drain ends as
    soon as nothing is in flight; `drain_s` is its limit, after which runs count as unfinished.
    """

    ramp_s: float = Field(default=8, ge=0, le=3600)
    settle_s: float = Field(default=4, ge=0, le=3600)
    hold_s: float = Field(default=24, gt=0, le=7200)
    drain_s: float = Field(default=60, gt=0, le=7200)
    burst: bool = False


class Load(Strict):
    """How runs arrive.

    In an open model (`uniform`, `poisson`) a step's concurrency is an *offered* one: by Little's
    law the arrival rate is concurrency ÷ `run_s`, where `run_s` is what one run takes alone, in
    seconds; left out, the cell's own unloaded response time. `workers`: processes that generate it,
    with Locust's master where there are several. `master` (`host:port`): it waits there for that
    many workers from elsewhere, instead of starting them.
    """

    model: LoadModel = "closed"
    workers: int = Field(default=1, ge=1, le=64)
    master: Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\d{1,5}$")] | None = None
    run_s: float | None = Field(default=None, gt=0, le=86400)
    seed: int = Field(default=1, ge=0)


class Queue(Strict):
    """How Dagster's daemon takes runs from the run queue (feed `queued`).

    `dequeue_threads`: launches at a time; left out, one, which is Dagster's default. `on_trial`:
    what is tested is the server behind this queue, so that a daemon slower than the server is no
    doubt about the answer.
    """

    dequeue_interval_s: int = Field(default=5, ge=1, le=3600)
    dequeue_threads: int | None = Field(default=None, ge=1, le=100)
    on_trial: bool = False


LADDER = (1, 2, 4, 8, 12, 16, 20)


class Search(Strict):
    """How the threshold is looked for, over whole concurrencies.

    `always` are equal loads for a comparison: what every cell of an `adaptive` search measures
    first, whatever it finds; they count as steps. `ladder` climbs `concurrencies` (each
    `repetitions` times) until `stop_after_failures` of them failed in a row. `bisect` halves,
    once. `adaptive` gallops up, then repeats at the boundary until the answer is as sure as
    `confidence`, or `max_steps` or `max_minutes` (a cell) are spent. For both, `concurrencies` is
    the grid; left out, every number from 1 to `highest`. `soak` looks for nothing: it holds its one
    concurrency for `max_steps` steps, its segments, whatever they show.
    """

    strategy: Strategy = "adaptive"
    concurrencies: tuple[Concurrency, ...] | None = None
    highest: int = Field(default=64, ge=1, le=500)
    repetitions: int = Field(default=1, ge=1, le=20)
    stop_after_failures: int = Field(default=1, ge=1, le=20)
    confidence: float = Field(default=0.95, ge=0.5, le=0.999)
    max_steps: int = Field(default=24, ge=2, le=500)
    max_minutes: float | None = Field(default=None, gt=0, le=1440)
    always: tuple[Concurrency, ...] = ()

    @property
    def grid(self) -> tuple[int, ...]:
        """The concurrencies an answer may be, ascending."""
        if self.concurrencies:
            return self.concurrencies
        return LADDER if self.strategy == "ladder" else tuple(range(1, self.highest + 1))


class Slos(Strict):
    """Service level objectives (DESIGN section 7); `None` switches one off."""

    no_oom: int | None = Field(default=0, ge=0)
    failed_runs: float | None = Field(default=0.01, ge=0, le=1)
    memory_headroom: float | None = Field(default=0.90, gt=0, le=1)
    launch_s_p95: float | None = Field(default=10, gt=0)
    slowdown_p95: float | None = Field(default=2.0, ge=1)
    probe_s_p99: float | None = Field(default=5, gt=0)
    pool_queue: float | None = Field(default=0, ge=0)
    backlog_trend: float | None = Field(default=0, ge=0)


class CellPlan(Strict):
    """One combination to measure."""

    profile: Profile
    workload: Workload
    dagster: DagsterVersion
    max_workers: int
    replicas: int
    feed: Feed
    max_concurrent_runs: int | None = None
    queue: Queue = Queue()
    repetition: int | None = None

    @property
    def id(self) -> str:
        """Unique within the campaign, safe as a folder name."""
        limit = f"_q{self.max_concurrent_runs}" if self.max_concurrent_runs is not None else ""
        again = f"_n{self.repetition}" if self.repetition is not None else ""
        return (
            f"{self.profile.name}_{self.workload.name}_{self.dagster}"
            f"_w{self.max_workers}_r{self.replicas}_{self.feed}{limit}{again}"
        )

    @property
    def needs_daemon(self) -> bool:
        """The daemon takes runs from the queue, and lets sensors tick."""
        running = self.workload.server_environment.get("WORKLOAD_SENSORS_RUNNING") == "1"
        return self.feed == "queued" or running


class Nightly(Strict):
    """How `harness nightly` runs this campaign unattended; `harness run` ignores it.

    `budget_minutes`: the campaign is shortened by rule until it is expected to fit (see
    `harness.campaign.budget`). `pinned`: a results folder to compare with, beside the campaign's
    own baseline version. `nights`: how many earlier nights stand beside tonight. `retries`: how
    often cells that came out invalid are measured again, in all. `gates`: metrics (without
    `@load`) that may turn a night red; empty takes those that gate by default. `keep_facts_days`:
    raw facts of nights older than that are removed, findings never. `min_free_gib`: below that
    nothing is begun.
    """

    budget_minutes: float | None = Field(default=None, gt=0, le=1440)
    pinned: str | None = None
    nights: int = Field(default=14, ge=1, le=365)
    retries: int = Field(default=1, ge=0, le=10)
    gates: tuple[str, ...] = ()
    keep_facts_days: float = Field(default=30, ge=0, le=36500)
    min_free_gib: float = Field(default=2, ge=0, le=10000)


class Campaign(Strict):
    """Everything one invocation measures.

    `dagster`: releases, or labels that `builds` explains: another release under that name (which
    compares a version with itself), or the path of a wheel, a folder of wheels or a checkout.
    `baseline`: the one of them the others are compared with; left out, the first. `repetitions`:
    equal cells of each kind, in rounds; every second round goes through the versions backwards
    (ABBA), so that a drift of the machine meets all of them alike. `external`: where the target of
    that name is; what a cell says of its size and workers is then only what its author believes.
    `faults`: what is broken on purpose beside a soak.
    """

    name: Name
    description: str = ""
    target: TargetKind = "auto"
    external: External | None = None
    feed: Feed = "direct"
    profiles: tuple[Profile, ...] = Field(min_length=1)
    workloads: tuple[Workload, ...] = Field(min_length=1)
    dagster: tuple[DagsterVersion, ...] = Field(default=("1.13.27",), min_length=1)
    builds: dict[Name, str] = Field(default_factory=dict)
    baseline: DagsterVersion | None = None
    repetitions: int = Field(default=1, ge=1, le=50)
    max_workers: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        default=(6,), min_length=1
    )
    replicas: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(default=(1,), min_length=1)
    max_concurrent_runs: tuple[Annotated[int, Field(ge=1, le=10000)] | None, ...] = Field(
        default=(None,), min_length=1
    )
    queue: Queue = Queue()
    load: Load = Load()
    warmup_runs: int = Field(default=2, ge=0, le=100)
    idle_s: float = Field(default=5, ge=0, le=600)
    step: StepTimes = StepTimes()
    search: Search = Search()
    slos: Slos = Slos()
    devices: tuple[str, ...] | None = None  # None: every device the target offers
    faults: tuple[Fault, ...] = ()
    nightly: Nightly = Nightly()

    @property
    def baseline_version(self) -> str | None:
        """What the other versions are compared with; `None` where there is but one."""
        return (self.baseline or self.dagster[0]) if len(self.dagster) > 1 else None

    def cells(self) -> Iterator[CellPlan]:
        """Every cell in the order of measuring, round by round.

        Versions are innermost, so that cells to be compared are neighbours in time, then workloads.
        """
        for number in range(1, self.repetitions + 1):
            versions = self.dagster if number % 2 else self.dagster[::-1]
            for profile, workers, replicas, limit, workload, version in product(
                self.profiles, self.max_workers, self.replicas, self.max_concurrent_runs,
                self.workloads, versions,
            ):  # fmt: skip
                yield CellPlan(
                    profile=profile,
                    workload=workload,
                    dagster=version,
                    max_workers=workers,
                    replicas=replicas,
                    feed=self.feed,
                    max_concurrent_runs=limit,
                    queue=self.queue,
                    repetition=number if self.repetitions > 1 else None,
                )

    def concurrencies(self, cell: CellPlan) -> tuple[int, ...]:
        """The cell's grid or ladder: its workload's own, else the campaign's."""
        return cell.workload.concurrencies or self.search.grid
