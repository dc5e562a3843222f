"""What makes Locust's master and workers a crew: who is in it, the order, the start, records."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_MISSING, MasterRunner, WorkerRunner

from harness.rig.load.child import settings
from harness.rig.load.child.session import Crew, Session
from harness.rig.load.crew import FLUSH_S, Foreman, Member
from harness.rig.load.reach import from_worker
from harness.rig.load.records import Line

WATCH_INTERVAL_S = 1.0
PATIENCE_SLACK_S = 1.0


def expect(environment: Environment, runner: MasterRunner, write: Callable[[Line], None]) -> None:
    """Before a step: who will be in its crew, and an end to waiting for it."""
    options: Any = environment.parsed_options
    FixedCrew.size = options.crew
    environment.dispatcher_class = FixedCrew
    gevent.spawn(_complain, runner, options, write)


def _complain(runner: MasterRunner, options: Any, write: Callable[[Line], None]) -> None:
    """Just before Locust gives up waiting, and says no more than that."""
    gevent.sleep(options.expect_workers_max_wait - PATIENCE_SLACK_S)
    came, wanted = len(runner.clients.ready), options.expect_workers
    if came < wanted and runner.state == STATE_INIT:
        place = f"{options.master_bind_host}:{options.master_bind_port}"
        error = (
            f"{came} of {wanted} load workers came to {place} "
            f"in {options.expect_workers_max_wait} s"
        )
        write({"kind": "failed", "at_s": time.time(), "error": error, "w": 0})


class FixedCrew(UsersDispatcher):
    """Users stay with the workers they were given to.

    Locust would share them out anew when a worker comes late or goes: half of the runs in flight
    would be forgotten, and the step would not be the one that was ordered. The first `size` of
    those who came are it; others wait for a step that needs them.
    """

    size = 1

    def __init__(self, worker_nodes: list[Any], user_classes: list[Any]) -> None:
        super().__init__(worker_nodes[: self.size], user_classes)

    def add_worker(self, worker_node: Any) -> None:
        """Who comes late waits for the next step."""

    def remove_worker(self, worker_node: Any) -> None:
        """Whoever is missed ends the step, see `Foreman.check`."""


def lead(environment: Environment, runner: MasterRunner, write: Callable[[Line], None]) -> None:
    """The master's part: places, the start, everybody's records, and an eye on who is missing."""
    order = settings.order_for(environment.parsed_options, environment.host)
    count = environment.parsed_options.crew if environment.parsed_options else 1

    def finish(exit_code: int) -> None:
        environment.process_exit_code = exit_code
        gevent.spawn(runner.quit)

    foreman = Foreman(runner, order, count, write=write, finish=finish)

    def present(node: str) -> bool:
        return node in runner.clients and runner.clients[node].state != STATE_MISSING

    def watch() -> None:
        while True:
            gevent.sleep(WATCH_INTERVAL_S)
            foreman.check(present)

    gevent.spawn(watch)


def join(environment: Environment, runner: WorkerRunner, opened: AsyncResult) -> None:
    """A worker is to take part in a step: its session opens once it was told the order."""
    environment.host = from_worker(environment.host or "", runner.master_host)
    spawned = Event()
    # Now: all users may be there before this worker has been told its order.
    environment.events.spawning_complete.add_listener(  # type: ignore[no-untyped-call]
        lambda **_: spawned.set()
    )
    gevent.spawn(_enlist, environment, runner, opened, spawned)


def _enlist(
    environment: Environment, runner: WorkerRunner, opened: AsyncResult, spawned: Event
) -> None:
    """A worker's part: its order, its users ready, the start, and its records sent."""
    told, start = AsyncResult(), AsyncResult()
    member = Member(
        runner,
        order_came=lambda order, place: told.set((order, place)),
        start_came=lambda start_s, first: start.set((start_s, first)),
        host=socket.gethostname(),
    )
    member.hello()
    order, place = told.get()
    order = replace(order, webserver_url=from_worker(order.webserver_url, runner.master_host))
    settings.use(order)
    crew = Crew(member=member, place=place, spawned=spawned, start=start)
    opened.set(Session(environment, order, member.write, crew=crew))
    while True:
        gevent.sleep(FLUSH_S)
        member.flush()
