"""What is taken away after a dead harness, and what is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.rig import leftovers
from harness.rig.ledger import Cleaned, Entry, Ledger
from harness.rig.leftovers import end_commands, refuse_leftovers, remove_leftovers, told

pytestmark = pytest.mark.unit

GONE = {"owner_pid": 2**22 + 1, "owner_created_s": 1.0}  # above the kernel's highest pid
PROJECT = "dlh-0123456789"


def entry(name: str = PROJECT, **owner: float) -> Entry:
    return Entry(id=name, kind="compose", name="cell a", project=name, **owner)  # type: ignore[arg-type]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A `docker` at work on our project, one on another, and something else that names ours."""
    docker = tmp_path / "docker-compose"
    docker.symlink_to(sys.executable)
    sleep = ("-c", "import time; time.sleep(60)")
    started = [
        subprocess.Popen([name, *sleep, "compose", "--project-name", project])
        for name, project in (
            (docker, PROJECT), (docker, "dlh-somebody"), (sys.executable, PROJECT)
        )
    ]  # fmt: skip
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_a_compose_command_that_outlived_its_harness_is_ended_and_no_other(
    commands: list[subprocess.Popen[bytes]],
) -> None:
    assert end_commands(PROJECT) == 1
    assert [process.poll() for process in commands][1:] == [None, None]
    assert commands[0].wait(10) != 0
    assert end_commands(PROJECT) == 0


def test_only_projects_of_the_dead_are_removed_after_their_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(leftovers, "end_commands", lambda name: done.append(f"end {name}"))
    monkeypatch.setattr(
        leftovers.engine, "remove_project", lambda name: done.append(f"remove {name}") or 4
    )
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.add(entry("ours"))
    ledger.add(entry(**GONE))
    (cleaned,) = remove_leftovers(ledger)
    assert done == [f"end {PROJECT}", f"remove {PROJECT}"]
    assert told(cleaned) == "compose cell a: removed (4)"
    assert [each.id for each in ledger.entries()] == ["ours"]


def test_what_could_not_be_removed_is_refused_with_its_reason() -> None:
    refuse_leftovers((Cleaned(entry=entry(), removed=4),))
    with pytest.raises(EnvironmentProblem) as caught:
        refuse_leftovers((Cleaned(entry=entry(), problem="no engine answers"),))
    assert caught.value.evidence == "compose cell a: no engine answers"
