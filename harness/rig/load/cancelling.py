"""Ending runs that are ours, found by the tags they carry."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import TargetFailed
from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import Access

MOST_AT_ONCE = 200
TIMEOUT_S = 30.0


def cancel_runs(webserver_url: str, access: Access, tags: Mapping[str, str]) -> int:
    """End every run that carries all these tags and has not ended; how many were found.

    Raises:
        TargetFailed: the webserver does not answer.
        ValueError: no tags: that would be everybody's runs.
    """
    if not tags:
        raise ValueError("without a tag every run would be ended")
    post = graphql.connect(webserver_url, TIMEOUT_S, access)
    try:
        asked = post(graphql.runs_under_way(tags, limit=MOST_AT_ONCE))
        found = sorted(graphql.parse_run_statuses(asked))
        if found:
            graphql.parse_terminated(post(graphql.terminate_runs(found)))
    except graphql.GraphQLError as error:
        raise TargetFailed(
            "The runs that are still going cannot be ended.",
            evidence=str(error),
            hint="harness down tries again; by hand: "
            + ", ".join(f"{key}={value}" for key, value in tags.items()),
        ) from error
    return len(found)
