"""A campaign that breaks off is reported as far as it came."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.run import run
from harness.errors import Interrupted, TargetFailed
from harness.facts.layout import ResultsFolder
from harness.scenarios import reporting, threshold

pytestmark = pytest.mark.unit


@pytest.fixture
def half_finished(tmp_path: Path, repo_root: Path) -> ResultsFolder:
    source = next((repo_root / "tests/data/results").glob("*-half-finished"))
    return ResultsFolder(Path(shutil.copytree(source, tmp_path / source.name)))


def breaking_off(monkeypatch: pytest.MonkeyPatch, error: Exception, *, after: Path | None) -> None:
    def measure(*_: object, begun: Callable[[Path], None], **__: object) -> None:
        if after is not None:
            begun(after)
        raise error

    monkeypatch.setattr(threshold, "run", measure)


@pytest.mark.parametrize("error", [Interrupted("Ctrl-C"), TargetFailed("the database is gone")])
def test_what_was_measured_before_an_error_is_in_a_report(
    half_finished: ResultsFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    breaking_off(monkeypatch, error, after=half_finished.path)
    with pytest.raises(type(error)):
        run(None, preset="smoke", plain=True)
    assert half_finished.report_html.exists()
    assert f"Report of what was measured: {half_finished.report_html}" in capsys.readouterr().err


def test_the_error_is_what_counts_where_no_report_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaking_off(monkeypatch, TargetFailed("gone"), after=tmp_path)
    with pytest.raises(TargetFailed, match="gone"):
        run(None, preset="smoke", plain=True)
    assert "Report" not in capsys.readouterr().err


def test_a_fault_of_the_report_does_not_hide_the_error(
    half_finished: ResultsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(_: Path) -> None:
        raise ValueError("a number that is none")

    monkeypatch.setattr(reporting, "write_reports", faulty)
    breaking_off(monkeypatch, TargetFailed("gone"), after=half_finished.path)
    with pytest.raises(TargetFailed, match="gone"):
        run(None, preset="smoke", plain=True)


def test_nothing_begun_is_nothing_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaking_off(monkeypatch, TargetFailed("no engine"), after=None)
    with pytest.raises(TargetFailed):
        run(None, preset="smoke", plain=True)
    assert "Report" not in capsys.readouterr().err
