"""`harness report`: what is shown, what is written where, and what a program is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.cli import report as module
from harness.cli.app import main
from harness.errors import ExitCode

pytestmark = pytest.mark.unit

NAME = "20260101T000000Z-quick"
DERIVED = {"findings.json", "report.html", "report.md", "junit.xml"}
Harness = Callable[..., int]


@pytest.fixture
def root(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results root with one campaign, which is the working folder's `results`."""
    source = repo_root / "results/baselines/quick-compose"
    path = tmp_path / "results"
    shutil.copytree(source, path / NAME, ignore=shutil.ignore_patterns("findings.json"))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def harness() -> Harness:
    """The command line as a person types it; returns the exit code."""

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        return int(ended.value.code or 0)

    return run


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_the_report_is_shown_and_written_and_says_where(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(root / NAME)
    assert harness("report") == ExitCode.PASS
    out = capsys.readouterr().out
    assert "capacity: 4 (80 %: 4 to 5)" in out
    assert out.splitlines()[-3:] == [
        f"Facts and findings: results/{NAME}",
        f"Report: results/{NAME}/report.html",
        "All campaigns: results/index.html",
    ]
    assert files(root / NAME) - before == DERIVED
    assert NAME in (root / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("format_", "starts"),
    [("markdown", "## Load test quick: pass"), ("junit", "<?xml"), ("json", '{\n  "schema"')],
)
def test_a_format_for_a_pipe_goes_to_standard_output_alone(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str], format_: str, starts: str
) -> None:
    before = files(root / NAME)
    assert harness("report", NAME, "--format", format_) == ExitCode.PASS
    captured = capsys.readouterr()
    assert captured.out.startswith(starts)
    assert captured.err == ""
    assert files(root / NAME) == before
    assert not (root / "index.html").exists()


def test_json_is_the_findings(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness("report", NAME, "--format", "json")
    printed = capsys.readouterr().out
    harness("report", NAME, "--format", "all")
    assert printed == (root / NAME / "findings.json").read_text(encoding="utf-8")


def test_html_and_all_write_everything_and_print_where(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    for format_ in ("html", "all"):
        shutil.copytree(root / NAME, root / f"20260101T000001Z-{format_}")
        folder = root / f"20260101T000001Z-{format_}"
        assert harness("report", str(folder), "--format", format_) == ExitCode.PASS
        assert files(folder) >= DERIVED
        out = capsys.readouterr().out
        assert "Report: " in out
        assert "capacity" not in out


@pytest.mark.parametrize(
    ("format_", "starts"),
    [("html", "<!doctype html>"), ("markdown", "## Load test"), ("junit", "<?xml"),
     ("json", "{"), ("terminal", "Doubts about")],
)  # fmt: skip
def test_a_format_can_go_into_a_file_and_nowhere_else(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str], format_: str, starts: str
) -> None:
    before = files(root / NAME)
    assert harness("report", "--format", format_, "--out", "new/report.x") == ExitCode.PASS
    assert Path("new/report.x").read_text(encoding="utf-8").startswith(starts)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Report: new/report.x\n")
    assert files(root / NAME) == before


def test_a_dash_is_standard_output(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness("report", "--format", "html", "--out", "-")
    assert capsys.readouterr().out.startswith("<!doctype html>")
    harness("report", "--out", "-")
    assert "capacity" in capsys.readouterr().out
    assert not (root / NAME / "report.html").exists()


def test_all_reports_can_go_into_another_folder(root: Path, harness: Harness) -> None:
    before = files(root / NAME)
    assert harness("report", "--format", "all", "--out", "artefacts/here") == ExitCode.PASS
    assert files(Path("artefacts/here")) == DERIVED
    assert files(root / NAME) == before


@pytest.mark.parametrize(
    ("format_", "out"),
    [("json", "campaign.yaml"), ("markdown", "cells/x.md"), ("html", "cells"), ("all", "cells"),
     ("json", ""), ("all", "campaign.yaml")],
)  # fmt: skip
def test_no_fact_is_ever_written_over(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str], format_: str, out: str
) -> None:
    facts = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    target = root / NAME / out if out else root
    assert harness("report", "--format", format_, "--out", str(target)) == ExitCode.BAD_INPUT
    assert "cannot be written" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == facts


def test_a_derived_file_may_be_named(root: Path, harness: Harness) -> None:
    target = root / NAME / "report.md"
    assert harness("report", "--format", "markdown", "--out", str(target)) == ExitCode.PASS
    assert target.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "pdf"], "none of terminal, markdown, html, json, junit, all"),
        (["--format", "all", "--out", "-"], "name a folder"),
        (["--format", "json", "--open"], "it opens report.html"),
        (["--format", "html", "--out", "-", "--open"], "it opens report.html"),
        (["--out", "x", "--open"], "it opens report.html"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_read(
    root: Path,
    harness: Harness,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    assert harness("report", "nowhere", *words) == ExitCode.BAD_INPUT
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_report_is_opened_where_it_was_written(
    root: Path, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module.webbrowser, "open", lambda url: opened.append(url) or True)
    harness("report", "--open")
    harness("report", "--format", "html", "--out", "x.html", "--open")
    assert opened == [
        (root / NAME / "report.html").as_uri(), (root.parent / "x.html").as_uri()
    ]  # fmt: skip


def test_without_a_browser_it_says_where_to_look(
    root: Path,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module.webbrowser, "open", lambda url: False)
    assert harness("report", "--format", "html", "--open") == ExitCode.PASS
    assert "No browser could be opened" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_an_error_after_the_findings(
    root: Path,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(path: Path, *_: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("harness.facts.durable._sync_folder", full)
    assert harness("report") == ExitCode.ENVIRONMENT
    captured = capsys.readouterr()
    assert "capacity: 4" in captured.out
    assert "There is no room left to write" in captured.err
    assert "--format all --out FOLDER" in captured.err


@pytest.mark.parametrize("name", ["half-finished", "failed", "never-ready", "invalid"])
def test_a_campaign_that_broke_off_is_reported_by_the_same_command(
    root: Path,
    repo_root: Path,
    harness: Harness,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    (found,) = (repo_root / "tests/data/results").glob(f"*-{name}")
    shutil.copytree(found, root / found.name)
    assert harness("report") == ExitCode.INCONCLUSIVE  # it is the latest
    out = capsys.readouterr().out
    assert out.startswith("Not complete") == (name != "invalid")
    assert files(root / found.name) >= DERIVED


def test_a_server_that_never_came_up_is_not_said_to_have_had_no_limits(
    root: Path, repo_root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody could read them back; it was killed for memory, so there was one."""
    (found,) = (repo_root / "tests/data/results").glob("*-never-ready")
    shutil.copytree(found, root / found.name)
    harness("report")
    out = capsys.readouterr().out
    assert "exited with 137 (OOM-killed)" in " ".join(out.split())
    pages = [(root / found.name / name).read_text(encoding="utf-8") for name in DERIVED]
    for text in (out, *pages):
        assert "limits: unenforced" not in text
        assert "limits_unenforced" not in text
        assert "under the limits of its task size" not in text
    assert "? tried and passed" not in out  # nothing in it has a question mark
    assert "; -" not in out


def test_in_junit_an_objective_tells_the_doubts_of_its_own_steps(
    root: Path, repo_root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = (repo_root / "tests/data/results").glob("*-invalid")
    shutil.copytree(found, root / found.name)
    harness("report", "--format", "junit")
    cases = ET.fromstring(capsys.readouterr().out).iter("testcase")
    told = {case.get("name"): case.findtext("error", "") for case in cases}
    assert "drain_too_short at 3" in told.pop("capacity")
    for text in told.values():
        assert "drain_too_short at 1" in text
        assert "drain_too_short at 3" not in text


def test_what_is_missing_is_told_within_the_width(
    root: Path,
    repo_root: Path,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (found,) = (repo_root / "tests/data/results").glob("*-never-ready")
    shutil.copytree(found, root / found.name)
    monkeypatch.setenv("COLUMNS", "60")
    harness("report")
    first, *rest = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert first == "Not complete"
    assert len(rest) > 1
    assert all(line.startswith("  ") and len(line) <= 60 for line in rest)


def test_a_server_that_holds_nothing_is_a_breach(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    for cell in (root / NAME / "cells").glob("*/cell.json"):
        document = json.loads(cell.read_text(encoding="utf-8"))
        document["slos"]["launch_s_p95"] = 0.5
        cell.write_text(json.dumps(document), encoding="utf-8")
    assert harness("report", "--format", "junit") == ExitCode.BREACH
    assert ET.fromstring(capsys.readouterr().out).get("failures") != "0"


def test_a_committed_baseline_is_reported_by_its_path(
    repo_root: Path, tmp_path: Path, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(repo_root / "results/baselines/quick-process", tmp_path / "a/quick-process")
    monkeypatch.chdir(tmp_path)
    assert harness("report", "a/quick-process") == ExitCode.PASS
    assert files(Path("a/quick-process")) >= DERIVED
    assert not Path("a/index.html").exists()


def test_the_index_is_written_by_list(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness("list", "--html") == ExitCode.PASS
    assert capsys.readouterr().out == "All campaigns: results/index.html\n"
    assert NAME in (root / "index.html").read_text(encoding="utf-8")
    assert harness("list", "--html", "--json") == ExitCode.BAD_INPUT


def test_without_a_root_there_is_no_index(
    tmp_path: Path,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert harness("list", "--html") == ExitCode.PASS
    assert "No campaigns in results" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
