"""One life of a server, with a small shell in its place and a cgroup that only pretends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.ledger import Ledger
from harness.rig.protocols import ServerDeath
from harness.rig.target import process_server
from harness.rig.target.child import Launch
from harness.rig.target.process_server import ServerProcess, ServerSetup

pytestmark = pytest.mark.integration

LIMITS = Limits(cpu_cores=0.5, memory_bytes=256 << 20)


class FakeBox:
    """A cgroup that has seen `oom_kills` and notes what is done to it."""

    oom_kills = 0
    done: list[str]

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self._limits = limits
        self.done = []

    def add(self, pid: int) -> None:
        self.done.append("add")

    def limits(self) -> Limits:
        return self._limits

    def reader(self) -> SimpleNamespace:
        stats = SimpleNamespace(oom_kills=self.oom_kills)
        return SimpleNamespace(read=lambda: stats, close=lambda: None)

    def kill(self) -> None:
        self.done.append("kill")

    def remove(self) -> None:
        self.done.append("remove")


class Servers:
    """Makes servers, with or without a box, and ends them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.said: list[str] = []
        self.boxes: list[FakeBox] = []
        self.problem: EnvironmentProblem | None = None
        self._folder = folder
        self._made: list[ServerProcess] = []
        monkeypatch.setattr(process_server, "CgroupBox", SimpleNamespace(create=self._create))

    def start(self, script: str) -> ServerProcess:
        launch = Launch(
            name="server", command=("/bin/sh", "-c", script), log=self._folder / "server.log",
            env={"PATH": os.defpath}, cwd=self._folder,
        )  # fmt: skip
        setup = ServerSetup(
            launch=launch, limits=LIMITS, port=1, life=0, ledger=self.ledger, say=self.said.append
        )
        server = ServerProcess(setup)
        self._made.append(server)
        server.start()
        return server

    def end(self) -> None:
        for server in self._made:
            server.stop()

    def _create(self, name: str, limits: Limits) -> FakeBox:
        if self.problem:
            raise self.problem
        self.boxes.append(FakeBox(name, limits))
        return self.boxes[-1]


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    made = Servers(tmp_path, monkeypatch)
    yield made
    made.end()


def death_of(server: ServerProcess) -> ServerDeath:
    deadline_s = time.monotonic() + 10
    while (death := server.death()) is None:
        assert time.monotonic() < deadline_s, "it does not die"
        time.sleep(0.01)
    return death


def test_a_server_in_a_box_has_the_limits_the_kernel_shows(servers: Servers) -> None:
    server = servers.start("exec sleep 60")
    assert server.limits == LIMITS
    assert server.unenforced == ""
    assert server.replica().cgroup_pid == server.replica().pid
    assert {entry.kind for entry in servers.ledger.entries()} == {"cgroup", "process"}
    assert server.death() is None


def test_without_a_box_the_limits_are_unenforced_and_somebody_is_told(servers: Servers) -> None:
    servers.problem = EnvironmentProblem("No cgroup can be made here.", evidence="read-only")
    server = servers.start("exec sleep 60")
    assert server.limits is None
    assert server.replica().cgroup_pid is None
    assert server.replica().limits == Limits(cpu_cores=None, memory_bytes=None)
    assert servers.said == ["limits: unenforced. No cgroup can be made here. read-only"]


def test_a_sigkill_with_an_oom_kill_in_its_cgroup_was_memory(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBox, "oom_kills", 1)
    death = death_of(servers.start("echo last words; kill -9 $$"))
    assert (death.exit_code, death.oom, death.log_tail) == (137, True, "last words")
    assert death.witnesses == ("cgroup: oom_kill 1", "exit 137 (SIGKILL)")


def test_an_exit_after_a_run_was_oom_killed_was_not_memory(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBox, "oom_kills", 1)
    death = death_of(servers.start("exit 1"))
    assert (death.exit_code, death.oom) == (1, False)


def test_a_sigkill_alone_is_no_proof_of_memory(servers: Servers) -> None:
    assert not death_of(servers.start("kill -9 $$")).oom


def test_a_death_empties_the_box_and_is_told_the_same_way_every_time(servers: Servers) -> None:
    server = servers.start("exit 1")
    assert death_of(server) is server.death()
    assert servers.boxes[0].done == ["add", "kill"]


def test_stopping_is_no_death_and_removes_box_and_entries(servers: Servers) -> None:
    server = servers.start("exec sleep 60")
    server.stop()
    server.stop()
    assert server.death() is None
    assert servers.boxes[0].done == ["add", "kill", "remove"]
    assert servers.ledger.entries() == ()
