"""The stacks device, with a `py-spy` command of our own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from device_parts import PATIENCE_S, SERVER, code_server_lookalike, endpoints

from harness.rig.protocols import Reading
from harness.rig.telemetry import stacks
from harness.rig.telemetry.py_spy import PySpy, find_command
from harness.rig.telemetry.sampler import CostLedger
from harness.rig.telemetry.stacks import ServerPid

pytestmark = pytest.mark.contract

DUMP = """[{"thread_name": "ThreadPoolExecutor-0_0", "active": false, "frames":
[{"name": "_worker", "filename": "/lib/concurrent/futures/thread.py", "line": 81}]}]"""


@pytest.fixture
def py_spy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], PySpy]:
    """Makes the `py-spy` on the path do what a shell line says, if it was asked as it should be."""
    command = tmp_path / "py-spy"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(line: str) -> PySpy:
        asked = '[ "$1 $2 $3 $4" = "dump --nonblocking --json --pid" ] && [ "$5" -gt 0 ] || exit 9'
        command.write_text(f"#!/bin/sh\n{asked}\n{line}\n", encoding="utf-8")
        command.chmod(0o755)
        assert find_command() == str(command)
        return PySpy(str(command))

    return make


def test_a_stacks_device_reads_its_server_and_nothing_after_it_ended(
    py_spy: Callable[[str], PySpy],
) -> None:
    py_spy(f"echo '{DUMP}'")
    with code_server_lookalike() as process:
        device = stacks.offer(endpoints(pid=process.pid), CostLedger())
        assert device is not None
        alive = device.read().values
        process.kill()
        process.wait()
        ended = device.read()
    assert (alive[SERVER, "idle"], alive[SERVER, "dump_failed"]) == (1, 0)
    assert ended == Reading()
    device.close()
    device.close()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("echo 'Permission Denied: Try running again' >&2; exit 1", False),
        ("echo 'Error: Failed to find python version' >&2; exit 1", True),
    ],
)
def test_stacks_are_offered_unless_py_spy_may_not_look(
    py_spy: Callable[[str], PySpy], line: str, offered: bool
) -> None:
    py_spy(line)
    with code_server_lookalike() as process:
        device = stacks.offer(endpoints(pid=process.pid), CostLedger())
        assert (device is not None) is offered
        if device is not None:
            assert device.read().values == {(SERVER, "dump_failed"): 1}


def test_a_command_this_machine_cannot_run_offers_no_stacks(
    py_spy: Callable[[str], PySpy], tmp_path: Path
) -> None:
    py_spy("")
    (tmp_path / "py-spy").write_bytes(b"\x7fELF, but of no machine")
    with code_server_lookalike() as process:
        assert stacks.offer(endpoints(pid=process.pid), CostLedger()) is None


def test_a_dump_brings_its_text_and_its_own_bill(py_spy: Callable[[str], PySpy]) -> None:
    burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
    dump = py_spy(f"{burn}; echo '[]'")(7, PATIENCE_S)
    assert (dump.text.strip(), dump.problem) == ("[]", "")
    assert 0 < dump.cpu_s < PATIENCE_S


def test_a_failed_dump_brings_what_was_said_and_no_text(py_spy: Callable[[str], PySpy]) -> None:
    dump = py_spy("echo '[]'; echo 'Error: it moved' >&2; exit 1")(7, PATIENCE_S)
    assert (dump.text, dump.problem) == ("", "Error: it moved")


def test_a_dump_that_says_nothing_names_its_exit_code(py_spy: Callable[[str], PySpy]) -> None:
    assert py_spy("exit 3")(7, PATIENCE_S).problem == "exit code 3"


def test_a_dump_that_hangs_is_given_up(py_spy: Callable[[str], PySpy]) -> None:
    assert py_spy("exec sleep 1000")(7, 0.05).problem == "exit code -9"


def test_closing_ends_a_dump_under_way_and_starts_no_other(
    py_spy: Callable[[str], PySpy], tmp_path: Path
) -> None:
    started = tmp_path / "started"
    spy = py_spy(f"touch {started}; exec sleep 1000")
    with ThreadPoolExecutor(1) as pool:
        dump = pool.submit(spy, 7, 1000.0)
        until_s = time.monotonic() + PATIENCE_S
        while not started.exists():
            assert time.monotonic() < until_s
        spy.close()
        assert dump.result(PATIENCE_S).problem == "exit code -9"
    started.unlink()
    assert spy(7, 1000.0).problem == "closed"
    assert not started.exists()


def test_the_server_is_found_below_an_init_and_lost_when_it_ends() -> None:
    code = "import threading; print(flush=True); threading.Event().wait(60)"
    inner = f"{sys.executable} -c '{code}' api grpc & echo $!; wait"
    with subprocess.Popen(["sh", "-c", inner], stdout=subprocess.PIPE) as init:
        assert init.stdout is not None
        lines = {init.stdout.readline().strip(), init.stdout.readline().strip()}
        (pid,) = (int(line) for line in lines if line)
        server = ServerPid(init.pid)
        assert server() == pid
        assert server() == pid
        os.kill(pid, signal.SIGKILL)
        init.wait()
        assert server() is None
