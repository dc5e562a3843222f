"""The launch requests of an order, made once: a launch must cost the generator little."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import JobOrder, LoadOrder

PARTITION_TAG = "dagster/partition"


def launch_bodies(post: graphql.Transport, order: LoadOrder) -> dict[str, Iterator[graphql.Body]]:
    """The bodies of `launchRun` by job, endlessly: one after the other, partition by partition.

    Dagster wants to know the repository, which has any name.

    Args:
        post: a transport to the order's webserver.
        order: whose jobs.

    Raises:
        GraphQLError: the location is not loaded, or the webserver did not answer.
    """
    status = graphql.parse_location_status(post(graphql.location_status()), order.location)
    if status.repository is None:
        where = f"location {order.location!r} is {status.state}"
        raise graphql.GraphQLError("not_loaded", f"{where} {status.error}".strip())
    repository = status.repository
    return {job.job: cycle(_bodies(job, order, repository)) for job in order.jobs}


def _bodies(job: JobOrder, order: LoadOrder, repository: str) -> list[graphql.Body]:
    selector = graphql.JobSelector(
        location=order.location,
        repository=repository,
        job=graphql.ASSET_JOB if job.assets else job.job,
        assets=tuple(job.assets),
    )
    tags = {**job.tags, **order.tags}
    every = [{PARTITION_TAG: key} for key in job.partitions] or [{}]
    return [graphql.launch_run(selector, job.run_config, tags | one) for one in every]
