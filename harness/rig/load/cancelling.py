"""Ending runs that are ours, found by the tags they carry."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import TargetFailed
from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import Access

PAGE = 200
TIMEOUT_S = 30.0
ROUNDS = 5


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


def give_up_runs(webserver_url: str, access: Access, tags: Mapping[str, str]) -> int:
    """Call every run that carries all these tags ended; how many were still under way.

    For runs that died with their server: Dagster has them as started for ever, with their slots in
    the run queue.

    Raises:
        TargetFailed: the webserver does not answer, or some are under way all the same.
        ValueError: no tags: that would be everybody's runs.
    """
    if not tags:
        raise ValueError("without a tag every run would be given up")
    post = graphql.connect(webserver_url, TIMEOUT_S, access)
    given_up: set[str] = set()
    evidence = ""
    for _ in range(ROUNDS):
        try:
            asked = post(graphql.runs_under_way(tags, limit=PAGE))
            found = sorted(graphql.parse_run_statuses(asked))
            if not found:
                return len(given_up)
            given_up.update(found)
            for run_id in found:
                graphql.parse_given_up(post(graphql.give_up_run(run_id)))
        except graphql.GraphQLError as error:
            evidence = str(error)
    raise TargetFailed(
        "Runs that died with their server are still under way in Dagster.",
        evidence=evidence or f"{len(given_up)} runs, asked {ROUNDS} times.",
        hint="They would hold their slots in the run queue, so nothing more is measured.",
    )
