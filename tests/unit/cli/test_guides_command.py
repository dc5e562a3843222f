"""`harness guides`: what it lists, plans, reports and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.campaign.plan import Campaign
from harness.cli.guides import RELEASE, app
from harness.errors import CampaignError, StoredDataError
from harness.facts.observations import DONE, ScenarioRecord
from harness.scenarios.guides.trial import TrialFolder

pytestmark = pytest.mark.unit


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """The process model, measured: a run is a process."""
    folder = TrialFolder(tmp_path / "20260101T020000Z-guides")
    own = folder.scenario("process-model")
    note = own.writer()
    for runs in (0, 5, 15, 30):
        executor = "in_process" if runs else "none"
        note("resident", executor=executor, runs=runs, children=1 + runs, server_threads=20,
             pss_bytes=(90 + 100 * runs) * 2**20, resident_runs=runs, ping_running=1,
             ping_queued=0)  # fmt: skip
    own.seal(
        ScenarioRecord(
            name="process-model", version=1, quick=False, dagster="1.13.27", started_s=1.0,
            took_s=200.0, ended=DONE,
        )
    )  # fmt: skip
    folder.about.write_text('{"schema": 1, "dagster": "1.13.27", "started_s": 1.0}')
    folder.environment.write_text('{"host": {"cpus": 2}}')
    return folder.path


def test_what_is_measured_by_default_is_what_campaigns_measure() -> None:
    assert Campaign.model_fields["dagster"].default == (RELEASE,)


def test_without_a_command_it_lists_the_claims() -> None:
    result = run()
    assert result.exit_code == 0
    assert "thread" in result.output


def test_the_registry_is_told_as_json() -> None:
    told = json.loads(run("list", "--json").output)
    assert {"id", "seed", "claim", "scenario", "holds"} <= set(told[0])


def test_scenarios_say_how_long_they_take() -> None:
    assert "process-model" in run("scenarios").output


def test_a_dry_run_names_what_would_be_measured_and_starts_nothing() -> None:
    result = run("run", "--claim", "16", "--dry-run")
    assert result.exit_code == 0
    assert "1 scenarios, about" in result.output
    assert "process-model" in result.output


def test_a_scenario_that_is_none_is_refused() -> None:
    assert isinstance(run("run", "--scenario", "nonsense").exception, CampaignError)


def test_a_stored_trial_is_reported(trial: Path) -> None:
    result = run("report", str(trial))
    assert result.exit_code == 0
    assert "does not hold" in result.output


def test_the_latest_trial_is_the_default(trial: Path) -> None:
    told = json.loads(run("report", "--results", str(trial.parent), "--format", "json").output)
    by_id = {verdict["claim"]["id"]: verdict["state"] for verdict in told["verdicts"]}
    assert (by_id[1], by_id[16]) == ("does not hold", "does not hold")
    assert by_id[17] == "cannot tell", "the default number of workers was not looked at"


def test_as_a_page(trial: Path) -> None:
    assert run("report", str(trial), "--format", "markdown").output.startswith("# The guides")


def test_no_trial_is_said(tmp_path: Path) -> None:
    assert isinstance(run("report", "--results", str(tmp_path)).exception, StoredDataError)


def test_another_format_is_refused(trial: Path) -> None:
    assert run("report", str(trial), "--format", "pdf").exit_code == 2


def test_two_trials_are_held_against_each_other(trial: Path, tmp_path: Path) -> None:
    result = run("report", str(trial), "--beside", str(trial))
    assert result.exit_code == 0
    assert "verdicts repeat" in result.output


def test_the_page_begins_with_what_it_is(trial: Path) -> None:
    assert run("report", str(trial), "--format", "page").output.startswith("# The sizing guides")
