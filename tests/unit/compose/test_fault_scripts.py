"""What the scripts of compose/faults decide; that they really break things is tried elsewhere."""

from __future__ import annotations

import ast
import errno
import importlib.util
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[3] / "compose" / "faults"
SCRIPTS = sorted(FOLDER.glob("*.py"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fault_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
class TestAll:
    def test_need_nothing_but_an_old_python(self, script: Path) -> None:
        """They run on the Python of whatever image is under test."""
        text = script.read_text(encoding="utf-8")
        tree = ast.parse(text, feature_version=(3, 8))
        names = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
        }
        assert names <= sys.stdlib_module_names

    def test_are_short_enough_for_a_command_line(self, script: Path) -> None:
        assert script.stat().st_size < 100_000

    def test_are_in_the_readme(self, script: Path) -> None:
        assert f"`{script.name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")


class Disk:
    """A file on a disk with so much room; `grudging`: a write takes no more than that."""

    def __init__(self, room: int, *, code: int = errno.ENOSPC, grudging: int = 1 << 30) -> None:
        self.room = room
        self._code = code
        self._grudging = grudging

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_: object) -> None: ...

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(self._code, os.strerror(self._code))
        taken = min(len(data), self.room, self._grudging)
        self.room -= taken
        return taken


class TestFillDisk:
    @pytest.mark.parametrize("room", [0, 1, 4095, 4096, (1 << 20) + 5000, 3 << 20])
    @pytest.mark.parametrize("grudging", [1 << 30, 70_000])
    def test_not_one_byte_finds_room_afterwards(
        self, monkeypatch: pytest.MonkeyPatch, room: int, grudging: int
    ) -> None:
        script, disk = load("fill_disk"), Disk(room, grudging=grudging)
        monkeypatch.setattr(script.Path, "open", lambda *_, **__: disk)
        assert script.fill(Path("x"), threading.Event()) == room
        assert disk.room == 0

    def test_it_stops_when_it_is_asked_to_give_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disk may take longer to fill than anybody waits for."""
        script, disk, asked = load("fill_disk"), Disk(3 << 20), threading.Event()
        taken = disk.write

        def write(data: bytes) -> int:
            asked.set()
            return taken(data)

        monkeypatch.setattr(disk, "write", write)
        monkeypatch.setattr(script.Path, "open", lambda *_, **__: disk)
        assert script.fill(Path("x"), asked) == 1 << 20

    def test_another_failure_is_not_taken_for_a_full_disk(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = load("fill_disk")
        disk = Disk(5, code=errno.EIO)
        monkeypatch.setattr(script.Path, "open", lambda *_, **__: disk)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            script.fill(Path("x"), threading.Event())


Process = tuple[int, int, int, list[str]]
SERVER_WORDS = ["/usr/bin/python", "/usr/bin/dagster", "api", "grpc", "--port", "4000", ""]
RUN_WORDS = ["/usr/bin/python", "-c", "from multiprocessing…", "--multiprocessing-fork", "9", ""]
INIT: Process = (1, 0, 0, ["/sbin/docker-init", "--", "sh", ""])
SERVER: Process = (7, 1, 10, SERVER_WORDS)


def run(pid: int, start: int, *, parent: int = 7) -> Process:
    return pid, parent, start, RUN_WORDS


class Passing:
    """A clock that only sleeping moves, and what was killed when; `time` and `os` of a script."""

    CLOCK_BOOTTIME = 7
    EPOCH_S = 1e9

    def __init__(self) -> None:
        self.now_s = 100.0
        self.killed: list[tuple[float, int, int]] = []

    def monotonic(self) -> float:
        return self.now_s

    def time(self) -> float:
        return self.EPOCH_S + self.now_s

    def clock_gettime(self, _: int) -> float:
        return self.now_s

    def sysconf(self, _: str) -> int:
        return 100

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def kill(self, pid: int, how: int) -> None:
        self.killed.append((self.now_s, pid, how))
        self.now_s += 1  # what is read of the clock afterwards is too late


class TestKillRun:
    @pytest.fixture
    def script(self) -> ModuleType:
        return load("kill_run")

    def middle(self, script: ModuleType, patch: pytest.MonkeyPatch, *seen: Process) -> int | None:
        patch.setattr(script, "processes", lambda: iter(seen))
        found: int | None = script.middle_run(by=1000)
        return found

    def test_the_run_of_middle_age_is_meant(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By its start, not by its number: numbers begin anew."""
        runs = (run(20, 500), run(31, 400), run(25, 300))
        assert self.middle(script, monkeypatch, INIT, SERVER, *runs) == 31

    def test_one_that_may_be_launching_still_is_left_alone(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its launch would be refused, which is another fault."""
        assert self.middle(script, monkeypatch, SERVER, run(31, 1001)) is None
        assert self.middle(script, monkeypatch, SERVER, run(31, 999)) == 31

    def test_nor_is_then_an_older_one_taken_that_may_be_ending(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.middle(script, monkeypatch, SERVER, run(20, 990), run(31, 1001)) is None

    def test_moments_are_counted_as_the_kernel_counts_them(self, script: ModuleType) -> None:
        (own,) = [each for each in script.processes() if each[0] == os.getpid()]
        age_s = time.time() - psutil.Process().create_time()
        assert script.ticks_ago(age_s + 60) < own[2] < script.ticks_ago(age_s - 60)

    def test_a_step_process_of_a_run_is_no_run(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        step = run(15, 300, parent=31)
        assert self.middle(script, monkeypatch, SERVER, step, run(31, 400)) == 31

    def test_the_resource_tracker_is_no_run(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tracker = (12, 7, 11, ["python", "-c", "from multiprocessing.resource_tracker …", ""])
        assert self.middle(script, monkeypatch, SERVER, tracker) is None

    def test_a_fork_that_still_looks_like_the_server_is_not_killed(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.middle(script, monkeypatch, SERVER, (9, 7, 20, SERVER_WORDS)) is None

    @pytest.mark.parametrize(
        "words",
        [["dagster", "api", "grpc-health-check", ""], ["api", ""], ["python", "api", "-m", "grpc"]],
    )
    def test_nobody_else_is_taken_for_the_server(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, words: list[str]
    ) -> None:
        assert self.middle(script, monkeypatch, (7, 1, 10, words), run(20, 500)) is None

    @pytest.fixture
    def clock(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Passing:
        clock = Passing()
        monkeypatch.setattr(script, "time", clock)
        monkeypatch.setattr(script, "os", clock)
        return clock

    def test_without_a_run_nothing_is_killed_and_that_is_said(
        self, script: ModuleType, clock: Passing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script, "processes", lambda: iter([SERVER]))
        with pytest.raises(SystemExit, match="no run process is there to be killed"):
            script.main()
        assert clock.killed == []

    def test_a_run_that_comes_while_it_waits_is_killed_when_it_runs_and_named(
        self,
        script: ModuleType,
        clock: Passing,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        came = run(20, 10_300)
        monkeypatch.setattr(
            script, "processes", lambda: iter([SERVER, came] if clock.now_s > 103 else [SERVER])
        )
        script.main()
        ((moment_s, *killed),) = clock.killed
        assert killed == [20, signal.SIGKILL]
        assert 105 <= moment_s < 106
        said = json.loads(capsys.readouterr().out)
        assert said == {"pid_inside": 20, "at_s": clock.EPOCH_S + moment_s}

    def test_where_none_ever_runs_for_long_a_young_one_is_killed(
        self, script: ModuleType, clock: Passing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def always_young() -> Iterator[Process]:
            return iter([SERVER, run(20, int(100 * clock.now_s) - 100)])

        monkeypatch.setattr(script, "processes", always_young)
        script.main()
        ((moment_s, *_),) = clock.killed
        assert moment_s >= 100 + script.PATIENCE_S

    def test_processes_are_read_as_the_kernel_writes_them(self, script: ModuleType) -> None:
        (own,) = [each for each in script.processes() if each[0] == os.getpid()]
        assert own[1] == os.getppid()
        assert own[2] > 0
        assert own[3] == [*psutil.Process().cmdline(), ""]


ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "eth1\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
)


def test_only_default_routes_through_a_gateway_are_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others come back with their link."""
    script = load("cut_network")
    monkeypatch.setattr(script.Path, "read_text", lambda _: ROUTES)
    assert script.default_gateways() == [bytes([172, 17, 0, 1])]
