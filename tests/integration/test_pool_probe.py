"""The pool probe inside real processes: a Dagster code server, and everything that is none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.facts.model import Limits
from harness.rig.code_server_rpc import CodeServerClient
from harness.rig.protocols import Replica
from harness.rig.telemetry.pool import PoolDevice
from harness.rig.telemetry.processes import ServerTree

pytestmark = pytest.mark.integration

PATIENCE_S = 60.0
WORKERS = 3

# Importing this starts what a run is: a spawned child, which tells which threads it has.
DEFINITIONS = """
import multiprocessing
from dagster import Definitions

LOOK = "import pathlib, threading; pathlib.Path({told!r}).write_text("
LOOK += "' '.join(thread.name for thread in threading.enumerate())); threading.Event().wait(120)"
child = multiprocessing.get_context("spawn").Process(target=exec, args=(LOOK,), daemon=True)
child.start()
defs = Definitions()
"""

# The part of a code server that matters to the probe, with a pool that is held on purpose.
HELD_SERVER = """
import sys, threading, types
from concurrent.futures import ThreadPoolExecutor
import grpc

sys.modules["dagster._grpc.server"] = types.ModuleType("dagster._grpc.server")
held = threading.Event()


def hold(request, context):
    held.wait(60)
    return b""


handler = grpc.unary_unary_rpc_method_handler(hold)
server = grpc.server(ThreadPoolExecutor(2))
service = grpc.method_handlers_generic_handler("api.DagsterApi", {"GetServerId": handler})
server.add_generic_rpc_handlers((service,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.readline()
held.set()
sys.stdin.readline()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A real `dagster api grpc` with the probe inside."""

    replica: Replica
    threads_of_a_spawned_child: Path


@pytest.fixture(scope="module")
def probe_folder() -> Path:
    return Path(__file__).resolve().parents[2] / "compose" / "probe"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, probe_folder: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    told, lines, port = folder / "threads", folder / "pool.jsonl", _free_port()
    definitions = folder / "definitions.py"
    definitions.write_text(DEFINITIONS.replace("{told!r}", repr(str(told))))
    command = [sys.executable, "-m", "dagster", "api", "grpc", "-f", str(definitions)]
    command += ["-h", "127.0.0.1", "-p", str(port), "-n", str(WORKERS), "--enable-metrics"]
    environment = _environment(probe_folder, POOL_PROBE=str(lines), DAGSTER_HOME=str(folder))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        yield Serving(
            replica=Replica(
                name="server", pid=process.pid, grpc_address=f"127.0.0.1:{port}",
                limits=Limits(cpu_cores=None, memory_bytes=None), pool_path=lines,
            ),
            threads_of_a_spawned_child=told,
        )  # fmt: skip
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def client(serving: Serving) -> Iterator[CodeServerClient]:
    client = CodeServerClient(serving.replica.grpc_address)
    _wait_for(lambda: _answers(client))
    yield client
    client.close()


def test_a_real_server_tells_its_identity_and_its_pool(client: CodeServerClient) -> None:
    assert client.server_id(10.0) == client.server_id(10.0) != ""

    def told() -> tuple[int | None, ...]:
        heard = client.ping(30.0)
        # What it tells of its container depends on where these tests run.
        return heard.max_workers, heard.running, heard.queued

    # A request that was answered may be counted a moment longer.
    _wait_for(lambda: told() == (WORKERS, 1, 0))


@pytest.mark.usefixtures("client")
def test_lines_arrive_with_the_servers_own_worker_count(serving: Serving) -> None:
    path = serving.replica.pool_path
    assert path is not None
    device = PoolDevice({"server": path})
    found: dict[str, list[float]] = {}

    def enough() -> bool:
        for _, _, key, value in device.read().stamped:
            found.setdefault(key, []).append(value)
        return len(found.get("pool_max", ())) >= 5

    _wait_for(enough)
    assert set(found["pool_max"]) == {float(WORKERS)}
    assert all(0 <= busy <= WORKERS for busy in found["pool_busy"])
    assert set(found["executions"]) == {0.0}


@pytest.mark.usefixtures("client")
def test_a_process_the_server_spawns_starts_no_probe(serving: Serving) -> None:
    told = serving.threads_of_a_spawned_child
    _wait_for(lambda: told.exists() and told.read_text() != "")
    assert told.read_text().split() == ["MainThread"]


@pytest.mark.usefixtures("client")
def test_the_process_tree_tells_the_server_from_what_it_spawned(serving: Serving) -> None:
    _wait_for(serving.threads_of_a_spawned_child.exists)
    assert serving.replica.pid is not None
    values = ServerTree(serving.replica.pid).look()
    assert (values["resident_runs"], values["steps"]) == (1.0, 0.0)
    assert values["server_rss_bytes"] > values["runs_rss_bytes"] > 0
    assert 0 < values["runs_pss_bytes"] < values["runs_rss_bytes"]
    assert values["server_threads"] > 1
    assert values["server_fds"] > 2


def test_a_held_pool_shows_who_is_busy_and_who_waits(tmp_path: Path, probe_folder: Path) -> None:
    script, lines = tmp_path / "held.py", tmp_path / "pool.jsonl"
    script.write_text(HELD_SERVER)
    process = subprocess.Popen(
        [sys.executable, str(script), "api", "grpc"],
        env=_environment(probe_folder, POOL_PROBE=str(lines), POOL_PROBE_HZ="20"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        client = CodeServerClient(f"127.0.0.1:{process.stdout.readline().strip()}")
        calls = [client.ask_server_id(60.0) for _ in range(5)]
        _wait_for(lambda: _last(lines).get("queue") == 3)
        assert _last(lines)["busy"] == 2
        process.stdin.write("\n")
        process.stdin.flush()
        # The pool's own count of idle threads is wrong from here on, before Python 3.12.
        assert [call.result() for call in calls] == [""] * 5
        _wait_for(lambda: _last(lines).get("busy") == 0)
        assert _last(lines)["threads"] == 2
        client.close()
        process.kill()


@pytest.mark.parametrize(
    ("arguments", "destination"),
    [
        (["api", "grpc"], ""),
        (["api", "grpc-health-check"], "stderr"),
        (["--multiprocessing-fork", "api", "grpc"], "stderr"),
        (["job", "launch"], "stderr"),
    ],
)
def test_no_thread_starts_where_it_is_not_wanted(
    probe_folder: Path, arguments: list[str], destination: str
) -> None:
    assert _threads(probe_folder, arguments, POOL_PROBE=destination) == ["MainThread"]


def test_one_thread_starts_in_a_code_server(probe_folder: Path) -> None:
    threads = _threads(probe_folder, ["api", "grpc"], POOL_PROBE="stderr")
    assert threads == ["MainThread", "pool-probe"]


def test_a_probe_that_cannot_write_its_file_says_so_and_the_process_goes_on(
    probe_folder: Path, tmp_path: Path
) -> None:
    done = _python(
        probe_folder,
        "import threading\nfor each in threading.enumerate():\n"
        "    if each.name == 'pool-probe': each.join(30)\nprint('alive')",
        ["api", "grpc"],
        POOL_PROBE=str(tmp_path / "nowhere" / "pool.jsonl"),
    )
    assert (done.returncode, done.stdout) == (0, "alive\n")
    assert done.stderr.startswith('@pool_probe {"probe":"pool","error":"FileNotFoundError')


@pytest.mark.parametrize("destination", ["", "stderr"])
def test_another_sitecustomize_on_the_path_still_runs(
    probe_folder: Path, tmp_path: Path, destination: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.hidden = __file__\n")
    done = _python(
        probe_folder,
        "import sitecustomize, sys; print(sys.hidden == sitecustomize.__file__, sys.hidden)",
        ["api", "grpc"],
        POOL_PROBE=destination,
        PYTHONPATH=os.pathsep.join([str(probe_folder), str(tmp_path)]),
    )
    assert done.stdout == f"True {tmp_path / 'sitecustomize.py'}\n"


def test_a_pool_that_has_worked_can_be_found_without_grpcs_thread(probe_folder: Path) -> None:
    code = """
    import sitecustomize
    from concurrent.futures import ThreadPoolExecutor
    class FuturesAwareThreadPoolExecutor(ThreadPoolExecutor): pass
    pool = FuturesAwareThreadPoolExecutor(1)
    before = sitecustomize._pool_on_the_heap()
    pool.submit(print, "working").result()
    print(before, sitecustomize._pool_on_the_heap() is pool)
    """
    assert _python(probe_folder, code, []).stdout == "working\nNone True\n"


def test_the_probe_speaks_python_3_8(probe_folder: Path) -> None:
    import ast

    source = (probe_folder / "sitecustomize.py").read_text()
    assert ast.parse(source, feature_version=(3, 8)).body


def _threads(probe_folder: Path, arguments: list[str], **variables: str) -> list[str]:
    code = "import threading; print(*[t.name for t in threading.enumerate()])"
    return _python(probe_folder, code, arguments, **variables).stdout.split()


def _python(
    probe_folder: Path, code: str, arguments: list[str], **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=_environment(probe_folder, **variables),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def _environment(probe_folder: Path, **variables: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(probe_folder),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        **variables,
    }


def _last(lines: Path) -> Mapping[str, Any]:
    whole = lines.read_text().splitlines() if lines.exists() else []
    found: Mapping[str, Any] = json.loads(whole[-1]) if whole else {}
    return found


def _answers(client: CodeServerClient) -> bool:
    try:
        return bool(client.server_id(5.0))
    except Exception:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < until_s, "it never happened"
        pause.wait(0.1)
