"""What the users of one test in one process share: schedule, jobs, poller, record."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import gevent
from gevent.event import AsyncResult, Event
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from harness.masking import masked
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.arrivals import arrivals, first_send_s, schedule, users_of
from harness.rig.load.child import settings
from harness.rig.load.crew import ALONE, Member, Place
from harness.rig.load.dispatch import Dispatcher
from harness.rig.load.job_turns import JobTurns
from harness.rig.load.launches import launch_bodies
from harness.rig.load.records import Line, Recorder
from harness.rig.orders import LoadOrder

CONNECT_TIMEOUT_S = 10
POLL_TIMEOUT_S = 30
POLL_INTERVAL_S = 0.5
STATUS_INTERVAL_S = 1.0
TICK_S = 0.02
REJECTED_PAUSE_S = 1.0
LOCATION_PATIENCE_S = 30
# A kept connection that the webserver closes while a run goes on (uvicorn: after 5 s) could turn
# the next launch into a failure of ours, or, where the client sends it again, into two runs.
HEADERS = {"Connection": "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """What a session of several has beside its own: its place, and the word to start.

    `spawned` is set once Locust has spawned all users of all workers.
    """

    member: Member
    place: Place
    spawned: Event
    start: AsyncResult


class Session:
    """What the users of one test in one process share: schedule, jobs, poller, record.

    Args:
        environment: Locust's.
        order: what to do; of a crew, all of it.
        write: takes each record.
        crew: the crew this process is one of.
    """

    def __init__(
        self,
        environment: Environment,
        order: LoadOrder,
        write: Callable[[Line], None],
        *,
        crew: Crew | None = None,
    ) -> None:
        self._environment = environment
        self._crew = crew
        self._place = crew.place if crew else ALONE
        self._ordered = crew is not None or settings.is_ordered()
        self._order = replace(order, max_runs=self._place.limit(order.max_runs))
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
            ssl_context_factory=settings.tls,
        )
        self.recorder = Recorder(write, clock=time.time, cpu=time.process_time)
        self.turns = JobTurns(self._order.jobs)
        self.launch_bodies: dict[str, Iterator[graphql.Body]] = {}
        self._dispatcher = Dispatcher(
            clock=time.time, sleep=gevent.sleep, dropped=self.recorder.dropped
        )
        self._users = 0
        self._first_user = 0
        self._open = Event()
        self._start_s = 0.0
        self._last_send_s = float("inf")
        self._ends: defaultdict[str, AsyncResult] = defaultdict(AsyncResult)
        # In the background: Locust spawns the users only after its listeners return.
        self._greenlets: list[gevent.Greenlet] = [gevent.spawn(self._conduct)]

    def close(self) -> None:
        """End polling; safe to call from our own greenlet."""
        others = [each for each in self._greenlets if each is not gevent.getcurrent()]
        gevent.killall(others, block=False)

    def join(self) -> int:
        """A user has come; returns its number among those of this process, from 0."""
        self._users += 1
        return self._users - 1

    def number(self, user: int) -> int:
        """The number of one of our users among those of all processes; known once it began."""
        return self._first_user + user

    def turn(self, user: int) -> float:
        """Block until it is this user's turn; returns the moment meant for it.

        Only the closed model has turns: in the others arrivals wake the users.
        """
        if not self._closed:
            return 0.0
        self._open.wait()
        if not self._ordered:
            return time.time()
        intended_s = first_send_s(self._order, self.number(user), self._start_s)
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
            self.recorder.broken(self._trouble(error))
            self._quit(exit_code=1)
            return
        while self._ordered and not self._everybody_waits():
            gevent.sleep(TICK_S)
        self._greenlets += [gevent.spawn(self._poll), gevent.spawn(self._tell_status)]
        self._start_s = self._await_start()
        if not self._ordered:
            self.recorder.phase("hold", self._start_s)
            self._open.set()
            return
        self._follow_schedule()
        self.recorder.status()
        self.recorder.done("drained" if self._nothing_in_flight() else "drain_limit")
        self._quit(exit_code=0)

    def _trouble(self, error: graphql.GraphQLError) -> str:
        """Why it cannot begin; of several workers, which one, and where it looked."""
        if self._crew is None:
            return str(error)
        who = f"load worker {self._place.index + 1} of {self._place.count}"
        where = f"on host {self._crew.member.host}"
        if error.code in ("unreachable", "timeout"):
            return (
                f"{who} {where} cannot reach the webserver at {self._order.webserver_url}: {error}"
            )
        return f"{who} {where}: {error}"

    def _everybody_waits(self) -> bool:
        """Else the first arrivals would find nobody."""
        waiting = self._users if self._closed else self._dispatcher.idle_count
        if self._crew is None:
            return waiting >= users_of(self._order)
        # How many of the users are ours is Locust's to say; with few, it may be none.
        spawned = self._environment.runner.user_count if self._environment.runner else 0
        return self._crew.spawned.is_set() and waiting >= spawned

    def _await_start(self) -> float:
        """Now, or when all workers are ready."""
        if self._crew is None:
            return time.time()
        self._crew.member.ready(self._users)
        start_s: float
        start_s, self._first_user = self._crew.start.get()
        gevent.sleep(max(0.0, start_s - time.time()))
        return start_s

    def _follow_schedule(self) -> None:
        plan = schedule(self._order, self._start_s)
        self._last_send_s = max((end_s for _, end_s in plan.values()), default=self._start_s)
        if not self._closed:
            intended = self._place.share(arrivals(self._order, self._start_s))
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
                reports = graphql.parse_run_statuses(settings.read(response))
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
        if self._crew is not None:  # the master ends everybody once all are done
            self._crew.member.done()
            return
        self._environment.process_exit_code = exit_code
        if self._environment.runner is not None:
            self._environment.runner.quit()
