"""A first look at a code location of the user's: what it defines, and one run of each job alone.

Writes no facts: it finds out what to plan. Its logs go to the folder it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.campaign.plan import CellPlan
from harness.errors import TargetFailed
from harness.facts.model import Run
from harness.rig.hosting import Hosting
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.driver import LocustDriver
from harness.rig.load.phases import merge_phases, on_our_clock, read_phases
from harness.rig.orders import JobOrder, LoadOrder
from harness.rig.protocols import Endpoints, Target

LOADABLE_TIMEOUT_S = 300
LONGEST_RUN_S = 3600
MOST_PARTITIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a location defines. `partitions` asks for a job's keys, the newest first."""

    defined: graphql.Defined
    partitions: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The jobs that were chosen, and one run of each."""

    jobs: tuple[JobOrder, ...]
    runs: tuple[Run, ...]


Choose = Callable[[Seen], Sequence[JobOrder]]
"""Which jobs are to be run once; raises a CampaignError where that cannot be said."""


def survey(
    hosting: Hosting, cell: CellPlan, folder: Path, *, choose: Choose, say: Callable[[str], None]
) -> Surveyed:
    """Start the cell's server, look, run each chosen job once, take everything down.

    Args:
        hosting: what hosts it.
        cell: whose workload is the user's own code.
        folder: for its logs.
        choose: see `Choose`.
        say: is told what goes on.

    Raises:
        CampaignError: as `choose` says.
        TargetFailed: the server does not serve, the location does not load, or the server died.
        GeneratorFailed: no run could be launched.
    """
    code = cell.workload.code
    secrets = Path(code.env_file).expanduser() if code and code.env_file else None
    load = LocustDriver(folder / "logs", secrets=secrets)
    target = hosting.target(cell, folder)
    try:
        endpoints = target.start()
        load.wait_until_loadable(endpoints, LOADABLE_TIMEOUT_S)
        jobs = tuple(choose(_look(endpoints)))
        for job in jobs:
            say(f"Running {job.job} once, alone")
        return Surveyed(jobs=jobs, runs=_run_each(jobs, endpoints, target, load))
    finally:
        load.stop()
        target.stop()


def _look(endpoints: Endpoints) -> Seen:
    location = endpoints.location
    post = graphql.connect(endpoints.webserver_url, access=endpoints.access)
    try:
        status = graphql.parse_location_status(post(graphql.location_status()), location)
        repository = status.repository or ""
        defined = graphql.parse_definitions(post(graphql.definitions(location, repository)))
    except graphql.GraphQLError as error:
        raise TargetFailed(
            "The webserver does not tell what the code location defines.", evidence=str(error)
        ) from error

    def partitions(job: str) -> Sequence[str]:
        selector = graphql.JobSelector(location=location, repository=repository, job=job)
        try:
            asked = post(graphql.partition_keys(selector, limit=MOST_PARTITIONS))
            return graphql.parse_partition_keys(asked)
        except graphql.GraphQLError:  # Dagster before 1.7 has no such question
            return ()

    return Seen(defined=defined, partitions=partitions)


def _run_each(
    jobs: Sequence[JobOrder], endpoints: Endpoints, target: Target, load: LocustDriver
) -> tuple[Run, ...]:
    order = LoadOrder(
        step=0,
        webserver_url=endpoints.webserver_url,
        location=endpoints.location,
        jobs=tuple(jobs),
        tags={**endpoints.tags, "dagster-load-harness/survey": "1"},
        concurrency=1,
        ramp_s=0,
        settle_s=0,
        hold_s=LONGEST_RUN_S,
        drain_s=LONGEST_RUN_S,
        burst=False,
        max_runs=len(jobs),
        access=endpoints.access,
    )
    outcome = load.execute(order, abort=lambda: _deaths(target), progress=lambda _: None)
    if outcome.abort_reason:
        raise TargetFailed(
            "The server died under a single run.",
            evidence=outcome.abort_reason,
            hint="Give it more memory: --set 'profiles=[1vcpu-4gb]'",
        )
    ids = [run.run_id for run in outcome.runs if run.run_id]
    dsn, here = endpoints.database_dsn, endpoints.clock.here
    phases = read_phases(dsn, ids, here=here) if dsn else {}
    return merge_phases(on_our_clock(outcome.runs, here), phases)


def _deaths(target: Target) -> str:
    return "; ".join(f"{d.replica}: exit code {d.exit_code}" for d in target.deaths())
