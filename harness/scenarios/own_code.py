"""The user's own code, before it is measured: which jobs, on which Dagster, and how long they take.

What to run: one run of each job, alone. How to judge: a job that fails alone is no load, and how
long the longest takes sets the length of every step.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from harness.campaign.external import External
from harness.campaign.own_code import Code, OwnJob
from harness.campaign.own_times import times_for
from harness.campaign.plan import RELEASE, Campaign
from harness.campaign.profiles import profile_of
from harness.errors import CampaignError, TargetFailed
from harness.rig.hosting import choose
from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import JobOrder
from harness.rig.protocols import Listener
from harness.rig.session import at_work, host
from harness.rig.survey import Seen, survey
from harness.rig.target.code.image import look_into
from harness.rig.target.external import access_of
from harness.rig.target.locks import lock_path
from harness.rig.target.releases import all_releases
from harness.rig.target.server_words import ask_server
from harness.units import MIB, show_seconds

MOST_SHOWN = 40


def dagster_of(image: str, default: str) -> str:
    """The release whose webserver and daemon go with an image: its own, or the next below it.

    Raises:
        CampaignError: no such image, or no Dagster in it.
    """
    held = look_into(image).dagster
    if held is None:
        raise CampaignError(f"There is no Dagster in the image {image}.")
    if not RELEASE.fullmatch(held):
        return default
    if lock_path(held).is_file():
        return held
    number = _number(held)
    known = [each for each in all_releases() if number[:2] == _number(each)[:2]]
    below = [each for each in known if _number(each) <= number]
    return max(below, key=_number, default=held)


def deployed_dagster(place: External, default: str) -> str:
    """The release of a deployment's webserver, by its own word.

    Raises:
        TargetFailed: it does not answer.
    """
    try:
        post = graphql.connect(place.webserver, access=access_of(place))
        version = graphql.parse_version(post(graphql.version()))
    except graphql.GraphQLError as error:
        raise TargetFailed(
            f"The webserver {place.webserver} does not answer.",
            evidence=str(error),
            hint="Check the address, --headers-file and --ca-file.",
        ) from error
    return version if RELEASE.fullmatch(version) else default


def deployed_settings(place: External) -> dict[str, object]:
    """Size and workers of a deployment, by the word of its first code server that tells them;
    what it does not tell is not there.
    """
    for address in place.code_servers:
        said = ask_server(address)
        limits, workers = said.container.limits, said.max_workers
        found: dict[str, object] = {}
        if limits.cpu_cores and limits.memory_bytes and limits.memory_bytes >= MIB:
            size = profile_of(limits.cpu_cores, limits.memory_bytes // MIB)
            found["profiles"] = [size.model_dump()]
        if workers and workers > 0:
            found["max_workers"] = [workers]
        if found:
            return found
    return {}


def surveyed(campaign: Campaign, listener: Listener) -> dict[str, object]:
    """Look at the code of a campaign's only workload; what the campaign should set, by its keys.

    The jobs are written out, and steps are as long as one run of the longest asks for.

    Raises:
        CampaignError: the jobs cannot be meant.
        EnvironmentProblem: no Docker engine.
        TargetFailed: the server does not serve, or a job fails even alone.
    """
    cell = next(campaign.cells())
    code = cell.workload.code
    if code is None:
        raise ValueError("a campaign without code of the user's")
    told: list[OwnJob] = []

    def choice(seen: Seen) -> Sequence[JobOrder]:
        told.extend(chosen_jobs(code, seen, listener))
        return [_order(job) for job in told]

    with at_work(campaign.name), tempfile.TemporaryDirectory(prefix="harness-survey-") as folder:
        hosting = host(campaign, choose(campaign.target, listener.say), listener)
        found = survey(hosting, cell, Path(folder), choose=choice, say=listener.say)
    longest_s = 0.0
    for run in found.runs:
        if run.status != "SUCCESS":
            raise TargetFailed(
                f"A run of {run.job} fails even alone ({run.status}).",
                evidence=run.error or run.error_class or "",
                hint="Mend that first, or give it what it needs: --run-config, --env-file, "
                "--partition.",
            )
        alone_s = (run.ended_s or 0.0) - (run.started_s or run.sent_s)
        listener.say(f"{run.job} alone: {show_seconds(alone_s)}")
        longest_s = max(longest_s, alone_s)
    jobs = [job.model_dump(mode="json") for job in told]
    return {"workloads.0.code.jobs": jobs, **times_for(longest_s)}


def overrides(settings: dict[str, object]) -> list[str]:
    """Settings as `--set` takes them."""
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]


def chosen_jobs(code: Code, seen: Seen, listener: Listener) -> list[OwnJob]:
    """The jobs the user named, held against what is defined; the only one where none is named.

    A job with partitions of which none is named gets its newest.

    Raises:
        CampaignError: a job or asset that is not there; none named, and several to choose from.
    """
    jobs = [*code.jobs] or _only(seen)
    for job in jobs:
        _check(job, seen)
    return [_with_partition(job, seen, listener) for job in jobs]


def _only(seen: Seen) -> list[OwnJob]:
    jobs, assets = seen.defined.jobs, seen.defined.assets
    if len(jobs) == 1:
        return [OwnJob(name=jobs[0])]
    if not jobs and not assets:
        raise CampaignError("The code location defines neither jobs nor assets.")
    names = [*(f"--job {name}" for name in jobs), *(f"--assets {key}" for key in assets)]
    shown = "\n".join(names[:MOST_SHOWN])
    more = f"\n… and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    raise CampaignError(
        f"The code location defines {len(jobs)} jobs and {len(assets)} assets: which are the load?",
        evidence=shown + more,
        hint="Name one or several; shares go behind a colon: --job etl:3 --job report:1",
    )


def _check(job: OwnJob, seen: Seen) -> None:
    wanted = job.assets or (job.name,)
    known = seen.defined.assets if job.assets else seen.defined.jobs
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise CampaignError(
                f"The code location defines no {'asset' if job.assets else 'job'} {name!r}.",
                evidence=f"There are: {', '.join(known[:MOST_SHOWN]) or 'none'}",
                hint=f"Did you mean {close[0]}?" if close else "",
            )


def _with_partition(job: OwnJob, seen: Seen, listener: Listener) -> OwnJob:
    if job.partitions or job.assets:
        return job
    keys = seen.partitions(job.name)
    if not keys:
        return job
    listener.say(
        f"{job.name} has partitions: every run is of its newest, {keys[0]}. Where runs at once get "
        "in each other's way there, --partition KEY, repeated, takes others in turn."
    )
    return job.model_copy(update={"partitions": (keys[0],)})


def _order(job: OwnJob) -> JobOrder:
    return JobOrder(
        job=job.name, share=1, run_config=job.run_config, tags=job.tags,
        partitions=job.partitions, assets=job.assets,
    )  # fmt: skip


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
