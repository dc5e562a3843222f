"""A webserver that speaks the few GraphQL answers the load generator needs.

No Dagster: a run is a moment of launch and a duration, or waits in line for one of a number of
workers, so that what it should measure is known beforehand. Everything the generator did is kept
for the tests to look at.
"""

from __future__ import annotations

import heapq
import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOCATION = "under-test"
REPOSITORY = "some_repository"
FIRST_REQUEST_S = 30.0
"""How long a new connection may be silent: only one that was used is idle."""


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """How the fake answers. `reject` is the answer to every `launchRun`, if given.

    A run takes `run_s` seconds of one of `workers` workers, first come first served; without a
    number of workers none waits. With `hang_up` the server closes the connection instead of
    answering a launch. A connection idle for `idle_s` is closed, as uvicorn does after 5 s. Its
    answers have the status `status` and the headers `extra`, and without `date` no date. With
    `keeps_runs` no run is called ended.
    """

    run_s: float = 0.3
    workers: int | None = None
    launch_delay_s: float = 0.0
    final_status: str = "SUCCESS"
    reject: Mapping[str, Any] | None = None
    load_error: str = ""
    hang_up: bool = False
    idle_s: float = 5.0
    status: int = 200
    date: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)
    keeps_runs: bool = False


class HungUp(Exception):
    """This request gets no answer."""


@dataclass(slots=True, kw_only=True)
class FakeRun:
    """One launched run."""

    launched_s: float
    starts_s: float
    ends_s: float
    params: Mapping[str, Any]

    @property
    def job(self) -> str:
        """The name of the job that was asked for."""
        return str(self.params["selector"]["jobName"])

    @property
    def tags(self) -> Mapping[str, str]:
        """What it was tagged with."""
        return {tag["key"]: tag["value"] for tag in self.params["executionMetadata"]["tags"]}


class DeepQueue(ThreadingHTTPServer):
    """With room for the connections of hundreds of users that come at once.

    A queue of 5 would have the kernel drop the rest, and each wait a second to try again.
    """

    request_queue_size = 1024
    daemon_threads = True


@dataclass(slots=True)
class FakeWebserver:
    """The server's state; `url` is where it listens."""

    behaviour: Behaviour
    url: str = ""
    runs: dict[str, FakeRun] = field(default_factory=dict)
    launch_requests_s: list[float] = field(default_factory=list)
    polls: list[int] = field(default_factory=list)
    polled_s: list[float] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    most_in_flight: int = 0
    _launching: int = 0
    _free_s: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The `data` of one request."""
        query, asked = body["query"], body.get("variables", {})
        answers: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "launchRun(": lambda: {"launchRun": self._launch(asked["params"])},
            "terminateRuns(": lambda: {"terminateRuns": self._terminate(asked["ids"])},
            "terminateRun(": lambda: {"terminateRun": self._give_up(asked["id"], query)},
            "HarnessUnderWay": lambda: {"runsOrError": self._under_way(asked)},
            "runsOrError(": lambda: {"runsOrError": self._statuses(asked["ids"])},
            "workspaceOrError": lambda: {"workspaceOrError": self._workspace()},
            "HarnessVersion": lambda: {"version": "1.13.27"},
        }
        for word, answer in answers.items():
            if word in query:
                return answer()
        raise AssertionError(f"an unexpected request: {query}")

    def _launch(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            now_s = time.time()
            self.launch_requests_s.append(now_s)
            self._launching += 1
            alive = sum(run.ends_s > now_s for run in self.runs.values())
            self.most_in_flight = max(self.most_in_flight, alive + self._launching)
        time.sleep(self.behaviour.launch_delay_s)
        with self._lock:
            self._launching -= 1
            if self.behaviour.hang_up:
                raise HungUp
            if self.behaviour.reject is not None:
                return self.behaviour.reject
            run_id, now_s = str(uuid.uuid4()), time.time()
            starts_s = self._starts_s(now_s)
            self.runs[run_id] = FakeRun(
                launched_s=now_s,
                starts_s=starts_s,
                ends_s=starts_s + self.behaviour.run_s,
                params=params,
            )
        return {"__typename": "LaunchRunSuccess", "run": {"runId": run_id}}

    def _starts_s(self, now_s: float) -> float:
        """When the first worker to be free takes a run that came now."""
        if self.behaviour.workers is None:
            return now_s
        busy = len(self._free_s) >= self.behaviour.workers
        starts_s = max(now_s, heapq.heappop(self._free_s)) if busy else now_s
        heapq.heappush(self._free_s, starts_s + self.behaviour.run_s)
        return starts_s

    def _statuses(self, run_ids: list[str]) -> Mapping[str, Any]:
        with self._lock:
            now_s = time.time()
            self.polls.append(len(run_ids))
            self.polled_s.append(now_s)
            rows = [self._row(run_id, self.runs[run_id], now_s) for run_id in run_ids]
        return {"__typename": "Runs", "results": rows}

    def _under_way(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The newest first, those older than the run the cursor names."""
        asked, cursor = variables["filter"], variables["cursor"]
        wanted = {tag["key"]: tag["value"] for tag in asked["tags"]}.items()
        with self._lock:
            rows = [
                self._row(run_id, run, time.time())
                for run_id, run in self._older_than(cursor)
                if wanted <= run.tags.items()
            ]
        going = [row for row in rows if row["status"] in asked["statuses"]]
        return {"__typename": "Runs", "results": going[: variables["limit"]]}

    def _older_than(self, cursor: str | None) -> list[tuple[str, FakeRun]]:
        newest_first = list(reversed(self.runs.items()))
        ids = [run_id for run_id, _ in newest_first]
        return newest_first[0 if cursor is None else ids.index(cursor) + 1 :]

    def _terminate(self, run_ids: list[str]) -> Mapping[str, Any]:
        with self._lock:
            for run_id in run_ids:
                self.cancelled.append(run_id)
                self.runs[run_id].ends_s = min(self.runs[run_id].ends_s, time.time())
        done = [{"__typename": "TerminateRunSuccess", "run": {"runId": r}} for r in run_ids]
        return {"__typename": "TerminateRunsResult", "terminateRunResults": done}

    def _give_up(self, run_id: str, query: str) -> Mapping[str, Any]:
        assert "MARK_AS_CANCELED_IMMEDIATELY" in query
        if self.behaviour.keeps_runs:
            return {"__typename": "TerminateRunFailure", "message": "no"}
        self._terminate([run_id])
        return {"__typename": "TerminateRunSuccess", "run": {"runId": run_id}}

    def _row(self, run_id: str, run: FakeRun, now_s: float) -> Mapping[str, Any]:
        ended, started = run.ends_s <= now_s, run.starts_s <= now_s
        going = "STARTED" if started else "STARTING"
        return {
            "runId": run_id,
            "status": self.behaviour.final_status if ended else going,
            "startTime": run.starts_s if started else None,
            "endTime": run.ends_s if ended else None,
        }

    def _workspace(self) -> Mapping[str, Any]:
        loaded: Mapping[str, Any] = {
            "__typename": "RepositoryLocation",
            "repositories": [{"name": REPOSITORY}],
        }
        if self.behaviour.load_error:
            loaded = {"__typename": "PythonError", "message": self.behaviour.load_error}
        entry = {"name": LOCATION, "loadStatus": "LOADED", "locationOrLoadError": loaded}
        return {"__typename": "Workspace", "locationEntries": [entry]}


@contextmanager
def serving(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> Iterator[FakeWebserver]:
    """A fake on a free port of an address, gone afterwards; with `tls` it speaks https."""
    fake = FakeWebserver(behaviour)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = FIRST_REQUEST_S

        def do_POST(self) -> None:
            fake.headers.append(dict(self.headers))
            length = int(self.headers["Content-Length"])
            try:
                data = fake.answer(json.loads(self.rfile.read(length)))
            except HungUp:
                self.close_connection = True
                return
            text = json.dumps({"data": data}).encode()
            if behaviour.date:
                self.send_response(behaviour.status)
            else:
                self.send_response_only(behaviour.status)
            for name, value in behaviour.extra.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            self.connection.settimeout(behaviour.idle_s)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = DeepQueue((address, 0), Handler)
    scheme = "http"
    if tls is not None:
        server.socket, scheme = tls.wrap_socket(server.socket, server_side=True), "https"
    fake.url = f"{scheme}://{address}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
