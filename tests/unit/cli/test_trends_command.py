"""`harness trends`: what it shows, writes, removes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from harness.cli.trends import trends
from harness.errors import CampaignError, StoredDataError

pytestmark = pytest.mark.unit

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.command()(trends)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return call


@pytest.fixture
def root(tmp_path: Path, repo_root: Path) -> Path:
    """Twelve nights; launching costs a third more from the seventh on, exactly."""
    source = (repo_root / "results/baselines/quick-compose/findings.json").read_text("utf-8")
    for night in range(1, 13):
        document: dict[str, Any] = json.loads(source)
        document["cells"] = document["cells"][:1]
        document["cells"][0]["cpu"]["launch_cpu_s"] = 2.0 if night < 7 else 2.7
        folder = tmp_path / f"202601{night:02}T020000Z-quick"
        (folder / "cells/c").mkdir(parents=True)
        (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        (folder / "cells/c/runs.parquet").write_bytes(b"facts")
    return tmp_path


def test_it_says_what_changed_and_writes_the_page(run: Run, root: Path) -> None:
    result = run("--root", str(root))
    assert result.exit_code == 0
    assert "2026-01-07 quick: 1 figure became worse" in result.stdout
    assert "+35 %" in result.stdout
    assert (root / "trends.html").read_text("utf-8").startswith("<!doctype html>")
    assert len((root / "history.jsonl").read_text("utf-8").splitlines()) == 12


def test_a_part_of_it_leaves_the_page_alone(run: Run, root: Path) -> None:
    result = run("--root", str(root), "--metric", "base_mib")
    assert result.stdout == "No lasting change in 12 campaigns.\n"
    assert not (root / "trends.html").exists()


def test_json_goes_to_standard_output_and_nothing_else_does(run: Run, root: Path) -> None:
    result = run("--root", str(root), "--format", "json", "--metric", "launch_cpu_s")
    document = json.loads(result.stdout)
    assert [event["told"] for event in document["events"]] == ["1 figure became worse"]
    assert not (root / "trends.html").exists()


@pytest.mark.parametrize("format_", ["html", "json", "terminal"])
def test_a_file_elsewhere_can_be_named(run: Run, root: Path, tmp_path: Path, format_: str) -> None:
    out = tmp_path / "new" / "trends"
    assert run("--root", str(root), "--format", format_, "--out", str(out)).exit_code == 0
    assert out.read_text("utf-8")[:1] == ("{" if format_ == "json" else "<")


def facts(root: Path) -> int:
    return len(list(root.glob("*/cells/c/runs.parquet")))


def test_pruning_is_tried_before_it_is_done(run: Run, root: Path) -> None:
    tried = run("--root", str(root), "--prune", "--dry-run", "--keep-days", "1")
    assert tried.stderr.count("Would remove the facts of") == 11
    assert facts(root) == 12
    done = run("--root", str(root), "--prune", "--keep-days", "1")
    assert done.stderr.count("Removing the facts of") == 11
    assert facts(root) == 1
    again = run("--root", str(root), "--prune", "--keep-days", "1")
    assert "No facts are older than 1 day" in again.stderr


def test_what_is_named_is_kept(run: Run, root: Path) -> None:
    run("--root", str(root), "--prune", "--keep-days", "1", "--keep", "20260103T020000Z-quick")
    assert facts(root) == 2


def test_a_root_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("--root", str(tmp_path / "none"))
    assert isinstance(result.exception, StoredDataError)


@pytest.mark.parametrize("wish", [("--campaign", "other"), ("--metric", "frobs")])
def test_what_does_not_exist_is_refused(run: Run, root: Path, wish: tuple[str, str]) -> None:
    result = run("--root", str(root), *wish)
    assert isinstance(result.exception, CampaignError)
    assert wish[1] in result.exception.what
    assert result.exception.hint


@pytest.mark.parametrize("wrong", [("--format", "pdf"), ("--dry-run",)])
def test_what_cannot_be_meant_is_refused(run: Run, root: Path, wrong: tuple[str, ...]) -> None:
    assert run("--root", str(root), *wrong).exit_code == 2


def test_a_root_that_cannot_be_written_is_shown_all_the_same(run: Run, root: Path) -> None:
    (root / ".history.lock").mkdir()
    result = run("--root", str(root), "--metric", "launch_cpu_s")
    assert result.exit_code == 0
    assert "1 figure became worse" in result.stdout
    assert "The index was not written" in result.stderr
