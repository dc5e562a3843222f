"""`harness resume`: watched, reported and ended as `harness run`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign
from harness.cli import resume as command
from harness.cli.measuring import reported
from harness.cli.resume import resume
from harness.errors import (
    CampaignError,
    EnvironmentProblem,
    Interrupted,
    StoredDataError,
    TargetFailed,
)
from harness.facts.layout import ResultsFolder
from harness.rig.session import SessionOptions
from harness.scenarios import resuming

pytestmark = pytest.mark.unit


@pytest.fixture
def half_finished(tmp_path: Path, repo_root: Path) -> ResultsFolder:
    source = next((repo_root / "tests/data/results").glob("*-half-finished"))
    return ResultsFolder(Path(shutil.copytree(source, tmp_path / source.name)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands for the rig; has what it was asked for."""
    calls: list[dict[str, Any]] = []

    def go_on(path: Path, **how: Any) -> None:
        calls.append({"path": path, **how})
        how["listener"].say("gone on")

    monkeypatch.setattr(resuming, "resume", go_on)
    monkeypatch.setattr(command, "show_measured", lambda *_, **how: 5 if how["as_json"] else 1)
    return calls


def test_the_newest_campaign_is_meant_where_none_is_named(
    half_finished: ResultsFolder,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = half_finished.path.parent
    assert resume(root=root, plain=True, again=["one"], allow_overcommit=True) == 1
    (call,) = asked
    assert call["path"] == half_finished.path
    assert call["again"] == ["one"]
    options: SessionOptions = call["options"]
    assert (options.results_root, options.allow_overcommit) == (root, True)
    assert "gone on" in capsys.readouterr().err


def test_the_exit_code_is_that_of_the_findings(
    half_finished: ResultsFolder, asked: list[dict[str, Any]]
) -> None:
    assert resume(str(half_finished.path), json_=True) == 5
    assert asked[0]["again"] == ()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoredDataError, match="no results folder"):
        resume("nowhere", root=tmp_path)


def breaking_off(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, begun_in: Path | None
) -> None:
    def go_on(*_: object, begun: Callable[[Path], None], **__: object) -> None:
        if begun_in is not None:
            begun(begun_in)
        raise error

    monkeypatch.setattr(resuming, "resume", go_on)


def test_what_breaks_off_again_is_reported_and_can_be_gone_on_with(
    half_finished: ResultsFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    breaking_off(monkeypatch, TargetFailed("gone"), begun_in=half_finished.path)
    with pytest.raises(TargetFailed):
        resume(str(half_finished.path), plain=True)
    told = capsys.readouterr().err
    assert half_finished.report_html.exists()
    assert f"go on where it stopped: harness resume {half_finished.path}" in told


def test_what_is_refused_leaves_the_folder_as_it_is(
    half_finished: ResultsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be measured by another process just now."""
    breaking_off(monkeypatch, EnvironmentProblem("Another campaign is measuring"), begun_in=None)
    with pytest.raises(EnvironmentProblem):
        resume(str(half_finished.path), plain=True)
    assert not half_finished.report_html.exists()


@pytest.mark.parametrize(
    ("error", "times"), [(TargetFailed("gone"), 1), (Interrupted("Ctrl-C", hint="resume"), 0)]
)
def test_the_way_on_is_said_once(
    tmp_path: Path, error: Exception, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C has it in its own words already."""
    folder = tmp_path / "with blank"
    with pytest.raises(type(error)), reported([folder]):
        raise error
    assert capsys.readouterr().err.count(f"harness resume '{folder}'") == times


@pytest.fixture
def of_a_deployment(half_finished: ResultsFolder) -> ResultsFolder:
    """The half-finished campaign, as if it were of a deployment that others use."""
    file = half_finished.campaign_yaml
    plan = load_campaign(file.read_text(encoding="utf-8"), source="stored")
    code = {"deployed": True, "jobs": [{"name": "j"}]}
    workloads = [{"name": each.name, "code": code} for each in plan.workloads]
    place = {"webserver": "https://dagster.example.org", "location": "shop", "peak": 500}
    changed = {"target": "external", "external": place, "workloads": workloads}
    there = Campaign.model_validate({**plan.model_dump(), **changed})
    file.write_text(dump_campaign(there), encoding="utf-8")
    return half_finished


def test_load_on_a_deployment_is_stated_and_needs_the_word_of_its_owner_again(
    of_a_deployment: ResultsFolder,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CampaignError, match="only sent by whoever may"):
        resume(str(of_a_deployment.path), plain=True)
    assert "https://dagster.example.org, location shop: at most" in capsys.readouterr().err
    assert asked == []
    resume(str(of_a_deployment.path), plain=True, i_own_this=True)
    assert asked[0]["options"].owned is True


def test_what_is_complete_is_judged_without_a_word_from_anybody(
    of_a_deployment: ResultsFolder, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.rig.remaining.is_complete", lambda *_: True)
    resume(str(of_a_deployment.path), plain=True)
    assert len(asked) == 1
    with pytest.raises(CampaignError):
        resume(str(of_a_deployment.path), plain=True, again=["a-cell"])
