"""The scripts of compose/faults really break things and give back, in namespaces of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

PYTHON = sys.executable
SCRIPTS = Path(__file__).parents[2] / "compose" / "faults"
PATIENCE_S = 60


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone afterwards."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def run(*command: str) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    ).stdout


def need(*command: str) -> None:
    """Leave the test out where such a namespace cannot be made."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no `{command[0]}` here")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if done.returncode:
        pytest.skip(f"`{' '.join(command[:2])}`: {done.stderr.strip()[:200]}")


class TestFillDisk:
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Path:
        """Where a file system of 1 MiB is mounted for those inside."""
        need("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path))
        return tmp_path

    def filling(self, disk: Path, seconds: str) -> list[str]:
        mount = f"mount -t tmpfs -o size=1m tmpfs {disk} && "
        script = f'exec {PYTHON} {SCRIPTS / "fill_disk.py"} "$0" "$1"'
        return ["unshare", "--mount", "sh", "-c", mount + script, str(disk), seconds]

    def test_no_byte_finds_room_until_it_is_asked_to_give_back(self, disk: Path) -> None:
        with started(*self.filling(disk, "600")) as process:
            assert json.loads(line_of(process))["bytes"] == 1 << 20
            inside = Path(f"/proc/{process.pid}/root{disk}")
            assert os.statvfs(inside).f_bavail == 0
            with pytest.raises(OSError, match="No space left"):
                (inside / "file").write_bytes(b"x")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert list(disk.iterdir()) == []

    def test_it_gives_back_by_itself_after_its_time(self, disk: Path) -> None:
        script = self.filling(disk, "0.1")[4]
        after = script.replace("exec ", "") + " && ls -A " + str(disk)
        with started("unshare", "--mount", "sh", "-c", after, str(disk), "0.1") as process:
            said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        (line,) = said.splitlines()  # and no file is left behind
        assert json.loads(line)["bytes"] == 1 << 20

    def test_one_that_fails_after_it_has_filled_gives_back_and_ends_with_1(
        self, disk: Path
    ) -> None:
        script = self.filling(disk, "no number")[4].replace("exec ", "")
        after = f"{script}; code=$?; ls -A {disk}; exit $code"
        with started("unshare", "--mount", "sh", "-c", after, str(disk), "no number") as process:
            said, complained = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1, complained
        assert len(said.splitlines()) == 1  # what it filled, and no file


class TestCutNetwork:
    @pytest.fixture
    def inside(self) -> Iterator[list[str]]:
        """A network with a default route; the words to run a command in it."""
        need("unshare", "--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        made = (
            "ip link add v0 type veth peer name v1 && ip address add 10.77.0.2/24 dev v0 && "
            "ip link set v0 up && ip link set v1 up && ip route add default via 10.77.0.1 && "
            "echo made && exec sleep 600"
        )
        with started("unshare", "--net", "sh", "-c", made) as holder:
            assert line_of(holder) == "made"
            yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]

    def links(self, inside: list[str]) -> set[str]:
        """Links that are up."""
        shown = json.loads(run(*inside, "ip", "-json", "link", "show", "up"))
        return {link["ifname"] for link in shown if link}

    def routes(self, inside: list[str]) -> set[tuple[str, str]]:
        shown = json.loads(run(*inside, "ip", "-json", "route", "show"))
        return {(route["dst"], route.get("gateway", "")) for route in shown}

    def test_links_and_routes_are_gone_until_it_is_asked_to_give_back(
        self, inside: list[str]
    ) -> None:
        before = self.routes(inside)
        assert ("default", "10.77.0.1") in before
        with started(*inside, PYTHON, str(SCRIPTS / "cut_network.py"), "600") as process:
            assert set(json.loads(line_of(process))["interfaces"].split()) == {"v0", "v1"}
            assert self.links(inside) == set()
            assert self.routes(inside) == set()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert self.links(inside) == {"v0", "v1"}
        assert self.routes(inside) == before

    def test_it_gives_back_by_itself_after_its_time(self, inside: list[str]) -> None:
        before = self.routes(inside)
        run(*inside, PYTHON, str(SCRIPTS / "cut_network.py"), "0.1")
        assert (self.links(inside), self.routes(inside)) == ({"v0", "v1"}, before)

    def test_one_that_fails_after_it_has_cut_gives_back_and_ends_with_1(
        self, inside: list[str]
    ) -> None:
        before = self.routes(inside)
        command = [*inside, PYTHON, str(SCRIPTS / "cut_network.py"), "no number"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
        assert done.returncode == 1
        assert b"interfaces" in done.stdout
        assert (self.links(inside), self.routes(inside)) == ({"v0", "v1"}, before)

    def test_one_that_cannot_give_back_ends_with_3(self, inside: list[str]) -> None:
        with started(*inside, PYTHON, str(SCRIPTS / "cut_network.py"), "600") as process:
            assert "interfaces" in line_of(process)
            run(*inside, "ip", "link", "delete", "v0")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 3


LOOKS_LIKE_A_SERVER = """
import subprocess, sys, time
def run(): return subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)", "--multiprocessing-fork"])
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
first, second, third = run(), run(), run()
time.sleep(2.5)  # until none counts as launching any more
print(second.pid, flush=True)
print(second.wait(), first.poll(), third.poll(), other.poll(), flush=True)
first.wait()  # with the first process of a PID namespace all others end
"""


class TestKillRun:
    def test_it_kills_the_run_of_middle_age_and_nothing_else(self) -> None:
        need("unshare", "--pid", "--fork", "--mount-proc", "true")
        server = [PYTHON, "-c", LOOKS_LIKE_A_SERVER, "api", "grpc"]
        with started(
            "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *server
        ) as outer:
            middle = line_of(outer)
            (init,) = psutil.Process(outer.pid).children()
            enter = ["nsenter", f"--target={init.pid}", "--pid", "--mount"]
            before_s = time.time()
            said = json.loads(run(*enter, PYTHON, str(SCRIPTS / "kill_run.py")))
            assert said["pid_inside"] == int(middle)
            assert before_s <= said["at_s"] <= time.time()
            assert line_of(outer) == "-9 None None None"
