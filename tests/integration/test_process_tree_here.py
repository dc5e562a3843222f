"""Memory of server, runs and steps, told apart in a tree of real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.rig.telemetry.processes import ServerTree

pytestmark = pytest.mark.integration

SERVER = """
import multiprocessing
import time

SPAWN = multiprocessing.get_context("spawn")


def step(told):
    ballast = bytearray(60 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    told.put("step")
    time.sleep(600)


def run(told, with_step):
    if with_step:
        SPAWN.Process(target=step, args=(told,), daemon=True).start()
    told.put("run")
    time.sleep(600)


if __name__ == "__main__":
    told = SPAWN.Queue()
    for with_step in (True, False):
        SPAWN.Process(target=run, args=(told, with_step)).start()
    for _ in range(3):
        told.get()
    print("ready", flush=True)
    time.sleep(600)
"""
MIB = 2**20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A stand-in for a code server with two runs, one of which has a step of 60 MiB."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    command = [sys.executable, str(script), "api", "grpc"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            root = psutil.Process(process.pid)
            for each in [root, *root.children(recursive=True)]:
                each.kill()


def test_steps_are_told_apart_and_stay_a_part_of_their_runs(
    server: subprocess.Popen[str],
) -> None:
    values = ServerTree(server.pid).look()
    assert (values["resident_runs"], values["steps"]) == (2.0, 1.0)
    for measure in ("rss", "pss"):
        steps, runs = values[f"steps_{measure}_bytes"], values[f"runs_{measure}_bytes"]
        assert 60 * MIB < steps < runs
        assert values[f"server_{measure}_bytes"] > 0


def test_pss_is_told_of_steps_when_it_is_told_of_runs(server: subprocess.Popen[str]) -> None:
    tree = ServerTree(server.pid)
    looks = [tree.look() for _ in range(6)]
    told = [{key for key in look if key.endswith("_pss_bytes")} for look in looks]
    every = {"server_pss_bytes", "runs_pss_bytes", "steps_pss_bytes"}
    assert told == [every, set(), set(), set(), set(), every]
    assert all("steps_rss_bytes" in look for look in looks)
