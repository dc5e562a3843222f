"""The Locust side of the load: users that launch Dagster runs and wait for their ends.

The only module that imports Locust and gevent; it lives in a child process. Closed model: each
user launches a run, waits until the poller saw it end, and launches the next. Other models: each
user waits until it is handed an arrival (see `harness.rig.load.dispatch`). One poller per
process asks for all runs in flight in one request each half second, so waiting costs the
webserver two requests a second, whatever the number of users. Locust's statistics show
`launchRun`, `poll` and the whole runs as `run`, by job where there are several.

Two ways to use it:

- Under our driver, the environment (see `harness.rig.load.child_settings`) sets everything:
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
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from gevent.socket import wait_read
from locust import FastHttpUser, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from harness.masking import masked
from harness.rig.load import child_settings, plain
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.arrivals import arrivals, first_send_s, schedule, users_of
from harness.rig.load.dispatch import Dispatcher
from harness.rig.load.job_turns import JobTurns
from harness.rig.load.launches import launch_bodies
from harness.rig.load.records import Line, Recorder, write_lines

LAUNCH_TIMEOUT_S = 130
POLL_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 10
POLL_INTERVAL_S = 0.5
STATUS_INTERVAL_S = 1.0
TICK_S = 0.02
REJECTED_PAUSE_S = 1.0
LOCATION_PATIENCE_S = 30
# A kept connection that the webserver closes while a run goes on (uvicorn: after 5 s) could turn
# the next launch into a failure of ours, or, where the client sends it again, into two runs.
HEADERS = {"Connection": "close"}


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: LocustArgumentParser) -> None:
    """What a plain `locust` command may say; under our driver the order says it."""
    plain.add_options(parser)


@events.init.add_listener  # type: ignore[untyped-decorator]
def watch_parent(**_: Any) -> None:
    """A parent killed with -9 can tell nobody, but its end of our standard input closes."""
    if not os.environ.get("LOAD_WATCH_STDIN"):
        return

    def watch() -> None:
        while True:
            wait_read(sys.stdin.fileno())
            if not os.read(sys.stdin.fileno(), 1024):
                os._exit(1)

    gevent.spawn(watch)


@events.init.add_listener  # type: ignore[untyped-decorator]
def refresh_loop_time(**_: Any) -> None:
    """Let the event loop notice the seconds of importing, else `--run-time` would count them."""
    gevent.sleep(0.001)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def open_session(environment: Environment, **_: Any) -> None:
    """A new session for each test; the master has no users and needs none."""
    if isinstance(environment.runner, MasterRunner):
        return
    environment.dagster = session = Session(environment)  # type: ignore[attr-defined]
    session.start()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def close_session(environment: Environment, **_: Any) -> None:
    """Stop polling and close the record."""
    session: Session | None = getattr(environment, "dagster", None)
    if session is not None:
        session.close()


class DagsterUser(FastHttpUser):
    """Has one run in flight at most. A request is never sent twice: that might be two runs."""

    network_timeout = LAUNCH_TIMEOUT_S
    connection_timeout = CONNECT_TIMEOUT_S
    max_retries = 0
    concurrency = 1
    insecure = False
    ssl_context_factory = staticmethod(child_settings.tls)
    wait_time = constant(0)

    def on_start(self) -> None:
        """Wait for the session to open, then for this user's turn."""
        self._session: Session = self.environment.dagster
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
        number = recorder.sent(self._number, intended_s, job)
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
                launch = graphql.parse_launch(child_settings.read(response))
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


class Session:
    """What the users of one test in one process share: schedule, jobs, poller, record."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        child_settings.mask_secrets()
        self._ordered = child_settings.is_ordered()
        self._order = child_settings.order_for(environment.parsed_options, environment.host)
        self.headers = {**HEADERS, **self._order.access.headers}
        self._closed = self._order.model == "closed"
        self._client = FastHttpSession(
            base_url=self._order.webserver_url,
            request_event=environment.events.request,
            user=None,
            network_timeout=POLL_TIMEOUT_S,
            connection_timeout=CONNECT_TIMEOUT_S,
            max_retries=0,
            concurrency=1,
            insecure=False,
            ssl_context_factory=child_settings.tls,
        )
        self.recorder = Recorder(record_writer(environment), clock=time.time, cpu=time.process_time)
        self.turns = JobTurns(self._order.jobs)
        self.launch_bodies: dict[str, Iterator[graphql.Body]] = {}
        self._dispatcher = Dispatcher(
            clock=time.time, sleep=gevent.sleep, dropped=self.recorder.dropped
        )
        self._users = 0
        self._open = Event()
        self._start_s = 0.0
        self._last_send_s = float("inf")
        self._ends: defaultdict[str, AsyncResult] = defaultdict(AsyncResult)
        self._greenlets: list[gevent.Greenlet] = []

    def start(self) -> None:
        """Begin in the background: Locust spawns the users only after this returns."""
        self._greenlets.append(gevent.spawn(self._conduct))

    def close(self) -> None:
        """End polling; safe to call from our own greenlet."""
        others = [each for each in self._greenlets if each is not gevent.getcurrent()]
        gevent.killall(others, block=False)

    def join(self) -> int:
        """A user has come; returns its number, from 0."""
        self._users += 1
        return self._users - 1

    def turn(self, user: int) -> float:
        """Block until it is this user's turn; returns the moment meant for it.

        Only the closed model has turns: in the others arrivals wake the users.
        """
        if not self._closed:
            return 0.0
        self._open.wait()
        if not self._ordered:
            return time.time()
        intended_s = first_send_s(self._order, user, self._start_s)
        gevent.sleep(max(0.0, intended_s - time.time()))
        return intended_s

    def next_intended_s(self, due_s: float) -> float | None:
        """The moment meant for a user's next run, `None` when there is none any more.

        `due_s` in the closed model; in the others this blocks until an arrival is handed over.
        """
        if self._closed:
            return due_s if self._may_send() else None
        handed = AsyncResult()
        self._dispatcher.wait(handed.set)
        intended_s: float | None = handed.get()
        return intended_s

    def after_rejection(self) -> float:
        """When the user may go on: a closed model must not answer errors with a flood."""
        if self._closed:
            gevent.sleep(REJECTED_PAUSE_S)
        return time.time()

    def _may_send(self) -> bool:
        return not self._all_sent() and time.time() < self._last_send_s

    def wait_for_end(self, run_id: str) -> tuple[float, str]:
        """Block until the poller saw the run end; returns that moment and the status."""
        seen_s, status = self._ends[run_id].get()
        del self._ends[run_id]
        return seen_s, status

    def _conduct(self) -> None:
        """The whole test, or its beginning where Locust decides about the end."""
        try:
            post = graphql.connect(
                self._order.webserver_url, LOCATION_PATIENCE_S, self._order.access
            )
            self.launch_bodies = launch_bodies(post, self._order)
        except graphql.GraphQLError as error:
            self.recorder.broken(str(error))
            self._quit(exit_code=1)
            return
        while self._ordered and not self._everybody_waits():
            gevent.sleep(TICK_S)
        self._greenlets += [gevent.spawn(self._poll), gevent.spawn(self._tell_status)]
        self._start_s = time.time()
        if not self._ordered:
            self.recorder.phase("hold", self._start_s)
            self._open.set()
            return
        self._follow_schedule()
        self.recorder.status()
        self.recorder.done("drained" if self._nothing_in_flight() else "drain_limit")
        self._quit(exit_code=0)

    def _everybody_waits(self) -> bool:
        """Else the first arrivals would find nobody."""
        waiting = self._users if self._closed else self._dispatcher.idle_count
        return waiting >= users_of(self._order)

    def _follow_schedule(self) -> None:
        plan = schedule(self._order, self._start_s)
        self._last_send_s = max((end_s for _, end_s in plan.values()), default=self._start_s)
        if not self._closed:
            intended = arrivals(self._order, self._start_s)
            self._greenlets.append(gevent.spawn(self._dispatcher.run, intended))
        self._open.set()
        for name, (start_s, end_s) in plan.items():
            self.recorder.phase(name, start_s)
            self._wait(end_s, until=self._all_sent)
            if self._all_sent():
                break
        drain_s = min(time.time(), self._last_send_s)
        self._last_send_s = drain_s
        self.recorder.phase("drain", drain_s)
        self._wait(drain_s + self._order.drain_s, until=self._nothing_in_flight)

    def _wait(self, end_s: float, *, until: Callable[[], bool]) -> None:
        while (left_s := end_s - time.time()) > 0 and not until():
            gevent.sleep(min(TICK_S, left_s))

    def _all_sent(self) -> bool:
        limit = self._order.max_runs
        return limit is not None and self.recorder.sent_count >= limit

    def _nothing_in_flight(self) -> bool:
        """Also nothing on its way from the dispatcher to a user."""
        if not self._closed and not self._dispatcher.over:
            return False
        on_its_way = max(0, self._dispatcher.handed - self.recorder.sent_count)
        return self.recorder.in_flight + on_its_way == 0

    def _poll(self) -> None:
        due_s = time.monotonic()
        while True:
            if waiting := self.recorder.waiting:
                self._poll_once(waiting)
            due_s = max(due_s + POLL_INTERVAL_S, time.monotonic())
            gevent.sleep(due_s - time.monotonic())

    def _poll_once(self, run_ids: list[str]) -> None:
        body = graphql.run_statuses(run_ids)
        with self._client.post(
            graphql.PATH, json=body, name="poll", headers=self.headers, catch_response=True
        ) as response:
            try:
                reports = graphql.parse_run_statuses(child_settings.read(response))
            except graphql.GraphQLError as error:
                self.recorder.poll_errors += 1
                response.failure(masked(str(error)))
                return
            response.success()
        for report in reports.values():
            if report.ended:
                seen_s = self.recorder.ended(report)
                self._ends[report.run_id].set((seen_s, report.status))

    def _tell_status(self) -> None:
        while True:
            self.recorder.status()
            gevent.sleep(STATUS_INTERVAL_S)

    def _quit(self, *, exit_code: int) -> None:
        self._environment.process_exit_code = exit_code
        if self._environment.runner is not None:
            self._environment.runner.quit()


def record_writer(environment: Environment) -> Callable[[Line], None]:
    """Where events go: to the file somebody asked for, if anybody did."""
    name = child_settings.record_name(environment.parsed_options)
    if not name:
        return lambda _: None
    if isinstance(environment.runner, WorkerRunner):
        name = f"{name}.{os.getpid()}"
    return write_lines(Path(name))
