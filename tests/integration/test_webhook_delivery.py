"""A webhook that answers, fails, hangs, redirects or is not there: told without its address."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.scenarios.nightly.webhook import WAITS_S, Webhook, post

pytestmark = pytest.mark.integration

PATH = "/services/hush"


@contextmanager
def answering(*codes: int) -> Iterator[tuple[Webhook, list[Any]]]:
    """A server that gives these answers in turn, the last for ever; 0 never answers."""
    received: list[Any] = []
    left, done = list(codes), threading.Event()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            code = left.pop(0) if len(left) > 1 else left[0]
            if code == 0:
                done.wait(20)
                return
            self.send_response(code)
            if 300 <= code < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Webhook(url=f"http://127.0.0.1:{server.server_port}{PATH}"), received
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def told(webhook: Webhook, *, timeout_s: float = 5.0) -> tuple[str, list[float]]:
    """What went wrong, and how long was waited in between."""
    waited: list[float] = []
    problem = post(webhook, {"text": "·"}, sleep=waited.append, timeout_s=timeout_s)
    assert "hush" not in problem
    assert "127.0.0.1" not in problem
    return problem, waited


def test_a_message_arrives_whole_and_once() -> None:
    with answering(200) as (webhook, received):
        assert told(webhook) == ("", [])
    assert received == [(PATH, "application/json; charset=utf-8", {"text": "·"})]


def test_a_server_that_is_ill_is_asked_again() -> None:
    with answering(503, 429, 200) as (webhook, received):
        assert told(webhook) == ("", list(WAITS_S))
    assert len(received) == 3


def test_after_three_attempts_it_is_left_at_that() -> None:
    with answering(500) as (webhook, received):
        assert told(webhook) == ("it answered HTTP 500", list(WAITS_S))
    assert len(received) == 3


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_what_asking_again_does_not_change_is_not_asked_again(code: int) -> None:
    with answering(code) as (webhook, received):
        assert told(webhook) == (f"it answered HTTP {code}", [])
    assert len(received) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_message_follows_no_redirection(code: int) -> None:
    with answering(code) as (webhook, received):
        assert told(webhook) == (f"it answered HTTP {code}", [])
    assert [path for path, _, _ in received] == [PATH]


def test_a_server_that_never_answers_does_not_hold_the_night_up() -> None:
    with answering(0) as (webhook, _):
        problem, waited = told(webhook, timeout_s=0.2)
    assert problem == "no answer within 0.2 s"
    assert waited == list(WAITS_S)


def test_nobody_there_is_told_by_its_kind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    problem, waited = told(Webhook(url=f"http://127.0.0.1:{port}{PATH}"))
    assert problem == "it cannot be reached (ConnectionRefusedError)"
    assert waited == list(WAITS_S)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/hush", "http://hush..invalid/", "http://127.0.0.1:x/hush"]
)
def test_an_address_that_means_nothing_is_told_by_its_kind(url: str) -> None:
    problem, _ = told(Webhook(url=url))
    assert problem.startswith("it cannot be reached (")
