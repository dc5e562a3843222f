"""What a location defines, over GraphQL: valid for the installed Dagster, and understood."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, parse, validate

from harness.rig.load import dagster_graphql as gql

pytestmark = pytest.mark.unit

SELECTOR = gql.JobSelector(location="under-test", repository="repo", job="etl")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    from dagster_graphql.schema import create_schema

    return create_schema().graphql_schema


@pytest.mark.parametrize(
    "body",
    [
        gql.definitions("under-test", "repo"),
        gql.partition_keys(SELECTOR, limit=5),
        gql.launch_run(
            gql.JobSelector(location="l", repository="r", job="j", assets=("a/b",)), {}, {}
        ),
    ],
    ids=["definitions", "partitions", "assets"],
)
def test_every_question_is_valid_for_the_installed_dagster(
    schema: GraphQLSchema, body: gql.Body
) -> None:
    assert validate(schema, parse(body["query"])) == []


def repository(**fields: Any) -> dict[str, Any]:
    found = {"__typename": "Repository", "jobs": [], "assetNodes": [], "schedules": [],
             "sensors": [], **fields}  # fmt: skip
    return {"data": {"repositoryOrError": found}}


def test_definitions_come_by_name_without_the_jobs_dagster_makes_itself() -> None:
    answer = repository(
        jobs=[{"name": "__ASSET_JOB"}, {"name": "etl"}, {"name": "build"}],
        assetNodes=[{"assetKey": {"path": ["shop", "orders"]}}, {"assetKey": {"path": ["best"]}}],
        schedules=[{"name": "nightly"}],
    )
    assert gql.parse_definitions(answer) == gql.Defined(
        jobs=("build", "etl"), assets=("best", "shop/orders"), schedules=("nightly",), sensors=()
    )


def test_a_repository_that_is_not_there_is_an_error() -> None:
    answer = {"data": {"repositoryOrError": {"__typename": "RepositoryNotFoundError",
                                             "message": "no repo"}}}  # fmt: skip
    with pytest.raises(gql.GraphQLError, match="no repo"):
        gql.parse_definitions(answer)


def test_partitions_come_newest_first_where_dagster_gives_them_oldest_first() -> None:
    keys = {"__typename": "Pipeline", "partitionKeysOrError": {"partitionKeys": ["a", "b"]}}
    assert gql.parse_partition_keys({"data": {"pipelineOrError": keys}}) == ("b", "a")
