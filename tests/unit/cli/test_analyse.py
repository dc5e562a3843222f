"""Judging again with other objectives: what is asked for, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.analysis.judging import Judging
from harness.cli import analyse as module
from harness.cli.analyse import analyse, judging_options
from harness.errors import CampaignError, ExitCode

pytestmark = pytest.mark.unit

Calls = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "20260101T000000Z-quick"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls: Calls = []

    def show(path: Path, **given: Any) -> int:
        calls.append({"path": path, **given})
        return 1

    monkeypatch.setattr(module, "show_findings", show)
    return calls


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls: Calls = []

    def judge(path: Path, **given: Any) -> SimpleNamespace:
        calls.append({"path": path, **given})
        return SimpleNamespace(cells=())

    monkeypatch.setattr("harness.scenarios.threshold.judge", judge)
    monkeypatch.setattr("harness.report.json_document.findings_json", lambda _: '{"a": 1}\n')
    return calls


def test_without_options_the_folder_is_judged_as_measured_and_rewritten(
    folder: Path, shown: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analyse(str(folder)) == 1
    assert shown == [{"path": folder, "as_json": False, "options": Judging(), "write": True}]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "asked", [{"slo": ["pool_queue=off"]}, {"warmup": "5"}, {"warmup": "none"}, {"warmup": "0"}]
)
def test_another_way_of_judging_leaves_the_folder_as_it_is_and_says_so(
    asked: dict[str, Any], folder: Path, shown: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    analyse(str(folder), json_=True, **asked)
    assert (shown[0]["write"], shown[0]["as_json"]) == (False, True)
    told = capsys.readouterr()
    assert "left as it was" in told.err
    assert told.out == "", "standard output is for findings alone"


@pytest.mark.parametrize(
    ("slos", "warmup", "expected"),
    [
        ([], "auto", Judging()),
        ([], "none", Judging(warmup=None)),
        ([], "2.5", Judging(warmup=2.5)),
        (["launch_s_p95=20"], "auto", Judging(slos={"launch_s_p95": 20.0})),
        (["pool_queue=off", "no_oom = 1"], "auto", Judging(slos={"pool_queue": None, "no_oom": 1})),
        (["pool_queue=1", "pool_queue=2"], "auto", Judging(slos={"pool_queue": 2.0})),
    ],
)
def test_options_say_how_to_judge(slos: list[str], warmup: str, expected: Judging) -> None:
    assert judging_options(slos, warmup) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lunch_s_p95=20", "no objective 'lunch_s_p95'"),
        ("=3", "no objective ''"),
        ("launch_s_p95", "a limit or `off` is missing"),
        ("launch_s_p95=", "a limit or `off` is missing"),
        ("launch_s_p95=fast", "valid number"),
        ("launch_s_p95=-1", "greater than 0"),
        ("launch_s_p95=nan", "greater than 0"),
        ("launch_s_p95=inf", "not a finite number"),
        ("memory_headroom=90", "less than or equal to 1"),
        ("no_oom=0.5", "valid integer"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_bad_input(text: str, told: str) -> None:
    with pytest.raises(CampaignError) as caught:
        judging_options([text], "auto")
    assert f"--slo {text}: " in caught.value.evidence
    assert told in caught.value.evidence
    assert caught.value.exit_code == ExitCode.BAD_INPUT


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon", ""])
def test_a_warm_up_that_cannot_be_meant_is_bad_input(text: str) -> None:
    with pytest.raises(CampaignError, match="auto"):
        judging_options([], text)


def test_all_problems_are_told_at_once_and_the_objectives_named() -> None:
    with pytest.raises(CampaignError) as caught:
        judging_options(["shiny=1", "pool_queue=many"], "soon")
    assert len(caught.value.evidence.splitlines()) == 3
    assert "slowdown_p95" in caught.value.hint


def test_findings_can_be_kept_in_a_file_of_their_own(
    folder: Path, judged: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "other.json"
    code = analyse(str(folder), slo=["launch_s_p95=20"], out=out)
    options = Judging(slos={"launch_s_p95": 20.0})
    assert judged == [{"path": folder, "options": options, "write": False}]
    assert out.read_text() == '{"a": 1}\n'
    told = capsys.readouterr()
    assert "other.json" in told.err.replace("\n", "")
    assert told.out == ""
    assert code == ExitCode.INCONCLUSIVE, "no cell could be judged"
    assert not (folder / "findings.json").exists()


def test_findings_in_a_file_can_be_printed_too(
    folder: Path, judged: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    analyse(str(folder), out=tmp_path / "other.json", json_=True)
    assert capsys.readouterr().out == '{"a": 1}\n'


@pytest.mark.parametrize(
    "place", [lambda f: f / "findings.json", lambda f: f / "cells" / "new.json", lambda f: f.parent]
)
def test_nothing_is_written_into_a_results_folder_or_over_a_folder(
    place: Callable[[Path], Path], folder: Path, judged: Calls
) -> None:
    with pytest.raises(CampaignError, match="cannot be written"):
        analyse(str(folder), slo=["pool_queue=off"], out=place(folder))
    assert judged == []
