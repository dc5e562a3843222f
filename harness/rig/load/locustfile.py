"""The Locust side of the load: users that launch Dagster runs and wait for their ends.

It lives in a child process: only this and `harness.rig.load.child` import Locust and gevent.
Closed model: each user launches a run, waits until the poller saw it end, and launches the next.
Other models: each user waits until it is handed an arrival (see `harness.rig.load.dispatch`). One
poller per process asks for all runs in flight in one request each half second, so waiting costs the
webserver two requests a second, whatever the number of users. Locust's statistics show
`launchRun`, `poll` and the whole runs as `run`, by job where there are several.

Two ways to use it:

- Under our driver, the environment (see `harness.rig.load.child.settings`) sets everything:
  in the closed model user k starts k × ramp / concurrency after the step's start; nobody sends
  after ramp, settle and hold, and Locust quits once nothing is in flight or the drain is over.
  LOAD_OUT names the file for the records (see `harness.rig.load.records`), LOAD_MASKED a file of
  variables whose values are to be masked in whatever is written; with LOAD_WATCH_STDIN
  the process ends when its standard input does, that is, when its parent died in whatever way.
- With the plain command (closed model only) Locust's own users, spawn rate and run time decide;
  a stop time lets the last runs end:
  `locust -f harness/rig/load/locustfile.py --host http://127.0.0.1:3000 -u 4 -r 1 -t 1m -s 30
  --headless --workload io`. Master and workers work as usual: Locust divides the users among
  the workers, each of which polls for its own and, with `--load-out`, writes its own file (its
  process id is appended to the name).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.socket import wait_read
from locust import FastHttpUser, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from harness.masking import masked
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load import plain
from harness.rig.load.child import crewing, settings
from harness.rig.load.child.session import CONNECT_TIMEOUT_S, Session
from harness.rig.load.records import Line, write_lines

LAUNCH_TIMEOUT_S = 130


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: LocustArgumentParser) -> None:
    """What a plain `locust` command may say; under our driver the order says it."""
    plain.add_options(parser)


def watch_parent() -> None:
    """A parent killed with -9 can tell nobody, but its end of our standard input closes."""

    def watch() -> None:
        while True:
            wait_read(sys.stdin.fileno())
            if not os.read(sys.stdin.fileno(), 1024):
                os._exit(1)

    gevent.spawn(watch)


if os.environ.get("LOAD_WATCH_STDIN"):  # now: Locust's own event comes after a master was found
    watch_parent()


@events.init.add_listener  # type: ignore[untyped-decorator]
def refresh_loop_time(**_: Any) -> None:
    """Let the event loop notice the seconds of importing, else `--run-time` would count them."""
    gevent.sleep(0.001)


@events.init.add_listener  # type: ignore[untyped-decorator]
def expect_crew(environment: Environment, runner: Any, **_: Any) -> None:
    """Our driver's master waits for its workers."""
    if isinstance(runner, MasterRunner) and settings.is_ordered():
        environment.record = record_writer(environment)  # type: ignore[attr-defined]
        crewing.expect(environment, runner, environment.record)  # type: ignore[attr-defined]


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def open_session(environment: Environment, **_: Any) -> None:
    """A new session for each test; a master has no users and needs none.

    Under our driver the workers of a master are a crew: each waits to be told its order.
    """
    environment.dagster = opened = AsyncResult()  # type: ignore[attr-defined]
    runner, options = environment.runner, environment.parsed_options
    if isinstance(runner, MasterRunner):
        if settings.is_ordered():
            crewing.lead(environment, runner, environment.record)  # type: ignore[attr-defined]
        return
    settings.mask_secrets()
    if isinstance(runner, WorkerRunner) and options is not None and options.crew:
        crewing.join(environment, runner, opened)
        return
    order = settings.order_for(options, environment.host)
    opened.set(Session(environment, order, record_writer(environment)))


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def close_session(environment: Environment, **_: Any) -> None:
    """Stop polling and close the record."""
    opened: AsyncResult | None = getattr(environment, "dagster", None)
    if opened is not None and opened.ready():
        opened.get().close()


class DagsterUser(FastHttpUser):
    """Has one run in flight at most. A request is never sent twice: that might be two runs."""

    network_timeout = LAUNCH_TIMEOUT_S
    connection_timeout = CONNECT_TIMEOUT_S
    max_retries = 0
    concurrency = 1
    insecure = False
    ssl_context_factory = staticmethod(settings.tls)
    wait_time = constant(0)

    def on_start(self) -> None:
        """Wait for the session to open, then for this user's turn."""
        self._session: Session = self.environment.dagster.get()
        self._number = self._session.join()
        self._due_s = self._session.turn(self._number)

    @task
    def one_run(self) -> None:
        """Launch, wait for the end, note when a closed model's next one is due."""
        session, recorder = self._session, self._session.recorder
        intended_s = session.next_intended_s(self._due_s)
        if intended_s is None:
            raise StopUser
        job = session.turns.take().job
        label = f" {job}" if len(session.launch_bodies) > 1 else ""
        sent_s = time.time()
        number = recorder.sent(session.number(self._number), intended_s, job)
        launch = self._launch(next(session.launch_bodies[job]), f"launchRun{label}")
        recorder.answered(number, launch)
        if launch.run_id is None:
            self._due_s = session.after_rejection()
            return
        self._due_s, status = session.wait_for_end(launch.run_id)
        self._report(f"run{label}", status, sent_s=sent_s, ended_s=self._due_s)

    def _launch(self, body: graphql.Body, name: str) -> graphql.Launch:
        with self.client.post(
            graphql.PATH, json=body, name=name, headers=self._session.headers,
            catch_response=True,
        ) as response:  # fmt: skip
            try:
                launch = graphql.parse_launch(settings.read(response))
            except graphql.GraphQLError as error:
                launch = graphql.Launch(error_class=error.code, error=error.message)
            # Locust keeps what it is told of a failure, and prints it.
            launch = replace(launch, error=masked(launch.error) if launch.error else None)
            if launch.run_id is None:
                response.failure(f"{launch.error_class}: {launch.error}")
            else:
                response.success()
        return launch

    def _report(self, name: str, status: str, *, sent_s: float, ended_s: float) -> None:
        """The whole run as one line of Locust's statistics."""
        self.environment.events.request.fire(
            request_type="RUN",
            name=name,
            response_time=(ended_s - sent_s) * 1000,
            response_length=0,
            start_time=sent_s,
            context={},
            exception=None if status == "SUCCESS" else RuntimeError(f"the run ended {status}"),
        )


def record_writer(environment: Environment) -> Callable[[Line], None]:
    """Where events go: to the file somebody asked for, if anybody did."""
    name = settings.record_name(environment.parsed_options)
    if not name:
        return lambda _: None
    if isinstance(environment.runner, WorkerRunner):
        name = f"{name}.{os.getpid()}"
    return write_lines(Path(name))
