"""`harness compare`: what is shown, written where, refused, and told a program."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.cli import compare as module
from harness.cli.app import main
from harness.errors import ExitCode
from harness.scenarios.comparing import findings_in

sys.path.append(str(Path(__file__).parents[1]))

from rounds_folder import BASELINE, CONTENDER, NAME, make_rounds

pytestmark = pytest.mark.unit

KEPT = {"comparison.json", "comparison.md", "comparison.html", "comparison-junit.xml"}
Harness = Callable[..., int]


@pytest.fixture(scope="module")
def slower(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of two versions in rounds; launches of the second take 15 % longer. Judged."""
    folder = tmp_path_factory.mktemp("compare") / NAME
    make_rounds(
        repo_root / "results/baselines/quick-process", folder, slower=1.15, workloads=("cpu",)
    )
    findings_in(folder)
    return folder


@pytest.fixture
def root(slower: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder's `results`."""
    shutil.copytree(slower, tmp_path / "results" / NAME)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


@pytest.fixture
def harness() -> Harness:
    """The command line as a person types it; returns the exit code."""

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["compare", *words])
        return int(ended.value.code or 0)

    return run


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def with_one(root: Path, name: str, version: str, **changes: Any) -> Path:
    """A campaign of one version, as findings alone."""
    document = json.loads((root / NAME / "findings.json").read_bytes())
    document["campaign"]["dagster"] = [version]
    document["cells"] = [each for each in document["cells"] if each["dagster"] == version]
    document["environment"]["host"].update(changes)
    folder = root / name
    folder.mkdir()
    (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_the_latest_campaigns_versions_are_compared_shown_and_kept(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(root / NAME)
    assert harness() == ExitCode.BREACH
    captured = capsys.readouterr()
    assert captured.out.startswith("Dagster 1.13.28 is WORSE than 1.12.22: ")
    assert captured.out.splitlines()[-2:] == [
        f"Comparison: results/{NAME}/comparison.html",
        "All campaigns: results/index.html",
    ]
    assert files(root / NAME) - before == KEPT
    assert captured.err == ""


@pytest.mark.parametrize(
    ("format_", "starts"),
    [("markdown", "## Comparison: Dagster 1.13.28: worse"), ("json", '{\n  "schema"'),
     ("junit", "<?xml")],
)  # fmt: skip
def test_a_format_for_a_pipe_goes_to_standard_output_alone(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str], format_: str, starts: str
) -> None:
    before = files(root / NAME)
    assert harness(NAME, "--format", format_) == ExitCode.BREACH
    captured = capsys.readouterr()
    assert captured.out.startswith(starts)
    assert captured.err == ""
    assert files(root / NAME) == before


def test_html_and_all_write_everything_and_say_where(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness("--format", "html") == ExitCode.BREACH
    assert capsys.readouterr().out.startswith("Comparison: ")
    assert files(root / NAME) >= KEPT
    assert harness("--format", "all", "--out", "artefacts/here") == ExitCode.BREACH
    assert files(Path("artefacts/here")) == KEPT


@pytest.mark.parametrize(
    ("format_", "starts"),
    [("html", "<!doctype html>"), ("markdown", "## Comparison"), ("terminal", "Dagster 1.13.28"),
     ("json", "{"), ("junit", "<?xml")],
)  # fmt: skip
def test_a_format_can_go_into_a_file(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str], format_: str, starts: str
) -> None:
    assert harness("--format", format_, "--out", "new/it.x") == ExitCode.BREACH
    assert Path("new/it.x").read_text(encoding="utf-8").startswith(starts)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Comparison: new/it.x\n")
    assert not files(root / NAME) & KEPT


def test_two_results_are_compared_and_kept_with_the_contender(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    a = with_one(root, "20260102T000000Z-a", BASELINE)
    b = with_one(root, "20260103T000000Z-b", CONTENDER)
    assert harness(a.name, b.name) == ExitCode.BREACH
    assert "Dagster 1.13.28 is WORSE than 1.12.22" in capsys.readouterr().out
    assert files(b) >= KEPT
    assert not files(a) & KEPT


def test_a_campaign_with_a_comparison_of_its_own_keeps_no_other(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    a = with_one(root, "20260102T000000Z-a", BASELINE)
    assert harness(a.name, NAME, "--contender", CONTENDER) == ExitCode.BREACH
    assert "Not kept" in capsys.readouterr().err
    assert not files(root / NAME) & KEPT


def test_what_was_not_measured_alike_is_refused_and_forced_with_a_mark(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    a = with_one(root, "20260102T000000Z-a", BASELINE)
    b = with_one(root, "20260103T000000Z-b", CONTENDER, cpu_model="Other CPU")
    assert harness(a.name, b.name) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "must not be compared" in said
    assert "host: " in said
    assert "--force marks the output" in said
    assert not files(b) & KEPT
    assert harness(a.name, b.name, "--force") == ExitCode.INCONCLUSIVE
    assert capsys.readouterr().out.startswith("FORCED")
    assert "FORCED" in (b / "comparison.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--metric", "base_mib"], ExitCode.PASS),
        (["--metric", "launch_s@1", "--metric", "base_mib"], ExitCode.BREACH),
        (["--metric", "throughput_runs_per_s"], ExitCode.INCONCLUSIVE),
        (["--metric", "latency"], ExitCode.BAD_INPUT),
        (["--baseline", CONTENDER], ExitCode.PASS),
        (["--baseline", "1.0.0"], ExitCode.BAD_INPUT),
        (["nowhere"], ExitCode.BAD_INPUT),
    ],
)
def test_the_exit_code_says_what_was_asked(
    root: Path, harness: Harness, words: list[str], code: ExitCode
) -> None:
    assert harness(*words) == code


def test_a_part_of_the_comparison_does_not_replace_the_whole(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--metric", "base_mib"], ["--tolerance", "0.2"], ["--alpha", "0.01"],
                  ["--baseline", CONTENDER]):  # fmt: skip
        harness(*words)
        assert "Not kept" in capsys.readouterr().err
    assert not files(root / NAME) & KEPT


def test_chosen_figures_are_shown_alone(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness("--metric", "launch_s@1", "--format", "junit")
    cases = [case.get("name") for case in ET.fromstring(capsys.readouterr().out).iter("testcase")]
    assert cases == ["launch time p50 at 1 run"]


def test_details_are_shown_where_wanted(
    root: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness()
    assert "not counted for the verdict" not in capsys.readouterr().out
    harness("--details")
    assert "not counted for the verdict" in capsys.readouterr().out


def test_what_can_be_compared_is_listed(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness("--list-metrics") == ExitCode.PASS
    lines = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in lines[:3]]
    assert first == ["capacity", "launch_work@LOAD", "launch_cpu_s"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "pdf"], "none of terminal, markdown, html, json, junit, all"),
        (["--format", "all", "--out", "-"], "name a folder"),
        (["--format", "json", "--open"], "it opens the page"),
        (["--alpha", "2"], "0.5"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_read(
    harness: Harness, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert harness("nowhere", *words) == ExitCode.BAD_INPUT
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize("out", ["campaign.yaml", "findings.json", "cells/x.md"])
def test_no_fact_is_ever_written_over(root: Path, harness: Harness, out: str) -> None:
    facts = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    target = str(root / NAME / out)
    assert harness("--format", "json", "--out", target) == ExitCode.BAD_INPUT
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == facts


def test_a_derived_file_may_be_named(root: Path, harness: Harness) -> None:
    target = root / NAME / "comparison.json"
    assert harness("--format", "json", "--out", str(target)) == ExitCode.BREACH
    assert target.exists()


def test_the_page_is_opened_where_it_was_written(
    root: Path, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module.webbrowser, "open", lambda url: opened.append(url) or True)
    harness("--open")
    assert opened == [(root / NAME / "comparison.html").as_uri()]


def test_help_teaches(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("--help") == ExitCode.PASS
    said = " ".join(capsys.readouterr().out.split())
    for words in ("harness run --dagster A --dagster B", "5 nobody can tell", "gh pr comment"):
        assert words in said
