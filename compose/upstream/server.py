"""What the I/O workloads wait on: a small asynchronous HTTP/1.1 server.

One event loop, standard library only, so that a thousand waiting connections cost next to no
CPU and the waiting is real socket I/O for the code server under test.

    GET /wait?s=F            200 after F seconds (0 to 30)
    GET /data?records=N&s=F  200 after F seconds: N JSON lines (0 to 200,000), always the same
    GET /health              200 at once

Everything else is an error with one line of text: 400 bad input, 404, 405. A value above its
cap is bad input, never shortened: a shorter wait than asked for would be a wrong measurement.
`python server.py --host H --port P` prints `listening on H:P` as its first line once it
serves (`--port 0` lets the system choose) and ends at once on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import resource
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

MAX_WAIT_S = 30.0
MAX_RECORDS = 200_000
GROUPS = ("north", "east", "south", "west")

_BLOCK_RECORDS = 1_000
_HEAD_LIMIT_BYTES = 16 * 1024
_BACKLOG = 2_048
_OPEN_FILES = 16_384

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}

Sleep = Callable[[float], Awaitable[None]]


class BadRequestError(Exception):
    """The client asked for something this server does not do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """The part of a request that matters here."""

    target: str
    keep_alive: bool


@dataclass(frozen=True)
class Answer:
    """A complete response; `blocks` are the body, in order."""

    status: int
    content_type: str
    blocks: tuple[bytes, ...]

    def head(self, *, keep_alive: bool) -> bytes:
        """Status line and header fields, ending in the empty line."""
        lines = (
            f"HTTP/1.1 {self.status} {_REASONS[self.status]}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {sum(map(len, self.blocks))}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def parse_head(head: bytes) -> Request:
    """Read a request's head, up to and including its empty line.

    Raises:
        BadRequestError: not HTTP/1.x, not a GET, or a GET with a body.
    """
    request_line, *field_lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.0", "HTTP/1.1"):
        raise BadRequestError(400, "not an HTTP/1.1 request")
    method, target, version = parts
    fields: dict[str, str] = {}
    for line in field_lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequestError(400, f"malformed header field {line!r}")
        fields[name.lower()] = value.strip()
    if method != "GET":
        raise BadRequestError(405, f"{method} is not supported, only GET")
    if "transfer-encoding" in fields or fields.get("content-length", "0") != "0":
        raise BadRequestError(400, "a GET must not carry a body")
    asked = fields.get("connection", "").lower()
    keep_alive = asked != "close" if version == "HTTP/1.1" else asked == "keep-alive"
    return Request(target=target, keep_alive=keep_alive)


def _seconds(query: dict[str, list[str]]) -> float:
    text = query.get("s", ["0"])[-1]
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT_S:  # also refuses nan
        raise BadRequestError(400, f"s must be a number from 0 to {MAX_WAIT_S:g}, not {text!r}")
    return seconds


def _record_count(query: dict[str, list[str]]) -> int:
    text = query.get("records", [""])[-1]
    count = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
    if not 0 <= count <= MAX_RECORDS:
        raise BadRequestError(
            400, f"records must be a whole number from 0 to {MAX_RECORDS}, not {text!r}"
        )
    return count


def record_line(index: int) -> str:
    """Record `index` as one JSON line: group, value (0 to 9999) and note follow from the index."""
    value = (index * 7_919 + 17) % 10_000
    note = format(index * 2_654_435_761 % 2**64, "016x")
    group = GROUPS[index % len(GROUPS)]
    return f'{{"id":{index},"group":"{group}","value":{value},"note":"{note}"}}\n'


@lru_cache(maxsize=MAX_RECORDS // _BLOCK_RECORDS)
def _full_block(number: int) -> bytes:
    return _lines(number * _BLOCK_RECORDS, (number + 1) * _BLOCK_RECORDS)


def _lines(first: int, last: int) -> bytes:
    return "".join(map(record_line, range(first, last))).encode("ascii")


async def _records(count: int) -> tuple[bytes, ...]:
    """`count` records in blocks, letting other connections in between two blocks."""
    blocks = []
    for number in range(count // _BLOCK_RECORDS):
        blocks.append(_full_block(number))
        await asyncio.sleep(0)
    rest = count % _BLOCK_RECORDS
    return (*blocks, _lines(count - rest, count)) if rest else tuple(blocks)


async def answer(target: str, *, sleep: Sleep = asyncio.sleep) -> Answer:
    """What this server says to `GET target`, after the wait asked for.

    Raises:
        BadRequestError: unknown path, or a parameter that is no number or beyond its cap.
    """
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    if parts.path == "/health":
        return Answer(200, "text/plain", (b"ok\n",))
    if parts.path == "/wait":
        seconds = _seconds(query)
        await sleep(seconds)
        return Answer(200, "text/plain", (f"waited {seconds:g} s\n".encode("ascii"),))
    if parts.path == "/data":
        count, seconds = _record_count(query), _seconds(query)
        await sleep(seconds)
        return Answer(200, "application/jsonl", await _records(count))
    raise BadRequestError(404, f"no such path {parts.path!r}")


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, "text/plain", (f"{message}\n".encode("utf-8", "replace"),))


async def _send(writer: asyncio.StreamWriter, reply: Answer, *, keep_alive: bool) -> None:
    writer.write(reply.head(keep_alive=keep_alive))
    for block in reply.blocks:
        writer.write(block)
        await writer.drain()


async def _exchange(head: bytes, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; true when the connection may carry another."""
    keep_alive = False
    try:
        request = parse_head(head)
        keep_alive = request.keep_alive
        reply = await answer(request.target)
    except (BadRequestError, ValueError) as problem:  # ValueError: a target urlsplit cannot read
        status = problem.status if isinstance(problem, BadRequestError) else 400
        reply = _refusal(status, str(problem))
    await _send(writer, reply, keep_alive=keep_alive)
    return keep_alive


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until the client leaves or asks to close."""
    # A client that leaves between or in the middle of requests is routine.
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        try:
            while await _exchange(await reader.readuntil(b"\r\n\r\n"), writer):
                pass
        except asyncio.LimitOverrunError:
            await _send(writer, _refusal(400, "request head too long"), keep_alive=False)
    writer.close()


class Connections:
    """The open conversations, so that a shutdown can end them at once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a conversation; for `asyncio.start_server`."""
        task = asyncio.get_running_loop().create_task(_converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Break off every conversation, whatever it waits for."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; says where on the first line of standard output."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    connections = Connections()
    server = await asyncio.start_server(
        connections.open, host, port, limit=_HEAD_LIMIT_BYTES, backlog=_BACKLOG
    )
    chosen = server.sockets[0].getsockname()[1]
    print(f"listening on {host}:{chosen}", flush=True)
    await stopped.wait()
    server.close()
    await connections.end()


def _allow_many_connections() -> None:
    """Raise the soft limit of open files: 1,024 is usual, and one connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="HTTP server the I/O workloads wait on.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    _allow_many_connections()
    asyncio.run(serve(options.host, options.port))


if __name__ == "__main__":
    main()
