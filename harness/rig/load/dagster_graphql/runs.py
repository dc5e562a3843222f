"""Runs: launch them, ask how they are, end them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.rig.load.dagster_graphql.answers import (
    GraphQLError,
    expect,
    field,
    first_line,
    reason,
)
from harness.rig.load.dagster_graphql.transport import Body

TERMINAL = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
UNDER_WAY = ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSelector:
    """Where a job lives; `assets` of it only (`a/b/c`), where there are any."""

    location: str
    repository: str
    job: str
    assets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The answer to `launchRun`: a run's id, or the error's class and first line."""

    run_id: str | None = None
    error_class: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What the webserver says of a run; times in epoch seconds.

    `start_s` is `None` for a run that never started, although Dagster then answers with the
    end time in its place.
    """

    run_id: str
    status: str
    start_s: float | None
    end_s: float | None

    @property
    def ended(self) -> bool:
        """Whether the run will change no more."""
        return self.status in TERMINAL


_LAUNCH = """
mutation HarnessLaunch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
    ... on PythonError { className }
    ... on RunConfigValidationInvalid { errors { message path } }
    ... on InvalidStepError { invalidStepKey }
    ... on InvalidOutputError { stepKey invalidOutputName }
  }
}
"""
_STATUSES = """
query HarnessStatuses($ids: [String]) {
  runsOrError(filter: {runIds: $ids}) {
    __typename
    ... on Runs { results { runId status startTime endTime } }
    ... on Error { message }
  }
}
"""
_UNDER_WAY = """
query HarnessUnderWay($filter: RunsFilter!, $limit: Int!, $cursor: String) {
  runsOrError(filter: $filter, limit: $limit, cursor: $cursor) {
    __typename
    ... on Runs { results { runId status startTime endTime } }
    ... on Error { message }
  }
}
"""
_TERMINATE = """
mutation HarnessTerminate($ids: [String!]!) {
  terminateRuns(runIds: $ids) {
    __typename
    ... on TerminateRunsResult {
      terminateRunResults {
        __typename
        ... on TerminateRunSuccess { run { runId } }
      }
    }
    ... on PythonError { message }
  }
}
"""

_GIVE_UP = """
mutation HarnessGiveUp($id: String!) {
  terminateRun(runId: $id, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
    __typename
    ... on TerminateRunSuccess { run { runId } }
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}
"""


def launch_run(
    selector: JobSelector, run_config: Mapping[str, Any], tags: Mapping[str, str]
) -> Body:
    """Launch one run of a job."""
    where: dict[str, Any] = {
        "repositoryLocationName": selector.location,
        "repositoryName": selector.repository,
        "jobName": selector.job,
    }
    if selector.assets:
        where["assetSelection"] = [{"path": key.split("/")} for key in selector.assets]
    params = {
        "selector": where,
        "runConfigData": dict(run_config),
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
    }
    return {"query": _LAUNCH, "variables": {"params": params}}


def parse_launch(answer: Any) -> Launch:
    """Read the answer to `launch_run`; never raises, since every answer is a measurement."""
    try:
        result = field(answer, "launchRun")
        kind = str(result["__typename"])
        if kind == "LaunchRunSuccess":
            return Launch(run_id=str(result["run"]["runId"]))
    except GraphQLError as error:
        return Launch(error_class=error.code, error=error.message)
    except (KeyError, TypeError):
        return Launch(error_class="unexpected_answer", error=first_line(json.dumps(answer)))
    return Launch(error_class=kind, error=reason(result) or kind)


def run_statuses(run_ids: Sequence[str]) -> Body:
    """Ask for any number of runs in one request."""
    return {"query": _STATUSES, "variables": {"ids": list(run_ids)}}


def parse_run_statuses(answer: Any) -> dict[str, RunReport]:
    """Reports by run id; runs the webserver does not know are missing.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    rows = expect(field(answer, "runsOrError"), "Runs")["results"]
    return {str(row["runId"]): _report(row) for row in rows}


def runs_under_way(tags: Mapping[str, str], *, limit: int, after: str | None = None) -> Body:
    """Ask for runs that carry all these tags and have not ended, the newest first; those older
    than the run `after`, where one is named.
    """
    asked = {
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "statuses": list(UNDER_WAY),
    }
    return {"query": _UNDER_WAY, "variables": {"filter": asked, "limit": limit, "cursor": after}}


def terminate_runs(run_ids: Sequence[str]) -> Body:
    """End runs; needs Dagster 1.6 or newer."""
    return {"query": _TERMINATE, "variables": {"ids": list(run_ids)}}


def parse_terminated(answer: Any) -> tuple[str, ...]:
    """Ids of the runs that are being ended.

    Raises:
        GraphQLError: the webserver answered with an error (also: Dagster before 1.6).
    """
    results = expect(field(answer, "terminateRuns"), "TerminateRunsResult")
    return tuple(
        str(result["run"]["runId"])
        for result in results["terminateRunResults"]
        if result["__typename"] == "TerminateRunSuccess"
    )


def give_up_run(run_id: str) -> Body:
    """Call one run ended, whether or not its process can be reached."""
    return {"query": _GIVE_UP, "variables": {"id": run_id}}


def parse_given_up(answer: Any) -> bool:
    """Whether it was; not so of a run that had ended already.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    result = field(answer, "terminateRun")
    if result["__typename"] in ("TerminateRunFailure", "RunNotFoundError"):
        return False
    expect(result, "TerminateRunSuccess")
    return True


def _report(row: Mapping[str, Any]) -> RunReport:
    status, start, end = str(row["status"]), row["startTime"], row["endTime"]
    if start is not None and start == end and status != "SUCCESS":
        start = None
    return RunReport(run_id=str(row["runId"]), status=status, start_s=start, end_s=end)
