"""GraphQL: what we ask is valid for the installed Dagster, and every answer is understood."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLSchema, GraphQLUnionType, parse, validate

from harness.rig.load import dagster_graphql as gql

pytestmark = pytest.mark.unit

SELECTOR = gql.JobSelector(location="under-test", repository="repo", job="load")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    from dagster_graphql.schema import create_schema

    return create_schema().graphql_schema


def launch_answer(**result: Any) -> Mapping[str, Any]:
    return {"data": {"launchRun": result}}


def locations(*entries: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": list(entries)}}
    }


def entry(loaded: Any, *, name: str = "under-test", status: str = "LOADED") -> Mapping[str, Any]:
    return {"name": name, "loadStatus": status, "locationOrLoadError": loaded}


def repository_location(*names: str) -> Mapping[str, Any]:
    return {"__typename": "RepositoryLocation", "repositories": [{"name": n} for n in names]}


@pytest.mark.parametrize(
    "body",
    [
        gql.launch_run(SELECTOR, {}, {}),
        gql.run_statuses(["a"]),
        gql.location_status(),
        gql.reload_location("under-test"),
        gql.terminate_runs(["a"]),
        gql.give_up_run("a"),
        gql.version(),
    ],
    ids=["launch", "statuses", "locations", "reload", "terminate", "give_up", "version"],
)
def test_every_request_is_valid_for_the_installed_dagster(
    schema: GraphQLSchema, body: gql.Body
) -> None:
    assert validate(schema, parse(body["query"])) == []


def test_every_answer_dagster_can_give_to_a_launch_says_why_it_failed(
    schema: GraphQLSchema,
) -> None:
    union = schema.type_map["LaunchRunResult"]
    assert isinstance(union, GraphQLUnionType)
    asked = gql.launch_run(SELECTOR, {}, {})["query"]
    for member in union.types:
        speaks = {interface.name for interface in member.interfaces} & {"Error"}
        named = f"... on {member.name} " in asked
        assert speaks or named, f"{member.name} would be recorded without a reason"


def test_a_launch_names_the_job_its_config_and_its_tags() -> None:
    params = gql.launch_run(SELECTOR, {"wait_s": 2}, {"a": "b"})["variables"]["params"]
    assert params == {
        "selector": {
            "repositoryLocationName": "under-test",
            "repositoryName": "repo",
            "jobName": "load",
        },
        "runConfigData": {"wait_s": 2},
        "executionMetadata": {"tags": [{"key": "a", "value": "b"}]},
    }


def test_a_successful_launch_is_a_run_id() -> None:
    answer = launch_answer(__typename="LaunchRunSuccess", run={"runId": "r1"})
    assert gql.parse_launch(answer) == gql.Launch(run_id="r1")


@pytest.mark.parametrize(
    ("answer", "error_class", "error"),
    [
        (
            launch_answer(__typename="PythonError", message="Boom: no\n  trace\n", className="B"),
            "PythonError",
            "Boom: no",
        ),
        (
            launch_answer(
                __typename="RunConfigValidationInvalid",
                errors=[{"message": "one", "path": []}, {"message": "two", "path": []}],
            ),
            "RunConfigValidationInvalid",
            "one; two",
        ),
        (
            launch_answer(__typename="InvalidOutputError", stepKey="s", invalidOutputName="o"),
            "InvalidOutputError",
            "stepKey=s invalidOutputName=o",
        ),
        (
            launch_answer(__typename="InvalidStepError", invalidStepKey="s"),
            "InvalidStepError",
            "invalidStepKey=s",
        ),
        (launch_answer(__typename="SomethingNew"), "SomethingNew", "SomethingNew"),
        ({"errors": [{"message": "syntax"}], "data": None}, "graphql_error", "syntax"),
        ({"data": {}}, "graphql_error", "neither data nor errors"),
        ({"data": {"launchRun": {}}}, "unexpected_answer", '{"data": {"launchRun": {}}}'),
        (["?"], "unexpected_answer", "['?']"),
    ],
)
def test_any_other_answer_to_a_launch_becomes_a_class_and_a_line(
    answer: Any, error_class: str, error: str
) -> None:
    assert gql.parse_launch(answer) == gql.Launch(error_class=error_class, error=error)


def status_row(**changes: Any) -> dict[str, Any]:
    return {"runId": "a", "status": "STARTED", "startTime": 1.0, "endTime": None, **changes}


def parse_rows(*rows: Mapping[str, Any]) -> dict[str, gql.RunReport]:
    answer = {"data": {"runsOrError": {"__typename": "Runs", "results": list(rows)}}}
    return gql.parse_run_statuses(answer)


def test_statuses_come_by_run_id_and_only_for_known_runs() -> None:
    reports = parse_rows(
        status_row(), status_row(runId="b", status="SUCCESS", startTime=1.0, endTime=3.0)
    )
    assert {run_id: report.ended for run_id, report in reports.items()} == {"a": False, "b": True}
    assert (reports["b"].start_s, reports["b"].end_s) == (1.0, 3.0)


def test_a_failed_run_whose_start_is_its_end_never_started() -> None:
    reports = parse_rows(status_row(status="FAILURE", startTime=7.5, endTime=7.5))
    assert reports["a"].start_s is None
    assert reports["a"].end_s == 7.5


def test_statuses_that_could_not_be_read_raise_with_their_class() -> None:
    answer = {"data": {"runsOrError": {"__typename": "PythonError", "message": "no database"}}}
    with pytest.raises(gql.GraphQLError, match="PythonError: no database"):
        gql.parse_run_statuses(answer)


@pytest.mark.parametrize(
    ("loaded", "status", "state"),
    [
        (repository_location("repo"), "LOADED", "loaded"),
        (None, "LOADING", "loading"),
        (None, "LOADED", "loading"),
        (repository_location("repo"), "LOADING", "loading"),
        (repository_location(), "LOADED", "broken"),
        ({"__typename": "PythonError", "message": "ImportError: x"}, "LOADED", "broken"),
        (
            {
                "__typename": "PythonError",
                "message": "Could not reach user code server. gRPC Error code: UNAVAILABLE",
                "className": "DagsterUserCodeUnreachableError",
            },
            "LOADED",
            "unreachable",
        ),
    ],
)
def test_a_location_is_loaded_on_its_way_or_broken(loaded: Any, status: str, state: str) -> None:
    seen = gql.parse_location_status(locations(entry(loaded, status=status)), "under-test")
    assert seen.state == state
    assert seen.repository == ("repo" if state == "loaded" else None)


def test_an_unknown_location_is_absent_and_the_known_ones_are_named() -> None:
    seen = gql.parse_location_status(locations(entry(None, name="other")), "under-test")
    assert (seen.state, seen.known) == ("absent", ("other",))


@pytest.mark.parametrize(
    ("kind", "given_up"),
    [("TerminateRunSuccess", True), ("TerminateRunFailure", False), ("RunNotFoundError", False)],
)
def test_a_run_that_had_ended_need_not_be_given_up(kind: str, given_up: bool) -> None:
    answer = {"data": {"terminateRun": {"__typename": kind, "message": "it has ended"}}}
    assert gql.parse_given_up(answer) is given_up


def test_a_refusal_to_give_up_a_run_is_an_error() -> None:
    refused = {"__typename": "UnauthorizedError", "message": "not you"}
    with pytest.raises(gql.GraphQLError, match="not you"):
        gql.parse_given_up({"data": {"terminateRun": refused}})


def test_terminated_runs_are_only_those_dagster_agreed_to_end() -> None:
    results = [
        {"__typename": "TerminateRunSuccess", "run": {"runId": "a"}},
        {"__typename": "RunNotFoundError"},
    ]
    result = {"__typename": "TerminateRunsResult", "terminateRunResults": results}
    assert gql.parse_terminated({"data": {"terminateRuns": result}}) == ("a",)


def test_the_version_is_read() -> None:
    assert gql.parse_version({"data": {"version": "1.6.0"}}) == "1.6.0"


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, {"data": {}}), (400, {"errors": []}), (500, {"data": {"launchRun": {}}})],
)
def test_a_graphql_body_is_an_answer_whatever_the_http_status(status: int, answer: Any) -> None:
    assert gql.decode(status, json.dumps(answer).encode()) == answer


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (500, b"Internal Server Error", "http_error"),
        (502, b'{"detail": "bad gateway"}', "http_error"),
        (200, b"<html>", "not_json"),
    ],
)
def test_anything_else_is_an_error_of_its_own_class(status: int, text: bytes, code: str) -> None:
    with pytest.raises(gql.GraphQLError) as failed:
        gql.decode(status, text)
    assert failed.value.code == code


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (TimeoutError("timed out"), "timeout"),
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "unreachable"),
        (
            urllib.error.HTTPError("", 503, "", None, io.BytesIO(b"busy")),  # type: ignore[arg-type]
            "http_error",
        ),
    ],
)
def test_a_webserver_that_cannot_be_asked_is_an_error_of_its_own_class(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, code: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", fail)
    with pytest.raises(gql.GraphQLError) as failed:
        gql.connect("http://127.0.0.1:1")(gql.version())
    assert failed.value.code == code
