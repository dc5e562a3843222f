"""The Locust side of the load: users that launch Dagster runs and wait for their ends.

The only module that imports Locust and gevent; it lives in a child process. Closed model: each
user launches a run, waits until the poller saw it end, and launches the next. One poller per
process asks for all runs in flight in one request each half second, so waiting costs the
webserver two requests a second, whatever the number of users. Locust's statistics show
`launchRun`, `poll` and the whole runs as `run`.

Two ways to use it:

- Under our driver, the environment variable LOAD_ORDER (a `LoadOrder` as JSON) sets everything:
  user k starts k × ramp / concurrency after the step's start, nobody sends after ramp, settle
  and hold, and Locust quits once nothing is in flight or the drain is over. LOAD_OUT names the
  file for the records (see `harness.rig.load.records`); with LOAD_WATCH_STDIN the process ends
  when its standard input does, that is, when its parent died in whatever way.
- With the plain command Locust's own users, spawn rate and run time decide; a stop time lets
  the last runs end:
  `locust -f harness/rig/load/locustfile.py --host http://127.0.0.1:3000 -u 4 -r 1 -t 1m -s 30
  --headless --workload io`. Master and workers work as usual: Locust divides the users among
  the workers, each of which polls for its own and, with `--load-out`, writes its own file (its
  process id is appended to the name).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
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

from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.records import Line, Recorder, decode_order, first_send_s, schedule
from harness.rig.protocols import LoadOrder

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
WORKLOAD_TAG = "dagster-load-harness/workload"
DEFAULT_JOB = "load"
DEFAULT_LOCATION = "under-test"


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: LocustArgumentParser) -> None:
    """What a plain `locust` command may say; under our driver the order says it."""
    group = parser.add_argument_group("Dagster", "what to launch")
    group.add_argument("--job", default=DEFAULT_JOB, help="the job to launch")
    group.add_argument("--location", default=DEFAULT_LOCATION, help="its code location")
    group.add_argument("--run-config", default="{}", help="its run config, as JSON")
    group.add_argument("--workload", default="", help="a name to tag the runs with")
    group.add_argument("--load-out", default="", help="write every event to this file (JSON lines)")


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
    """Keeps one run in flight. A request is never sent twice: a retry would be a second run."""

    network_timeout = LAUNCH_TIMEOUT_S
    connection_timeout = CONNECT_TIMEOUT_S
    max_retries = 0
    concurrency = 1
    wait_time = constant(0)

    def on_start(self) -> None:
        """Wait for the session to open, then for this user's turn."""
        self._session: Session = self.environment.dagster
        self._number = self._session.join()
        self._intended_s = self._session.turn(self._number)

    @task
    def one_run(self) -> None:
        """Launch, wait for the end, note when the next one is due."""
        session, recorder = self._session, self._session.recorder
        if not session.may_send():
            raise StopUser
        sent_s = time.time()
        number = recorder.sent(self._number, self._intended_s)
        launch = self._launch(session.launch_body)
        recorder.answered(number, launch)
        if launch.run_id is None:
            gevent.sleep(REJECTED_PAUSE_S)
            self._intended_s = time.time()
            return
        self._intended_s, status = session.wait_for_end(launch.run_id)
        self._report(sent_s, status)

    def _launch(self, body: graphql.Body) -> graphql.Launch:
        with self.client.post(
            graphql.PATH, json=body, name="launchRun", headers=HEADERS, catch_response=True
        ) as response:
            try:
                launch = graphql.parse_launch(read(response))
            except graphql.GraphQLError as error:
                launch = graphql.Launch(error_class=error.code, error=error.message)
            if launch.run_id is None:
                response.failure(f"{launch.error_class}: {launch.error}")
            else:
                response.success()
        return launch

    def _report(self, sent_s: float, status: str) -> None:
        """The whole run as one line of Locust's statistics."""
        self.environment.events.request.fire(
            request_type="RUN",
            name="run",
            response_time=(self._intended_s - sent_s) * 1000,
            response_length=0,
            start_time=sent_s,
            context={},
            exception=None if status == "SUCCESS" else RuntimeError(f"the run ended {status}"),
        )


class Session:
    """What the users of one test in one process share: schedule, poller, record."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._ordered = "LOAD_ORDER" in os.environ
        self._order = order_for(environment)
        self._client = FastHttpSession(
            base_url=self._order.webserver_url,
            request_event=environment.events.request,
            user=None,
            network_timeout=POLL_TIMEOUT_S,
            connection_timeout=CONNECT_TIMEOUT_S,
            max_retries=0,
            concurrency=1,
        )
        self.recorder = Recorder(record_writer(environment), clock=time.time, cpu=time.process_time)
        self.launch_body: graphql.Body = {}
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
        """Block until it is this user's turn; returns the moment meant for it."""
        self._open.wait()
        if not self._ordered:
            return time.time()
        intended_s = first_send_s(self._order, user, self._start_s)
        gevent.sleep(max(0.0, intended_s - time.time()))
        return intended_s

    def may_send(self) -> bool:
        """Whether another run may go out now."""
        return not self._all_sent() and time.time() < self._last_send_s

    def wait_for_end(self, run_id: str) -> tuple[float, str]:
        """Block until the poller saw the run end; returns that moment and the status."""
        seen_s, status = self._ends[run_id].get()
        del self._ends[run_id]
        return seen_s, status

    def _conduct(self) -> None:
        """The whole test, or its beginning where Locust decides about the end."""
        try:
            self.launch_body = self._find_job()
        except graphql.GraphQLError as error:
            self.recorder.broken(str(error))
            self._quit(exit_code=1)
            return
        while self._ordered and self._users < self._order.concurrency:
            gevent.sleep(TICK_S)
        self._greenlets += [gevent.spawn(self._poll), gevent.spawn(self._tell_status)]
        self._start_s = time.time()
        if not self._ordered:
            self.recorder.phase("hold", self._start_s)
            self._open.set()
            return
        self._follow_schedule()
        self.recorder.status()
        self.recorder.done("drained" if self.recorder.in_flight == 0 else "drain_limit")
        self._quit(exit_code=0)

    def _find_job(self) -> graphql.Body:
        """The launch request; Dagster wants to know the repository, which has any name.

        Raises:
            GraphQLError: the location is not loaded.
        """
        post = graphql.connect(self._order.webserver_url, LOCATION_PATIENCE_S)
        answer = post(graphql.location_status())
        status = graphql.parse_location_status(answer, self._order.location)
        if status.repository is None:
            where = f"location {self._order.location!r} is {status.state}"
            raise graphql.GraphQLError("not_loaded", f"{where} {status.error}".strip())
        selector = graphql.JobSelector(
            location=self._order.location, repository=status.repository, job=self._order.job
        )
        return graphql.launch_run(selector, self._order.run_config, self._order.tags)

    def _follow_schedule(self) -> None:
        plan = schedule(self._order, self._start_s)
        self._last_send_s = max((end_s for _, end_s in plan.values()), default=self._start_s)
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
        return self.recorder.in_flight == 0

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
            graphql.PATH, json=body, name="poll", headers=HEADERS, catch_response=True
        ) as response:
            try:
                reports = graphql.parse_run_statuses(read(response))
            except graphql.GraphQLError as error:
                self.recorder.poll_errors += 1
                response.failure(str(error))
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


def order_for(environment: Environment) -> LoadOrder:
    """The order of our driver, or what the command line says."""
    if "LOAD_ORDER" in os.environ:
        return decode_order(os.environ["LOAD_ORDER"])
    options = environment.parsed_options
    if options is None or environment.host is None:
        raise ValueError("the webserver's address is missing: give --host")
    return LoadOrder(
        step=0,
        webserver_url=environment.host,
        location=options.location,
        job=options.job,
        run_config=json.loads(options.run_config),
        tags={WORKLOAD_TAG: options.workload} if options.workload else {},
        concurrency=options.num_users or 1,
        ramp_s=0,
        settle_s=0,
        hold_s=0,
        drain_s=0,
        burst=False,
    )


def record_writer(environment: Environment) -> Callable[[Line], None]:
    """Writes and flushes one JSON line per event; nowhere if nobody asked for a file."""
    options = environment.parsed_options
    name = os.environ.get("LOAD_OUT") or (options.load_out if options else "")
    if not name:
        return lambda _: None
    if isinstance(environment.runner, WorkerRunner):
        name = f"{name}.{os.getpid()}"
    stream = Path(name).open("w", encoding="utf-8")  # noqa: SIM115 (open as long as we live)

    def write(line: Mapping[str, Any]) -> None:
        stream.write(json.dumps(line) + "\n")
        stream.flush()

    return write


def read(response: Any) -> Any:
    """A response of Locust's fast client as JSON.

    Raises:
        GraphQLError: no answer, or none of GraphQL.
    """
    if response.status_code:
        return graphql.decode(response.status_code, response.content or b"")
    error = response.error
    late = isinstance(error, TimeoutError)
    raise graphql.GraphQLError("timeout" if late else "unreachable", str(error) or repr(error))
