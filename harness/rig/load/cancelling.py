"""Ending runs that are ours, found by the tags they carry."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import TargetFailed
from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import Access

PAGE = 200
TIMEOUT_S = 30.0


def cancel_runs(webserver_url: str, access: Access, tags: Mapping[str, str]) -> frozenset[str]:
    """End every run that carries all these tags and has not ended; the ids of all that were found.

    Those that are being ended already are found, and not asked again.

    Raises:
        TargetFailed: the webserver does not answer.
        ValueError: no tags: that would be everybody's runs.
    """
    if not tags:
        raise ValueError("without a tag every run would be ended")
    post = graphql.connect(webserver_url, TIMEOUT_S, access)
    found: set[str] = set()
    try:
        page = _page(post, tags, None)
        while page:
            found |= page.keys()
            asked = sorted(each.run_id for each in page.values() if each.status != "CANCELING")
            if asked:
                graphql.parse_terminated(post(graphql.terminate_runs(asked)))
            if len(page) < PAGE:
                break
            # The newest come first, and a run that has ended meanwhile still marks its place.
            page = _page(post, tags, list(page)[-1])
    except graphql.GraphQLError as error:
        raise TargetFailed(
            "The runs that are still going cannot be ended.",
            evidence=str(error),
            hint="harness down tries again; by hand: "
            + ", ".join(f"{key}={value}" for key, value in tags.items()),
        ) from error
    return frozenset(found)


def _page(
    post: graphql.Transport, tags: Mapping[str, str], after: str | None
) -> dict[str, graphql.RunReport]:
    answer = post(graphql.runs_under_way(tags, limit=PAGE, after=after))
    return graphql.parse_run_statuses(answer)
