"""The one place that knows Dagster's GraphQL, as the webservers of 1.5 to 1.13 speak it.

Builders return the JSON body of a POST to `/graphql`, parsers read the decoded answer; both are
pure, so the conductor (`connect`, on urllib) and the Locust child (its own gevent client)
share them. Names were checked against the schemas of 1.5.0, 1.6.0, 1.10.0 and 1.13.27.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

PATH = "/graphql"
TERMINAL = frozenset({"SUCCESS", "FAILURE", "CANCELED"})

Body = dict[str, Any]
LocationState = Literal["loaded", "loading", "unreachable", "broken", "absent"]


class GraphQLError(Exception):
    """No usable answer: `code` is its family, the message its first line."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Transport(Protocol):
    """Posts one body and returns the decoded JSON answer."""

    def __call__(self, body: Body) -> Any:
        """Raises GraphQLError: `unreachable`, `timeout`, `http_error` or `not_json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSelector:
    """Where a job lives."""

    location: str
    repository: str
    job: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationStatus:
    """A code location as the webserver sees it.

    `loaded` comes with its `repository`. `unreachable` may still pass, `broken` (its code does
    not load) and `absent` (the workspace knows only `known`) will not pass by themselves.
    """

    state: LocationState
    repository: str | None = None
    error: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A sensor's evaluation: why it skipped (`None`: it asked for runs), or how it failed."""

    skip_reason: str | None = None
    error_class: str | None = None
    error: str | None = None


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
_LOCATIONS = """
query HarnessLocations {
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        name
        loadStatus
        locationOrLoadError {
          __typename
          ... on RepositoryLocation { repositories { name } }
          ... on PythonError { message className }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""
_RELOAD = """
mutation HarnessReload($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) { __typename }
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
# `cursor` looks optional in the schema, but the resolver fails where it is left out.
_SENSOR_DRY_RUN = """
mutation HarnessSensorDryRun($selector: SensorSelector!) {
  sensorDryRun(selectorData: $selector, cursor: null) {
    __typename
    ... on DryRunInstigationTick { evaluationResult { skipReason error { className message } } }
    ... on Error { message }
  }
}
"""
_VERSION = "query HarnessVersion { version }"

# A server that does not answer (yet), in the words of Dagster's gRPC client.
_UNREACHABLE = ("UserCodeUnreachable", "Could not reach user code server", "StatusCode.UNAVAILABLE")


def launch_run(
    selector: JobSelector, run_config: Mapping[str, Any], tags: Mapping[str, str]
) -> Body:
    """Launch one run of a job."""
    params = {
        "selector": {
            "repositoryLocationName": selector.location,
            "repositoryName": selector.repository,
            "jobName": selector.job,
        },
        "runConfigData": dict(run_config),
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
    }
    return {"query": _LAUNCH, "variables": {"params": params}}


def parse_launch(answer: Any) -> Launch:
    """Read the answer to `launch_run`; never raises, since every answer is a measurement."""
    try:
        result = _field(answer, "launchRun")
        kind = str(result["__typename"])
        if kind == "LaunchRunSuccess":
            return Launch(run_id=str(result["run"]["runId"]))
    except GraphQLError as error:
        return Launch(error_class=error.code, error=error.message)
    except (KeyError, TypeError):
        return Launch(error_class="unexpected_answer", error=_first_line(json.dumps(answer)))
    return Launch(error_class=kind, error=_reason(result) or kind)


def run_statuses(run_ids: Sequence[str]) -> Body:
    """Ask for any number of runs in one request."""
    return {"query": _STATUSES, "variables": {"ids": list(run_ids)}}


def parse_run_statuses(answer: Any) -> dict[str, RunReport]:
    """Reports by run id; runs the webserver does not know are missing.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    rows = _expect(_field(answer, "runsOrError"), "Runs")["results"]
    return {str(row["runId"]): _report(row) for row in rows}


def location_status() -> Body:
    """Ask how all code locations are doing."""
    return {"query": _LOCATIONS}


def parse_location_status(answer: Any, location: str) -> LocationStatus:
    """How one location is doing.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    entries = _expect(_field(answer, "workspaceOrError"), "Workspace")["locationEntries"]
    known = tuple(str(entry["name"]) for entry in entries)
    entry = next((e for e in entries if e["name"] == location), None)
    if entry is None:
        return LocationStatus(state="absent", known=known)
    loaded = entry["locationOrLoadError"]
    if loaded is None or entry["loadStatus"] != "LOADED":
        return LocationStatus(state="loading", known=known)
    if loaded["__typename"] == "RepositoryLocation":
        names = [str(repository["name"]) for repository in loaded["repositories"]]
        if names:
            return LocationStatus(state="loaded", repository=names[0], known=known)
        return LocationStatus(state="broken", error="it holds no repository", known=known)
    said = f"{loaded.get('className') or ''} {loaded.get('message') or ''}"
    state: LocationState = "unreachable" if _any_in(_UNREACHABLE, said) else "broken"
    return LocationStatus(state=state, error=str(loaded.get("message") or "").strip(), known=known)


def reload_location(location: str) -> Body:
    """Ask the webserver to look at a location again: old ones never retry by themselves."""
    return {"query": _RELOAD, "variables": {"location": location}}


def terminate_runs(run_ids: Sequence[str]) -> Body:
    """End runs; needs Dagster 1.6 or newer."""
    return {"query": _TERMINATE, "variables": {"ids": list(run_ids)}}


def parse_terminated(answer: Any) -> tuple[str, ...]:
    """Ids of the runs that are being ended.

    Raises:
        GraphQLError: the webserver answered with an error (also: Dagster before 1.6).
    """
    results = _expect(_field(answer, "terminateRuns"), "TerminateRunsResult")
    return tuple(
        str(result["run"]["runId"])
        for result in results["terminateRunResults"]
        if result["__typename"] == "TerminateRunSuccess"
    )


def sensor_dry_run(location: str, repository: str, sensor: str) -> Body:
    """Evaluate a sensor now, on the server; the answer comes when it is done. Launches nothing."""
    selector = {
        "repositoryLocationName": location,
        "repositoryName": repository,
        "sensorName": sensor,
    }
    return {"query": _SENSOR_DRY_RUN, "variables": {"selector": selector}}


def parse_sensor_dry_run(answer: Any) -> DryRun:
    """What became of the evaluation; one that failed on the server, or timed out, is an answer.

    Raises:
        GraphQLError: the webserver answered with an error, as for a sensor it does not know.
    """
    tick = _expect(_field(answer, "sensorDryRun"), "DryRunInstigationTick")
    # Evaluated when the field is read: what goes wrong before the server leaves it empty.
    result = _field({**answer, "data": tick}, "evaluationResult")
    if failed := result["error"]:
        kind = str(failed["className"] or "PythonError")
        return DryRun(error_class=kind, error=_first_line(str(failed["message"])))
    return DryRun(skip_reason=result["skipReason"])


def version() -> Body:
    """Ask for the webserver's Dagster version."""
    return {"query": _VERSION}


def parse_version(answer: Any) -> str:
    """The version, as in `1.13.27`.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    return str(_field(answer, "version"))


def connect(base_url: str, timeout_s: float = 30.0) -> Transport:
    """A blocking transport to the webserver at `base_url`, past any proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = base_url.rstrip("/") + PATH

    def post(body: Body) -> Any:
        request = urllib.request.Request(
            url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        try:
            with opener.open(request, timeout=timeout_s) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            return decode(error.code, error.read())
        except TimeoutError as error:
            raise GraphQLError("timeout", f"no answer in {timeout_s:g} s") from error
        except (OSError, ValueError) as error:
            raise GraphQLError("unreachable", _first_line(str(error))) from error
        return decode(200, text)

    return post


def decode(status: int, text: bytes) -> Any:
    """An HTTP answer as JSON; Dagster sends errors with status 400 or 500 and a GraphQL body.

    Raises:
        GraphQLError: another status without a GraphQL body, or no JSON.
    """
    try:
        answer = json.loads(text)
    except ValueError as error:
        if status != 200:
            said = _first_line(text[:200].decode("utf-8", "replace"))
            raise GraphQLError("http_error", f"HTTP {status} {said}".strip()) from error
        raise GraphQLError("not_json", _first_line(str(error))) from error
    if status != 200 and not (isinstance(answer, Mapping) and {"data", "errors"} & answer.keys()):
        raise GraphQLError("http_error", f"HTTP {status}")
    return answer


def _field(answer: Any, name: str) -> Any:
    if not isinstance(answer, Mapping):
        raise GraphQLError("unexpected_answer", _first_line(repr(answer)))
    data = answer.get("data")
    if isinstance(data, Mapping) and data.get(name) is not None:
        return data[name]
    errors = answer.get("errors") or [{"message": "neither data nor errors"}]
    first = errors[0]
    said = first.get("message", "") if isinstance(first, Mapping) else first
    raise GraphQLError("graphql_error", _first_line(str(said)))


def _expect(result: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if result["__typename"] != kind:
        raise GraphQLError(str(result["__typename"]), _reason(result))
    return result


def _reason(result: Mapping[str, Any]) -> str:
    if result.get("errors"):
        return _first_line("; ".join(str(error["message"]) for error in result["errors"]))
    if "message" in result:
        return _first_line(str(result["message"]))
    named = ("stepKey", "invalidStepKey", "invalidOutputName")
    return " ".join(f"{name}={result[name]}" for name in named if name in result)


def _report(row: Mapping[str, Any]) -> RunReport:
    status, start, end = str(row["status"]), row["startTime"], row["endTime"]
    if start is not None and start == end and status != "SUCCESS":
        start = None
    return RunReport(run_id=str(row["runId"]), status=status, start_s=start, end_s=end)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _any_in(needles: Iterable[str], text: str) -> bool:
    return any(needle in text for needle in needles)
