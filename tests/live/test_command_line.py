"""The whole command against a real server: a good day, Ctrl-C, and `kill -9`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from harness.errors import ExitCode
from harness.facts.store import list_results, read_results
from harness.rig.ledger import Ledger

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

TARGETS = [pytest.param("compose", marks=pytest.mark.docker), "process"]
STOP_LIMIT_S = 10.0


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own; whatever a failed test left is removed at the end."""
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"
    harness(tmp_path, "down")


def harness(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=folder, capture_output=True, text=True,
        timeout=800, check=False,
    )  # fmt: skip


def start(folder: Path, target: str) -> subprocess.Popen[str]:
    """Start a smoke campaign with a long hold."""
    command = ["run", "--preset", "smoke", "--target", target, "--plain", "--set", "step.hold_s=60"]
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *command], cwd=folder, text=True,
        stdout=subprocess.DEVNULL, stderr=(folder / "stderr").open("w"),
    )  # fmt: skip


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 600) -> None:
    """Poll until it holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"never: {what}"
        time.sleep(0.2)


def in_first_step(folder: Path) -> bool:
    """Whether the unloaded step's generator is at work."""
    return any(
        '"kind":"accepted"' in path.read_text().replace(" ", "")
        for path in folder.glob("results/*/cells/*/logs/load-step-001.jsonl")
    )


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything below a harness, for checking later that it is gone."""
    return psutil.Process(process.pid).children(recursive=True)


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; an orphan that waits for a lazy init to reap it does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("target", TARGETS)
def test_smoke_prints_findings_that_keep_the_contract(
    target: str, tmp_path: Path, state: Path, repo_root: Path
) -> None:
    done = harness(tmp_path, "run", "--preset", "smoke", "--target", target, "--json")
    assert done.returncode == ExitCode.PASS, done.stderr
    findings: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads((repo_root / "results/findings.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(findings)
    (cell,) = findings["cells"]
    assert cell["target"] == target
    assert [step["concurrency"] for step in cell["steps"]] == [1, 2]
    assert all(step["completed"] >= 1 for step in cell["steps"])
    assert Ledger(state / "ledger.jsonl").entries() == ()


@pytest.mark.parametrize("target", TARGETS)
def test_ctrl_c_ends_within_ten_seconds_and_leaves_nothing_but_facts(
    target: str, tmp_path: Path, state: Path
) -> None:
    process = start(tmp_path, target)
    wait_until(lambda: in_first_step(tmp_path), "the first step")
    below = descendants(process)
    asked_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    assert time.monotonic() - asked_s < STOP_LIMIT_S  # the product's promise, not a speed
    assert code == ExitCode.INTERRUPTED
    assert [p for p in below if lives(p)] == []
    assert Ledger(state / "ledger.jsonl").entries() == ()
    (stored,) = list_results(tmp_path / "results")
    (cell,) = read_results(stored.path).cells
    assert [step.kind for step in cell.steps] == ["warmup"]
    assert cell.cell.ended == "interrupted"


@pytest.mark.parametrize("target", TARGETS)
def test_after_kill_9_the_facts_are_readable_and_down_removes_the_rest(
    target: str, tmp_path: Path, state: Path
) -> None:
    process = start(tmp_path, target)
    wait_until(lambda: in_first_step(tmp_path), "the first step")
    below = descendants(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    (stored,) = list_results(tmp_path / "results")
    (cell,) = read_results(stored.path).cells
    assert [step.kind for step in cell.steps] == ["warmup"]
    assert Ledger(state / "ledger.jsonl").abandoned() != ()
    done = harness(tmp_path, "down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert Ledger(state / "ledger.jsonl").entries() == ()
    wait_until(lambda: not [p for p in below if lives(p)], "all gone", 10)
    assert "Nothing was left running" in harness(tmp_path, "down").stdout
