"""What to measure: the campaign as frozen, validated data.

A campaign is the product of profiles × workloads × Dagster versions × workers × replicas; each
combination is one cell, and each cell climbs through steps. Nothing here reads a file or a
clock; `harness.campaign.loading` makes these from YAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from harness.campaign.profiles import Profile

TargetKind = Literal["auto", "compose", "process"]
Feed = Literal["direct", "queued"]
Param = int | float | str | bool

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
DagsterVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Workload(Strict):
    """What a run does. `params` go to the run as config, `steps` and `executor` to its job.

    `environment` goes to the server's environment as it is: what a location reads when it loads.
    """

    name: Name
    params: dict[str, Param] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
    executor: Literal["in_process", "multiprocess"] = "in_process"
    steps: int = Field(default=1, ge=1, le=50)
    concurrencies: tuple[Annotated[int, Field(ge=1, le=500)], ...] | None = None


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


class Ladder(Strict):
    """A fixed list of concurrencies, climbed until `stop_after_failures` steps failed in a row."""

    strategy: Literal["ladder"] = "ladder"
    concurrencies: tuple[Annotated[int, Field(ge=1, le=500)], ...] = (1, 2, 4, 8, 12, 16, 20)
    repetitions: int = Field(default=1, ge=1, le=20)
    stop_after_failures: int = Field(default=1, ge=1, le=20)


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

    @property
    def id(self) -> str:
        """Unique within the campaign, safe as a folder name."""
        return (
            f"{self.profile.name}_{self.workload.name}_{self.dagster}"
            f"_w{self.max_workers}_r{self.replicas}_{self.feed}"
        )


class Campaign(Strict):
    """Everything one invocation measures."""

    name: Name
    description: str = ""
    target: TargetKind = "auto"
    feed: Feed = "direct"
    profiles: tuple[Profile, ...] = Field(min_length=1)
    workloads: tuple[Workload, ...] = Field(min_length=1)
    dagster: tuple[DagsterVersion, ...] = Field(default=("1.13.27",), min_length=1)
    max_workers: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        default=(6,), min_length=1
    )
    replicas: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(default=(1,), min_length=1)
    warmup_runs: int = Field(default=2, ge=0, le=100)
    idle_s: float = Field(default=5, ge=0, le=600)
    step: StepTimes = StepTimes()
    search: Ladder = Ladder()
    slos: Slos = Slos()
    devices: tuple[str, ...] | None = None  # None: every device the target offers

    def cells(self) -> Iterator[CellPlan]:
        """Every cell, workloads innermost so that equal servers follow each other."""
        for version in self.dagster:
            for profile in self.profiles:
                for workers in self.max_workers:
                    for replicas in self.replicas:
                        for workload in self.workloads:
                            yield CellPlan(
                                profile=profile,
                                workload=workload,
                                dagster=version,
                                max_workers=workers,
                                replicas=replicas,
                                feed=self.feed,
                            )

    def concurrencies(self, cell: CellPlan) -> tuple[int, ...]:
        """The cell's ladder: its workload's own, else the campaign's."""
        return cell.workload.concurrencies or self.search.concurrencies
