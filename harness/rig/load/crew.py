"""Several Locust workers that drive one step together: who sends what, on whose clock.

Over Locust's own channel between master and workers, in its custom messages. A worker says hello
and is told the order, its place and the master's clock, several times over, since the quickest
answer tells the clock best. When all are ready the master names the moment to start. Every record
goes to the master, with its stamps on the master's clock.

    crew_hello  worker → master   t0, host, harness         its clock when it asks; what it runs
    crew_order  master → worker   order, place, t0, t1, t2  the master's clock at both ends
    crew_ready  worker → master   users                     so many of its users stand ready
    crew_start  master → worker   start_s, first            on the master's clock; its first user's
                                                            number among all
    crew_lines  worker → master   lines                     records, see `records`
    crew_done   worker → master                             it has nothing in flight any more
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from harness import __version__
from harness.rig.load.records import Line, decode_order, encode_order
from harness.rig.orders import LoadOrder

LEAD_S = 0.5
"""Between the word to start and the start: it must reach every worker before."""

FLUSH_S = 0.25
CLOCK_ASKS = 5
STAMPS = ("at_s", "intended_s", "sent_s")
"""Fields of a record that a worker's own clock stamped; a run's start and end are the server's."""


class Channel(Protocol):
    """What we use of Locust's runners."""

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """To the master, or from it to one worker or all."""

    def register_message(self, msg_type: str, listener: Callable[..., None]) -> None:
        """Have `listener(environment=…, msg=…)` called for every message of a type."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A worker's place: `index` of `count`, and what its clock lacks to the master's in seconds,
    give or take `uncertainty_s`.
    """

    index: int
    count: int
    offset_s: float
    uncertainty_s: float = 0.0

    def share(self, moments: Iterator[float]) -> Iterator[float]:
        """This worker's arrivals of all: every `count`-th."""
        return islice(moments, self.index, None, self.count)

    def limit(self, runs: int | None) -> int | None:
        """This worker's part of a limit of runs; they add up to it."""
        if runs is None:
            return None
        return runs // self.count + (self.index < runs % self.count)

    def here_s(self, master_s: float) -> float:
        """A moment of the master's clock on this one."""
        return master_s - self.offset_s


ALONE = Place(index=0, count=1, offset_s=0.0)


def offset_s(t0: float, t1: float, t2: float, t3: float) -> float:
    """What a clock lacks to the master's (NTP's formula, RFC 5905 section 8).

    Args:
        t0: the question sent, by the clock in doubt.
        t1: received, by the master's.
        t2: the answer sent, by the master's.
        t3: received, by the clock in doubt.
    """
    return ((t1 - t0) + (t2 - t3)) / 2


def uncertainty_s(t0: float, t1: float, t2: float, t3: float) -> float:
    """How far `offset_s` may be off: half the time on the way, all of which may be one way."""
    return max(0.0, (t3 - t0) - (t2 - t1)) / 2


class Foreman:
    """The master's side: gives places, the start, and writes what comes.

    Args:
        channel: Locust's runner.
        order: of the step.
        count: how many workers.
        write: takes each record, which has its worker's index as `w`.
        finish: ends everything, with an exit code.
        clock: epoch seconds.
    """

    def __init__(
        self,
        channel: Channel,
        order: LoadOrder,
        count: int,
        *,
        write: Callable[[Line], None],
        finish: Callable[[int], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._order = order
        self._count = count
        self._write = write
        self._finish = finish
        self._clock = clock
        self._places: dict[str, int] = {}
        self._ready: dict[str, int] = {}
        self._done: set[str] = set()
        self._hosts: dict[str, str] = {}
        channel.register_message("crew_hello", self._hello)
        channel.register_message("crew_ready", self._is_ready)
        channel.register_message("crew_lines", self._take)
        channel.register_message("crew_done", self._is_done)

    def check(self, present: Callable[[str], bool]) -> None:
        """A worker that has gone while it was needed: the step cannot be what was ordered."""
        needed = [node for node in self._places if node not in self._done]
        if lost := [node for node in needed if not present(node)]:
            hosts = ", ".join(sorted(self._hosts[node] for node in lost))
            self.give_up(f"{len(lost)} of {self._count} load workers were lost (host {hosts})")

    def give_up(self, error: str) -> None:
        """The step cannot go on: say why, and end everybody."""
        self._write({"kind": "failed", "at_s": self._clock(), "error": error, "w": 0})
        self._finish(1)

    def _hello(self, msg: Any, **_: Any) -> None:
        got_s = self._clock()
        host, runs = msg.data["host"], msg.data["harness"]
        if runs != __version__:
            self.give_up(f"the load worker on {host} runs harness {runs}, this is {__version__}")
            return
        self._hosts[msg.node_id] = host
        index = self._places.setdefault(msg.node_id, len(self._places))
        answer = {
            "order": encode_order(self._order), "index": index, "count": self._count,
            "t0": msg.data["t0"], "t1": got_s, "t2": self._clock(),
        }  # fmt: skip
        self._channel.send_message("crew_order", answer, client_id=msg.node_id)

    def _is_ready(self, msg: Any, **_: Any) -> None:
        self._ready[msg.node_id] = msg.data["users"]
        if len(self._ready) < self._count:
            return
        start_s, first = self._clock() + LEAD_S, 0
        for node in sorted(self._ready, key=self._places.__getitem__):
            told = {"start_s": start_s, "first": first}
            self._channel.send_message("crew_start", told, client_id=node)
            first += self._ready[node]

    def _take(self, msg: Any, **_: Any) -> None:
        index = self._places.get(msg.node_id, 0)
        for line in msg.data["lines"]:
            self._write({**line, "w": index})

    def _is_done(self, msg: Any, **_: Any) -> None:
        self._done.add(msg.node_id)
        if len(self._done) == self._count:
            self._finish(0)


class Member:
    """A worker's side.

    Args:
        channel: Locust's runner.
        order_came: is given the order and the place.
        start_came: is given the moment to start, on this clock, and the number of its first user
            among all, from 0.
        host: the name of this worker's host.
        clock: epoch seconds.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        order_came: Callable[[LoadOrder, Place], None],
        start_came: Callable[[float, int], None],
        host: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._order_came = order_came
        self._start_came = start_came
        self._clock = clock
        self.host = host
        self._answers = 0
        self._place = dataclasses.replace(ALONE, uncertainty_s=math.inf)
        self._lines: list[Line] = []
        channel.register_message("crew_order", self._order)
        channel.register_message("crew_start", self._start)

    def hello(self) -> None:
        """Ask for the order."""
        told = {"t0": self._clock(), "host": self.host, "harness": __version__}
        self._channel.send_message("crew_hello", told)

    def ready(self, users: int) -> None:
        """All users of this worker stand ready: so many."""
        self._channel.send_message("crew_ready", {"users": users})

    def write(self, line: Line) -> None:
        """Keep a record for the next `flush`, with its stamps on the master's clock."""
        moved = {
            key: value + self._place.offset_s if key in STAMPS and value is not None else value
            for key, value in line.items()
        }
        self._lines.append(moved)

    def flush(self) -> None:
        """Send what is kept."""
        lines, self._lines = self._lines, []
        if lines:
            self._channel.send_message("crew_lines", {"lines": lines})

    def done(self) -> None:
        """Nothing of this worker is in flight any more."""
        self.flush()
        self._channel.send_message("crew_done", {})

    def _order(self, msg: Any, **_: Any) -> None:
        told: Mapping[str, Any] = msg.data
        stamps = (told["t0"], told["t1"], told["t2"], self._clock())
        seen = Place(
            index=told["index"], count=told["count"],
            offset_s=offset_s(*stamps), uncertainty_s=uncertainty_s(*stamps),
        )  # fmt: skip
        self._place = min(self._place, seen, key=lambda place: place.uncertainty_s)
        self._answers += 1
        if self._answers < CLOCK_ASKS:
            self.hello()
            return
        clock = {"offset_s": self._place.offset_s, "uncertainty_s": self._place.uncertainty_s}
        self.write({"kind": "clock", "at_s": self._clock(), "host": self.host, **clock})
        self._order_came(decode_order(told["order"]), self._place)

    def _start(self, msg: Any, **_: Any) -> None:
        self._start_came(self._place.here_s(msg.data["start_s"]), msg.data["first"])
