"""What the engine says happened to our containers: OOM, death, restart, kill, health."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from harness.facts.model import Event
from harness.rig.engine_place import reach
from harness.rig.host_clock import OUR_CLOCK, HostClock
from harness.rig.protocols import DeviceCost, Endpoints, Reading

COST = DeviceCost(
    name="docker_events",
    reads="oom, die, restart, kill and health_status events of our containers",
    rate_hz=2.0,
    cost="one open connection to the engine, idle unless something happens",
)
KINDS = ("oom", "die", "restart", "kill", "health_status")
_RECONNECT_S = 1.0


class Stream(Protocol):
    """An engine's event stream; closing it ends the iteration."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...
    def close(self) -> None: ...


Subscribe = Callable[[float], Stream]
"""Opens the stream of everything since an epoch second of our clock."""


class DockerEventsDevice:
    """Events only, no numbers: kind as the engine names it, source the container's role, at the
    engine's time moved onto our clock.

    A stream that breaks is opened again from where it ended; while that fails, `read` raises
    what the engine said.
    """

    cost = COST

    def __init__(
        self,
        names: Mapping[str, str],
        subscribe: Subscribe,
        *,
        clock: Callable[[], float] = time.time,
        engine_clock: HostClock = OUR_CLOCK,
    ) -> None:
        self._names = dict(names)
        self._engine_clock = engine_clock
        self._subscribe = subscribe
        self._last_s = clock()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._failures: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._stream: Stream | None = None
        self._thread: threading.Thread | None = None

    def read(self) -> Reading:
        """Everything the engine said since the last look."""
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._follow, name="docker-events", daemon=True)
            self._thread.start()
        if not self._failures.empty():
            raise self._failures.get()
        reading = Reading()
        while not self._events.empty():
            reading.events.append(self._events.get())
        return reading

    def close(self) -> None:
        """End the stream. Safe to call twice."""
        self._closed.set()
        if self._stream is not None:
            with contextlib.suppress(Exception):  # it may be closed, or the engine gone
                self._stream.close()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                since_s = self._last_s
                self._stream = self._subscribe(since_s)
                if self._closed.is_set():
                    self._stream.close()
                for message in self._stream:
                    self._take(message, since_s)
            except Exception as error:  # closing the stream ends it in several ways
                if not self._closed.is_set():
                    self._failures.put(error)
            self._closed.wait(_RECONNECT_S)

    def _take(self, message: Mapping[str, Any], since_s: float) -> None:
        event = to_event(message, self._names)
        if event is not None:
            event = dataclasses.replace(event, at_s=self._engine_clock.here(event.at_s))
        # The engine is asked in whole seconds: it repeats what came earlier in the first one.
        if event is not None and event.at_s > since_s:
            self._last_s = max(self._last_s, event.at_s)
            self._events.put(event)


def offer(endpoints: Endpoints) -> DockerEventsDevice | None:
    """The events of all our containers, where there are any."""
    watched = (*endpoints.replicas, *endpoints.support)
    names = {w.container: w.name for w in watched if w.container is not None}
    if not names:
        return None

    def subscribe(since_s: float) -> Stream:
        filters: dict[str, Any] = {"type": "container", "container": list(names)}
        since = int(endpoints.clock.there(since_s))
        return reach.here().client().events(since=since, decode=True, filters=filters)

    return DockerEventsDevice(names, subscribe, engine_clock=endpoints.clock)


def to_event(message: Mapping[str, Any], names: Mapping[str, str]) -> Event | None:
    """An engine's message as an event; `None` when it is not about what we watch.

    `detail` holds `exit_code` (die), `signal` (kill) or `status` (health_status) where given.
    """
    actor = message.get("Actor") or {}
    kind, _, status = str(message.get("Action") or message.get("status") or "").partition(": ")
    source = names.get(str(actor.get("ID") or message.get("id")))
    if source is None or kind not in KINDS:
        return None
    attributes = actor.get("Attributes") or {}
    detail: dict[str, Any] = {"status": status} if status else {}
    if "exitCode" in attributes:
        detail["exit_code"] = int(attributes["exitCode"])
    if "signal" in attributes:
        detail["signal"] = str(attributes["signal"])
    stamp_ns = message.get("timeNano")
    at_s = stamp_ns / 1e9 if stamp_ns else float(message.get("time") or 0)
    return Event(at_s=at_s, kind=kind, source=source, detail=detail)
