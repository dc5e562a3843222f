"""Sensors, evaluated on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.rig.load.dagster_graphql.answers import expect, field, first_line
from harness.rig.load.dagster_graphql.transport import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A sensor's evaluation: why it skipped (`None`: it asked for runs), or how it failed."""

    skip_reason: str | None = None
    error_class: str | None = None
    error: str | None = None


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
    tick = expect(field(answer, "sensorDryRun"), "DryRunInstigationTick")
    # Evaluated when the field is read: what goes wrong before the server leaves it empty.
    result = field({**answer, "data": tick}, "evaluationResult")
    if failed := result["error"]:
        kind = str(failed["className"] or "PythonError")
        return DryRun(error_class=kind, error=first_line(str(failed["message"])))
    return DryRun(skip_reason=result["skipReason"])
