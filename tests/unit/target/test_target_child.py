"""Real child processes: small shells that end within the test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.errors import TargetFailed
from harness.rig.ledger import Ledger, kill_entry
from harness.rig.target.child import ChildProcess, Launch, free_ports

pytestmark = pytest.mark.integration

ENV = {"PATH": os.defpath}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def shell(tmp_path: Path, script: str, **more: object) -> Launch:
    command = ("/bin/sh", "-c", script)
    log = tmp_path / "child.log"
    return Launch(name="child", command=command, log=log, env=ENV, cwd=tmp_path, **more)  # type: ignore[arg-type]


def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class NotedBox:
    """Notes who was put in, and whether the command had already run."""

    def __init__(self, log: Path, error: Exception | None = None) -> None:
        self.members: list[int] = []
        self.log_then = ""
        self._log = log
        self._error = error

    def add(self, pid: int) -> None:
        if self._error:
            raise self._error
        time.sleep(0.1)  # time enough for a command that would not wait
        self.log_then = self._log.read_text()
        self.members.append(pid)


def test_it_keeps_the_exit_code_and_the_words_of_its_child(tmp_path: Path, ledger: Ledger) -> None:
    child = ChildProcess.start(shell(tmp_path, "echo out; echo err >&2; exit 3"), ledger)
    until(lambda: child.exit() is not None)
    assert child.exit() == 3
    assert child.log.read_text() == "out\nerr\n"
    child.stop(0)


def test_the_command_starts_only_once_it_is_in_its_box(tmp_path: Path, ledger: Ledger) -> None:
    box = NotedBox(tmp_path / "child.log")
    child = ChildProcess.start(shell(tmp_path, "echo started as $$", box=box), ledger)
    until(lambda: child.exit() is not None)
    assert box.members == [child.pid]
    assert box.log_then == ""
    assert child.log.read_text() == f"started as {child.pid}\n"
    child.stop(0)


def test_a_box_that_refuses_leaves_no_process_and_no_entry(tmp_path: Path, ledger: Ledger) -> None:
    box = NotedBox(tmp_path / "child.log", error=OSError("no space in cgroup"))
    with pytest.raises(TargetFailed) as caught:
        ChildProcess.start(shell(tmp_path, "echo ran", box=box), ledger)
    assert "no space" in caught.value.evidence
    assert ledger.entries() == ()
    assert (tmp_path / "child.log").read_text() == ""


def test_a_child_is_in_the_ledger_from_before_its_first_step_until_it_is_stopped(
    tmp_path: Path, ledger: Ledger
) -> None:
    child = ChildProcess.start(shell(tmp_path, "exec sleep 60"), ledger)
    (entry,) = ledger.entries()
    assert (entry.kind, entry.pid) == ("process", child.pid)
    child.stop(5)
    assert ledger.entries() == ()
    assert child.exit() == -15
    child.stop(5)


def test_who_does_not_listen_is_killed_with_everything_it_started(
    tmp_path: Path, ledger: Ledger
) -> None:
    script = "trap '' TERM; setsid sleep 61 & echo $! > grandchild; wait; sleep 61"
    child = ChildProcess.start(shell(tmp_path, script), ledger)
    note = tmp_path / "grandchild"
    until(lambda: note.exists() and note.read_text() != "")
    child.stop(0.1)
    assert child.exit() == -9
    assert not runs(int(note.read_text()))


def test_orphans_of_an_ended_child_are_found_by_their_token(tmp_path: Path, ledger: Ledger) -> None:
    child = ChildProcess.start(shell(tmp_path, "setsid sleep 62 & echo $! > orphan"), ledger)
    until(lambda: child.exit() is not None)
    orphan = int((tmp_path / "orphan").read_text())
    assert runs(orphan)
    assert child.kill_orphans() == 1
    assert not runs(orphan)
    child.stop(0)


def test_a_missing_program_is_an_exit_with_its_name_in_the_log(
    tmp_path: Path, ledger: Ledger
) -> None:
    log = tmp_path / "child.log"
    launch = Launch(name="child", command=("/no/such",), log=log, env=ENV, cwd=tmp_path)
    child = ChildProcess.start(launch, ledger)
    until(lambda: child.exit() is not None)
    assert child.exit() == 127
    assert "/no/such" in log.read_text()
    child.stop(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_harness_takes_its_children_with_it_and_leaves_their_entries(
    tmp_path: Path, ledger: Ledger
) -> None:
    program = f"""
import time
from pathlib import Path
from harness.rig.ledger import Ledger
from harness.rig.target.child import ChildProcess, Launch
folder = Path({str(tmp_path)!r})
launch = Launch(name="child", command=("sleep", "63"), log=folder / "l", env={ENV!r}, cwd=folder)
ChildProcess.start(launch, Ledger(folder / "ledger.jsonl"))
time.sleep(60)
"""
    harness = subprocess.Popen([sys.executable, "-c", program])
    try:
        until(lambda: len(ledger.entries()) == 1)
        (entry,) = ledger.entries()
        assert entry.pid is not None
        assert ledger.abandoned() == ()
    finally:
        harness.kill()
        harness.wait()
    until(lambda: not runs(entry.pid or 0))
    assert ledger.abandoned() == (entry,)
    assert kill_entry(entry) == 0


def test_free_ports_differ() -> None:
    assert len(set(free_ports(8))) == 8
