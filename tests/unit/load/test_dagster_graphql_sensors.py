"""Sensor dry runs over GraphQL: valid for the installed Dagster, and every answer understood."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, GraphQLUnionType, parse, validate

from harness.rig.load import dagster_graphql as gql

pytestmark = pytest.mark.unit

BODY = gql.sensor_dry_run("under-test", "repo", "blocker_1")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    from dagster_graphql.schema import create_schema

    return create_schema().graphql_schema


def tick(**result: Any) -> dict[str, Any]:
    evaluation = {"skipReason": None, "error": None, **result} if result else None
    return {
        "data": {
            "sensorDryRun": {
                "__typename": "DryRunInstigationTick",
                "evaluationResult": evaluation,
            }
        }
    }


def test_a_dry_run_is_valid_for_the_installed_dagster(schema: GraphQLSchema) -> None:
    assert validate(schema, parse(BODY["query"])) == []


def test_a_dry_run_names_its_sensor_and_gives_a_cursor() -> None:
    assert BODY["variables"]["selector"] == {
        "repositoryLocationName": "under-test",
        "repositoryName": "repo",
        "sensorName": "blocker_1",
    }
    assert "cursor: null" in BODY["query"]


def test_every_refusal_of_a_dry_run_has_a_message(schema: GraphQLSchema) -> None:
    union = schema.type_map["SensorDryRunResult"]
    assert isinstance(union, GraphQLUnionType)
    for member in union.types:
        if member.name != "DryRunInstigationTick":
            assert "Error" in {interface.name for interface in member.interfaces}


def test_a_sensor_that_skips_says_why_and_one_that_asks_for_runs_does_not() -> None:
    assert gql.parse_sensor_dry_run(tick(skipReason="full")) == gql.DryRun(skip_reason="full")
    assert gql.parse_sensor_dry_run(tick(skipReason=None)) == gql.DryRun()


@pytest.mark.parametrize(
    ("class_name", "kind"),
    [("DagsterUserCodeUnreachableError", "DagsterUserCodeUnreachableError"), (None, "PythonError")],
)
def test_an_evaluation_that_failed_is_an_answer(class_name: str | None, kind: str) -> None:
    failed = tick(error={"className": class_name, "message": "timed out\n  trace"})
    assert gql.parse_sensor_dry_run(failed) == gql.DryRun(error_class=kind, error="timed out")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"data": {"sensorDryRun": {"__typename": "SensorNotFoundError", "message": "no x"}}},
            "SensorNotFoundError: no x",
        ),
        (
            {**tick(), "errors": [{"message": "Could not find sensor"}]},
            "graphql_error: Could not find sensor",
        ),
        ({"errors": [{"message": "syntax"}], "data": None}, "graphql_error: syntax"),
    ],
)
def test_a_dry_run_that_never_reached_the_sensor_raises(answer: Any, said: str) -> None:
    with pytest.raises(gql.GraphQLError, match=said):
        gql.parse_sensor_dry_run(answer)
