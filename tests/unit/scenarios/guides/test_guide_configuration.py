"""What readers of configuration answered, and what a server says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import TargetFailed
from harness.facts.observations import Observation, Observations
from harness.scenarios.guides import configuration
from harness.scenarios.guides.configuration import SCENARIO, figures
from harness.scenarios.guides.registry import all_claims

pytestmark = pytest.mark.unit

REAL = Path(__file__).parents[3] / "data" / "guides" / "configuration.jsonl"
CLAIMS = [claim for claim in all_claims() if claim.scenario == SCENARIO.name]


def answer(name: str, error: str = "", **values: Any) -> Observation:
    given = {"name": name, "accepted": not error, "error": error, **values}
    return Observation(what="answer", at_s=0.0, values=given)


SEEN = (
    answer("location_unquoted", "CheckError: Invalid scalar at path cpu"),
    answer("location_quoted", server_cpu="2048", run_cpu="1024"),
    answer("workers", told="20"),
    answer("asset_tags", asked_cpu=None), answer("op_tags", asked_cpu="4096"),
    answer("executor_default", "CheckError: requires the EcsRunLauncher"),
    answer("executor_ecs", taken=True),
    answer("agent", starts="DefaultRunLauncher", sees="EcsRunLauncher"),
    Observation(what="workers", at_s=0.0, values={"asked": 23, "told": 23}),
)  # fmt: skip


def value(name: str, *given: Observation) -> float | None:
    return figures(Observations(given or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("location_unquoted", 0), ("location_quoted", 1), ("server_units", 2048),
        ("run_units", 1024), ("asset_tags_units", 0), ("op_tags_units", 4096),
        ("executor_on_default_launcher", 0), ("executor_on_ecs_launcher", 1),
        ("not_isolated_starts_ecs", 0), ("not_isolated_sees_ecs", 1), ("workers_asked", 23),
        ("workers_told", 23), ("variable_read", 20),
    ],
)  # fmt: skip
def test_figures_are_what_was_answered(name: str, expected: float) -> None:
    assert value(name) == expected


@pytest.mark.parametrize("name", ["location_unquoted", "executor_default", "op_tags"])
def test_a_reader_that_broke_is_no_refusal(name: str) -> None:
    broken = answer(name, "ImportError: no module named dagster_cloud.workspace")
    found = figures(Observations([broken]))
    assert all(figure.value is None for figure in found.values())
    assert "ImportError" in " ".join(figure.why for figure in found.values())


def test_nothing_answered_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


def test_readers_that_give_no_answers_are_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(configuration, "asset", lambda name: tmp_path / name)
    with pytest.raises(TargetFailed, match="ended with 3") as caught:
        configuration._answers(script)
    assert "no such module" in caught.value.evidence


# A real run


def real() -> Observations:
    lines = [json.loads(line) for line in REAL.read_text().splitlines()]
    return Observations(
        Observation(what=each.pop("what"), at_s=each.pop("at_s"), values=each) for each in lines
    )
