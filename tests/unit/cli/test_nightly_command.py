"""`harness nightly` on the command line: what it refuses, shows and tells its caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli import app as commands
from harness.cli.nightly import nightly
from harness.errors import EnvironmentProblem, ExitCode
from harness.report.nightly.summary import Summary
from harness.scenarios.nightly import joints
from harness.scenarios.nightly import night as nights
from harness.scenarios.nightly.book import Order
from harness.scenarios.nightly.webhook import VARIABLE

pytestmark = pytest.mark.unit

SECRET = "https://hooks.example.org/services/hush"
Run = Callable[..., int]


def summary_of(code: int, **changes: Any) -> Summary:
    status: Any = {0: "green", 1: "red"}.get(code, "grey")
    given: dict[str, Any] = {
        "status": status, "headline": f"{status.upper()}: so it is.", "exit_code": code,
        "campaign": "nightly", "folder": None, "started_utc": "2026-11-25T02:00:00+00:00",
        "ended_utc": "2026-11-25T02:40:00+00:00", "lasted_s": 2400.0, "budget_s": 3600.0,
        "dagster": ("1.13.27", "1.13.29"), "baseline": "1.13.27",
    }  # fmt: skip
    return Summary(**{**given, **changes})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The whole command line, as far as `harness nightly` goes."""
    app = typer.Typer()
    app.callback()(lambda: None)
    app.command("nightly")(nightly)
    monkeypatch.setattr(commands, "app", app)
    monkeypatch.delenv(VARIABLE, raising=False)

    def call(*argv: str) -> int:
        with pytest.raises(SystemExit) as ended:
            commands.main(["nightly", *argv])
        return int(ended.value.code or 0)

    return call


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """What is ordered; every night is green."""
    found: list[Order] = []

    def night(order: Order, *, listener: Any) -> tuple[Summary, bool]:
        found.append(order)
        listener.say("it is under way")
        return summary_of(0), True

    monkeypatch.setattr(nights, "night", night)
    return found


def ending(monkeypatch: pytest.MonkeyPatch, summary: Summary, *, written: bool = True) -> None:
    monkeypatch.setattr(nights, "night", lambda *_, **__: (summary, written))


@pytest.mark.parametrize("code", sorted(ExitCode))
def test_the_caller_is_told_what_the_summary_says(
    code: int, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(monkeypatch, summary_of(code))
    assert run() == code
    assert summary_of(code).headline in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "told"), [(0, ExitCode.ENVIRONMENT), (1, ExitCode.BREACH), (5, ExitCode.INCONCLUSIVE)]
)
def test_a_green_night_nobody_can_read_of_is_no_pass(
    code: int, told: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(monkeypatch, summary_of(code), written=False)
    assert run() == told


def test_a_night_at_work_is_the_environments_matter(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def night(*_: Any, **__: Any) -> None:
        raise EnvironmentProblem("Another night is at work.", evidence="process 7: night nightly")

    monkeypatch.setattr(nights, "night", night)
    assert run() == ExitCode.ENVIRONMENT
    assert "process 7: night nightly" in capsys.readouterr().err


def test_without_a_campaign_it_is_the_preset_with_its_budget(
    run: Run, orders: list[Order], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == run("--preset", "nightly") == 0
    assert orders[0] == orders[1]
    order = orders[0]
    assert (order.campaign.name, order.budget_s, order.resume) == ("nightly", 3600, True)
    assert (order.root, order.pinned, order.webhook) == (Path("results"), None, None)
    captured = capsys.readouterr()
    assert "it is under way" in captured.err
    assert "it is under way" not in captured.out


def test_options_reach_the_order(run: Run, orders: list[Order], tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text(SECRET)
    assert run("--preset", "nightly", "--target", "process", "--set", "nightly.nights=28",
               "--budget", "1h30m", "--results", str(tmp_path), "--webhook-file", str(file),
               "--no-resume", "--allow-overcommit") == 0  # fmt: skip
    (order,) = orders
    assert (order.campaign.target, order.campaign.nightly.nights) == ("process", 28)
    assert (order.budget_s, order.root, order.resume) == (5400, tmp_path, False)
    assert order.options.allow_overcommit
    assert order.webhook
    assert order.webhook.url == SECRET


def test_json_is_all_there_is_on_standard_output(
    run: Run, orders: list[Order], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "green"


@pytest.mark.parametrize("budget", ["soon", "-5m", "0", ""])
def test_a_budget_that_is_none_is_refused(
    budget: str, run: Run, orders: list[Order], capsys: pytest.CaptureFixture[str]
) -> None:
    if budget:
        assert run(f"--budget={budget}") == ExitCode.BAD_INPUT
        assert "--budget" in capsys.readouterr().err
        assert orders == []
    else:
        assert run("--set", "nightly.budget_minutes=null") == 0
        assert orders[0].budget_s is None


@pytest.mark.parametrize(
    "argv",
    [
        ("nowhere.yaml",),
        ("--preset", "nightlie"),
        ("c.yaml", "--preset", "nightly"),
        ("--set", "nightly.gates=[lanch_s]"),
        ("--webhook-file", "nowhere"),
        ("--set", "nightly.nights=0"),
    ],
)
def test_bad_input_is_told_before_anything_begins(
    argv: tuple[str, ...], run: Run, orders: list[Order]
) -> None:
    assert run(*argv) == ExitCode.BAD_INPUT
    assert orders == []


def test_pinned_results_are_found_by_path_or_by_name(
    run: Run, orders: list[Order], tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    for name in (str(tmp_path / "old"), "old"):
        assert run("--results", str(tmp_path), "--set", f"nightly.pinned={name}") == 0
    assert [order.pinned for order in orders] == [tmp_path / "old"] * 2


def test_pinned_results_that_are_gone_keep_nobody_from_measuring(
    run: Run, orders: list[Order], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night is told all the same: without a summary the one before would stand there."""
    argv = ("--results", str(tmp_path), "--set", "nightly.pinned=gone")
    assert run(*argv) == 0
    assert orders[0].pinned == tmp_path / "gone"
    assert run(*argv, "--dry-run") == 0
    assert "the pinned results gone, which are not there" in capsys.readouterr().out


def test_a_gate_that_is_none_is_named_with_what_was_meant(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--dry-run", "--results", str(tmp_path), "--set", "nightly.gates=[per_run_mb]") == 2
    assert "Did you mean per_run_mib?" in capsys.readouterr().err
    assert run("--dry-run", "--results", str(tmp_path), "--set", "nightly.gates=[per_run_mib]") == 0
    (line,) = [said for said in capsys.readouterr().out.splitlines() if "Turns red for" in said]
    assert "per_run_mib; OOM kills, failed runs" in line


def test_the_secret_of_the_environment_is_used_and_not_shown(
    run: Run, orders: list[Order], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv(VARIABLE, SECRET)
    assert run("--results", str(tmp_path)) == 0
    assert orders[0].webhook
    monkeypatch.setenv(VARIABLE, SECRET)
    assert run("--results", str(tmp_path), "--dry-run") == 0
    monkeypatch.setenv(VARIABLE, "not-an-address-hush")
    assert run("--results", str(tmp_path)) == ExitCode.BAD_INPUT
    captured = capsys.readouterr()
    assert "Webhook: one is told" in captured.out
    assert VARIABLE in captured.err
    assert "hush" not in captured.out + captured.err


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run starts nothing")

    for part in ("lock", "check_root", "remove_abandoned", "pin", "measure", "resume", "judge",
                 "prune", "write_reports", "write_trends", "post"):  # fmt: skip
        monkeypatch.setattr(joints, part, refuse)


@pytest.mark.usefixtures("nothing_starts")
def test_a_dry_run_shows_what_a_night_would_do_and_does_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "results"
    assert run("--dry-run", "--results", str(root), "--budget", "20m") == 0
    out = capsys.readouterr().out
    for said in (
        "Campaign nightly · target auto",
        "Budget: 20 min, it takes about 18 min 53 s",
        "  shortened: 3 instead of 4 repetitions of every cell",
        "latest: the newest release when the night begins",
        "  Dagster 1.13.27 in the same night",
        "  0 earlier nights in ",
        "Raw facts to remove: none is older than 30 days",
        "nightly-nightly.json",
        "Webhook: none",
    ):
        assert said in out
    assert out.endswith("Nothing was started.\n")
    assert not root.exists()


@pytest.mark.usefixtures("nothing_starts")
def test_a_dry_run_tells_what_would_be_compared_removed_and_completed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "20260101T000000Z-nightly"
    (old / "cells").mkdir(parents=True)
    mark = {"campaign": "nightly", "started_s": 1.0, "pid": 1, "ended": False}
    (tmp_path / ".nightly-nightly.json").write_text(json.dumps(mark))
    monkeypatch.setattr(joints, "prunable", lambda root, **_: (old,))
    assert run("--dry-run", "--results", str(tmp_path), "--set", f"nightly.pinned={old}") == 0
    out = capsys.readouterr().out
    assert f"  the pinned results {old.name}" in out
    assert "  1 earlier night in " in out
    assert f"older than 30 days:\n  {old.name}" in out
    assert "The night of 1970-01-01 00:00 UTC was cut short" in out


@pytest.mark.usefixtures("nothing_starts")
def test_a_dry_run_says_that_a_budget_cannot_be_kept(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--dry-run", "--budget", "1m", "--results", str(tmp_path)) == ExitCode.BAD_INPUT
    assert "--budget 10m" in capsys.readouterr().err


def test_the_help_teaches_how_to_begin(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in ("--preset nightly --dry-run", "docs/nightly/", "1 a real regression",
                 "HARNESS_WEBHOOK_URL"):  # fmt: skip
        assert said in out
