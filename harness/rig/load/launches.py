"""The launch requests of an order, made once: a launch must cost the generator little."""

from __future__ import annotations

from harness.rig.load import dagster_graphql as graphql
from harness.rig.protocols import LoadOrder


def launch_bodies(post: graphql.Transport, order: LoadOrder) -> dict[str, graphql.Body]:
    """The body of `launchRun` by job; Dagster wants to know the repository, which has any name.

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
    bodies = {}
    for job in order.jobs:
        selector = graphql.JobSelector(
            location=order.location, repository=status.repository, job=job.job
        )
        bodies[job.job] = graphql.launch_run(selector, job.run_config, order.tags)
    return bodies
