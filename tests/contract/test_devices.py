"""What every device promises, whatever it reads; and the probes against a real gRPC server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.cgroup.create import CgroupBox
from harness.rig.code_server_rpc import SERVICE, CallError, CodeServerClient, PingMetrics, messages
from harness.rig.protocols import Device, Endpoints, Reading, Replica, Watched
from harness.rig.telemetry import cgroup, ping, pool, probe, processes, stacks, support
from harness.rig.telemetry.cgroup import Readers
from harness.rig.telemetry.py_spy import PySpy, find_command
from harness.rig.telemetry.registry import DEVICES, build
from harness.rig.telemetry.sampler import CostLedger
from harness.rig.telemetry.stacks import ServerPid
from harness.rig.telemetry.suite import TelemetrySuite

pytestmark = pytest.mark.contract

NO_LIMITS = Limits(cpu_cores=None, memory_bytes=None)
PATIENCE_S = 30.0
SERVER = "server-1"
METRICS = {
    "request_utilization": {
        "max_concurrent_requests": 2,
        "num_running_requests": 1,
        "num_queued_requests": 0,
    }
}


@dataclass
class Servicer:
    """Answers as a code server does; `hold` keeps its worker threads until released."""

    metrics: dict[str, Any] | None = field(default_factory=lambda: dict(METRICS))
    free: threading.Event = field(default_factory=threading.Event)

    def ping(self, request: Any, _: Any) -> Any:
        told = "" if self.metrics is None else json.dumps(self.metrics)
        return messages()["PingReply"](
            echo=request.echo, serialized_server_utilization_metrics=told
        )

    def server_id(self, _: Any, __: Any) -> Any:
        self.free.wait(PATIENCE_S)
        return messages()["GetServerIdReply"](server_id="the-server")


@contextmanager
def serving(servicer: Servicer, port: int = 0) -> Iterator[str]:
    """A gRPC server with two worker threads; gives its address."""
    known = messages()
    methods = {
        "Ping": (servicer.ping, known["PingRequest"]),
        "GetServerId": (servicer.server_id, known["Empty"]),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=request.FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )
        for name, (answer, request) in methods.items()
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        servicer.free.set()
        server.stop(None).wait()


def endpoints(
    *, pid: int | None = None, address: str = "127.0.0.1:1", pool_path: Path | None = None
) -> Endpoints:
    return Endpoints(
        webserver_url="",
        location="",
        database_dsn=None,
        replicas=(
            Replica(
                name=SERVER, pid=pid, cgroup_pid=pid, grpc_address=address, limits=NO_LIMITS,
                pool_path=pool_path,
            ),
        ),
        support=(Watched(name="helper", pid=pid),),
    )  # fmt: skip


@contextmanager
def code_server_lookalike(box: CgroupBox | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose command line is a code server's, started inside `box`."""
    code = "import threading; print(flush=True); threading.Event().wait(60)"
    command = [sys.executable, "-c", code, "api", "grpc"]
    if box is not None:
        command = box.wrap(command)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def boxed() -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """A process in a cgroup of its own, and how to end both."""
    try:
        box = CgroupBox.create(f"devices-{time.time_ns()}", NO_LIMITS)
    except EnvironmentProblem as problem:
        pytest.skip(f"no cgroup can be made here: {problem.evidence}")
    with box, code_server_lookalike(box) as process:

        def end() -> None:
            process.kill()
            process.wait()
            box.remove()

        yield process, end


# The registry


def test_device_names_are_unique() -> None:
    names = [cost.name for cost in DEVICES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cost", DEVICES, ids=lambda cost: cost.name)
def test_every_device_states_what_it_reads_how_often_and_at_what_cost(cost: Any) -> None:
    assert cost.reads.strip()
    assert cost.cost.strip()
    assert 0 < cost.rate_hz <= 10


def test_every_device_built_is_in_the_registry_and_closes_twice() -> None:
    with code_server_lookalike() as process:
        devices = build(endpoints(pid=process.pid))
        assert {device.cost for device in devices} <= set(DEVICES)
        for device in devices:
            device.close()
            device.close()


# What has ended says nothing


@pytest.mark.parametrize("offer", [processes.offer, lambda e: support.offer(e, Readers())])
def test_a_process_device_reads_its_process_and_nothing_after_it_ended(
    offer: Callable[[Endpoints], Device | None],
) -> None:
    with code_server_lookalike() as process:
        device = offer(endpoints(pid=process.pid))
        assert device is not None
        alive = device.read().values
        process.kill()
        process.wait()
        ended = device.read()
    assert any(key == "rss_bytes" or key.endswith("_rss_bytes") for _, key in alive)
    assert all(value >= 0 for value in alive.values())
    assert ended == Reading()


def test_a_cgroup_device_reads_its_cgroup_and_nothing_after_it_ended(
    boxed: tuple[subprocess.Popen[bytes], Callable[[], None]],
) -> None:
    process, end = boxed
    readers = Readers()
    device = cgroup.offer(endpoints(pid=process.pid), readers)
    assert device is not None
    alive = device.read().values
    end()
    ended = device.read()
    readers.close()
    assert alive[SERVER, "usage_bytes"] > 0
    assert alive[SERVER, "cpu_s"] >= 0
    assert alive[SERVER, "oom_kills"] == 0
    assert ended == Reading()


def test_the_kernels_peak_of_a_real_cgroup_is_known_to_a_suite_without_devices(
    boxed: tuple[subprocess.Popen[bytes], Callable[[], None]],
) -> None:
    process, _ = boxed
    suite = TelemetrySuite(())
    suite.start(endpoints(pid=process.pid))
    suite.begin_step()
    peak_bytes, source = suite.peak_bytes()
    suite.stop()
    if source == "":
        pytest.skip("this kernel cannot reset the peak")
    assert peak_bytes is not None
    assert peak_bytes > 0
    assert source == "kernel"


def test_a_pool_device_whose_file_is_gone_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    device = pool.offer(endpoints(pool_path=path))
    assert device is not None
    line = {"probe": "pool", "t": time.time() + 1, "queue": 1}
    path.write_text(json.dumps(line) + "\n")
    assert [key for _, _, key, _ in device.read().stamped] == ["pool_queue"]
    path.unlink()
    assert device.read() == Reading()


@pytest.mark.parametrize("offer", [probe.offer, ping.offer])
def test_a_closed_probe_says_nothing(offer: Callable[[Endpoints], Device | None]) -> None:
    with serving(Servicer()) as address:
        device = offer(endpoints(address=address))
        assert device is not None
        device.close()
        assert device.read() == Reading()


# The stacks, with a `py-spy` command of our own

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


# Against a real gRPC server


def test_a_probe_of_a_serving_server_is_answered() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        told = _read_once(probe.offer(endpoints(address=address)))
    assert told["probe_lost"] == 0.0
    assert 0 < told["probe_s"] < probe.DEADLINE_S


def test_a_probe_of_nobody_is_lost() -> None:
    told = _read_once(probe.offer(endpoints(address="127.0.0.1:1")))
    assert told == {"probe_lost": 1.0}


def test_a_probe_waiting_for_a_held_pool_is_skipped_over_then_answered() -> None:
    servicer = Servicer()
    with serving(servicer) as address:
        device = probe.offer(endpoints(address=address))
        assert device is not None
        assert device.read() == Reading()
        servicer.free.set()
        told = _read_until_stamped(device)
        device.close()
    assert told["probe_lost"] == 0.0
    assert told["probe_s"] > 0.5  # it waited while the first read did


def test_a_ping_reads_the_servers_metrics() -> None:
    with serving(Servicer()) as address:
        told = _read_once(ping.offer(endpoints(address=address)))
    assert (told["ping_queued"], told["ping_running"], told["ping_max"]) == (0, 1, 2)
    assert told["ping_answered_s"] >= told["ping_asked_s"]


def test_a_server_without_metrics_is_still_pinged() -> None:
    with serving(Servicer(metrics=None)) as address:
        told = _read_once(ping.offer(endpoints(address=address)))
    assert set(told) == {"ping_failed", "ping_s", "ping_asked_s", "ping_answered_s"}


def test_a_client_asks_and_is_answered() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        client = CodeServerClient(address)
        assert client.server_id(5.0) == "the-server"
        assert client.ping(5.0) == PingMetrics(max_workers=2, running=1, queued=0)
        client.close()


def test_a_deadline_that_passes_is_named() -> None:
    with serving(Servicer()) as address:
        client = CodeServerClient(address)
        with pytest.raises(CallError) as lost:
            client.server_id(0.1)
        client.close()
    assert lost.value.code == "DEADLINE_EXCEEDED"


def test_closing_a_client_ends_what_it_still_asks() -> None:
    with serving(Servicer()) as address:
        client = CodeServerClient(address)
        call = client.ask_server_id(PATIENCE_S)
        ended = threading.Event()
        call.on_done(ended.set)
        client.close()
        assert ended.wait(5.0)
        with pytest.raises(CallError, match="CANCELLED"):
            call.result()


def test_a_client_finds_its_server_again_after_a_restart() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        client = CodeServerClient(address)
        client.server_id(5.0)
    with pytest.raises(CallError, match="UNAVAILABLE"):
        client.server_id(0.5)
    port = int(address.rpartition(":")[2])
    with serving(servicer, port):
        until_s = time.monotonic() + PATIENCE_S
        while not _answers(client):
            assert time.monotonic() < until_s
    client.close()


def _answers(client: CodeServerClient) -> bool:
    try:
        return client.server_id(1.0) == "the-server"
    except CallError:
        return False


def _read_once(device: Device | None) -> dict[str, float]:
    assert device is not None
    told = _read_until_stamped(device)
    device.close()
    return told


def _read_until_stamped(device: Device) -> dict[str, float]:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        reading = device.read()
        if reading.stamped:
            assert {source for _, source, _, _ in reading.stamped} == {SERVER}
            return {key: value for _, _, key, value in reading.stamped}
    raise AssertionError("never answered")
