"""The server the I/O workloads wait on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import importlib.util
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "compose" / "upstream" / "server.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("upstream_server", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


server = _load()


def answer(target: str) -> tuple[Any, list[float]]:
    """The server's answer in simulated time, and the waits it asked for."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return asyncio.run(server.answer(target, sleep=sleep)), waits


@contextlib.contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The server as a child process: the process, its first line, its port."""
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        yield child, line, int(line.rpartition(":")[2])
    finally:
        child.kill()
        child.communicate()


@pytest.mark.unit
@pytest.mark.parametrize("seconds", ["0", "1.0", "0.25", "30"])
def test_wait_answers_after_the_seconds_asked_for(seconds: str) -> None:
    reply, waits = answer(f"/wait?s={seconds}")
    assert reply.status == 200
    assert waits == [float(seconds)]


@pytest.mark.unit
def test_health_answers_without_waiting() -> None:
    reply, waits = answer("/health")
    assert (reply.status, waits) == (200, [])


@pytest.mark.unit
@pytest.mark.parametrize("count", [0, 1, 999, 1000, 2500])
def test_data_is_the_asked_number_of_json_lines_and_always_the_same(count: int) -> None:
    first, waits = answer(f"/data?records={count}&s=2")
    again, _ = answer(f"/data?records={count}&s=2")
    body = b"".join(first.blocks)
    records = [json.loads(line) for line in body.splitlines()]
    assert [record["id"] for record in records] == list(range(count))
    assert body == b"".join(again.blocks)
    assert waits == [2.0]


@pytest.mark.unit
def test_a_longer_answer_begins_with_the_shorter_one() -> None:
    short, _ = answer("/data?records=1500")
    longer, _ = answer("/data?records=3000")
    assert b"".join(longer.blocks).startswith(b"".join(short.blocks))


@pytest.mark.unit
@pytest.mark.parametrize(
    "target",
    [
        "/wait?s=-1",
        "/wait?s=30.01",
        "/wait?s=nan",
        "/wait?s=inf",
        "/wait?s=soon",
        "/wait?s=",
        "/data",
        "/data?records=-1",
        "/data?records=1.5",
        "/data?records=200001",
        "/data?records=9999999999999999999999",
        "/data?records=²",
        "/data?records=10&s=31",
    ],
)
def test_a_value_that_is_no_number_or_beyond_its_cap_is_refused_not_shortened(target: str) -> None:
    with pytest.raises(server.BadRequestError) as caught:
        answer(target)
    assert caught.value.status == 400


@pytest.mark.unit
def test_an_unknown_path_is_not_found() -> None:
    with pytest.raises(server.BadRequestError) as caught:
        answer("/elsewhere")
    assert caught.value.status == 404


@pytest.mark.unit
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /wait HTTP/1.1\r\n\r\n", 405),
    ],
)
def test_a_head_it_cannot_serve_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(server.BadRequestError) as caught:
        server.parse_head(head)
    assert caught.value.status == status


@pytest.mark.unit
@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_stays_open_as_the_protocol_version_says(
    head: bytes, keep_alive: bool
) -> None:
    assert server.parse_head(head).keep_alive is keep_alive


@pytest.mark.integration
def test_the_first_line_names_the_chosen_port_and_one_connection_serves_many_requests() -> None:
    with running() as (_, line, port):
        assert line == f"listening on 127.0.0.1:{port}\n"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        only_socket = connection.sock
        statuses = []
        for target in ("/health", "/wait?s=31", "/wait?s=0.01", "/data?records=2500"):
            connection.request("GET", target)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            assert connection.sock is only_socket
        connection.close()
    assert statuses == [200, 400, 200, 200]


@pytest.mark.integration
def test_a_thousand_connections_wait_side_by_side() -> None:
    async def one(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /wait?s=2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        reply = await reader.read()
        writer.close()
        return reply[:15]

    async def all_of_them(port: int) -> list[bytes]:
        # One after the other they would take over half an hour.
        return await asyncio.wait_for(asyncio.gather(*(one(port) for _ in range(1000))), 60)

    server._allow_many_connections()  # this process opens as many sockets as the server
    with running() as (_, _, port):
        replies = asyncio.run(all_of_them(port))
    assert replies == [b"HTTP/1.1 200 OK"] * 1000


@pytest.mark.integration
def test_sigterm_ends_it_at_once_although_clients_wait() -> None:
    with (
        running() as (child, _, port),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"GET /health HTTP/1.1\r\n\r\nGET /wait?s=30 HTTP/1.1\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"  # so the wait is next in its buffer
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=10) == 0  # the wait has 20 s more to go


@pytest.mark.integration
def test_an_endless_head_is_refused() -> None:
    with (
        running() as (_, _, port),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert client.recv(12) == b"HTTP/1.1 400"
