"""What a code location defines: jobs, assets, partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.rig.load.dagster_graphql.answers import expect, field
from harness.rig.load.dagster_graphql.runs import JobSelector
from harness.rig.load.dagster_graphql.transport import Body

ASSET_JOB = "__ASSET_JOB"
"""The job Dagster makes for assets that are materialized without a job of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A repository's definitions by name, each alphabetically; assets as `a/b/c`.

    `jobs` without those Dagster makes itself.
    """

    jobs: tuple[str, ...]
    assets: tuple[str, ...]
    schedules: tuple[str, ...]
    sensors: tuple[str, ...]


_DEFINITIONS = """
query HarnessDefinitions($selector: RepositorySelector!) {
  repositoryOrError(repositorySelector: $selector) {
    __typename
    ... on Repository {
      jobs { name }
      assetNodes { assetKey { path } }
      schedules { name }
      sensors { name }
    }
    ... on Error { message }
  }
}
"""
_PARTITIONS = """
query HarnessPartitions($params: PipelineSelector!, $limit: Int) {
  pipelineOrError(params: $params) {
    __typename
    ... on Pipeline { partitionKeysOrError(limit: $limit, reverse: true) { partitionKeys } }
    ... on Error { message }
  }
}
"""


def definitions(location: str, repository: str) -> Body:
    """Ask what a repository defines."""
    selector = {"repositoryLocationName": location, "repositoryName": repository}
    return {"query": _DEFINITIONS, "variables": {"selector": selector}}


def parse_definitions(answer: Any) -> Defined:
    """What a repository defines.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    found = expect(field(answer, "repositoryOrError"), "Repository")
    assets = ("/".join(node["assetKey"]["path"]) for node in found["assetNodes"])
    return Defined(
        jobs=_names(found["jobs"]),
        assets=tuple(sorted(assets)),
        schedules=_names(found["schedules"]),
        sensors=_names(found["sensors"]),
    )


def partition_keys(selector: JobSelector, *, limit: int) -> Body:
    """Ask for a job's last partitions; needs Dagster 1.7 or newer."""
    params = {
        "repositoryLocationName": selector.location,
        "repositoryName": selector.repository,
        "pipelineName": selector.job,
    }
    return {"query": _PARTITIONS, "variables": {"params": params, "limit": limit}}


def parse_partition_keys(answer: Any) -> tuple[str, ...]:
    """Partition keys, the newest first; none of a job without partitions.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    found = expect(field(answer, "pipelineOrError"), "Pipeline")
    # `reverse` takes the last ones, but leaves them in their own order.
    return tuple(str(key) for key in reversed(found["partitionKeysOrError"]["partitionKeys"]))


def _names(entries: Any) -> tuple[str, ...]:
    """Names in order, without those Dagster made itself (`__ASSET_JOB`)."""
    return tuple(sorted(str(e["name"]) for e in entries if not e["name"].startswith("__")))
