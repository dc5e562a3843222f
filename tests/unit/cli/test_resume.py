"""`harness resume`: watched, reported and ended as `harness run`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import resume as command
from harness.cli.measuring import reported
from harness.cli.resume import resume
from harness.errors import EnvironmentProblem, Interrupted, StoredDataError, TargetFailed
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
