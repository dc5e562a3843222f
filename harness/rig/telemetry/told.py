"""Memory and CPU by a server's own word, where nobody here sees its cgroup.

Asked through Dagster's Ping, apart from the device `ping`: that one wants to know how late a Ping
is and asks rarely, this one wants readings a step can be judged by. Samples are those of the
device `cgroup`, only far fewer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.facts.model import Event
from harness.rig.code_server_rpc import CodeServerClient, PingMetrics
from harness.rig.protocols import Endpoints, Reading
from harness.rig.server_word import ServerWord
from harness.rig.telemetry.cgroup import COST
from harness.rig.telemetry.probe import Answer, Questions

EVERY_S = 5.0
"""A Ping with metrics takes about 7 ms of the server's CPU and one of its workers for as long."""

DEADLINE_S = 60.0
INSTEAD = f"the server's own word, in Dagster's Ping, every {EVERY_S:g} s; no OOM kills, no peak"


class ToldDevice:
    """Keys by replica, stamped when the answer came: `usage_bytes` and `cpu_s` as told, and
    `working_set_bytes` where it is known to be that.

    An answer that tells nothing leaves no sample.
    """

    cost = COST

    def __init__(
        self,
        questions: Questions[PingMetrics],
        names: tuple[str, ...],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._questions = questions
        self._to_announce = names
        self._monotonic = monotonic
        self._wall = wall
        self._next_s = monotonic()

    def read(self) -> Reading:
        """Collect what was answered, and ask again when it is time."""
        reading = Reading(events=self._announcements())
        answers = self._questions.ended()
        now_s = self._monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + EVERY_S
            more, _ = self._questions.round(patience_s=0.0)
            answers += more
        for answer in answers:
            reading.stamped += _facts(answer)
        return reading

    def close(self) -> None:
        """Give up open questions and close the connections."""
        self._to_announce = ()
        self._questions.close()

    def _announcements(self) -> list[Event]:
        names, self._to_announce = self._to_announce, ()
        detail = {"device": COST.name, "instead": INSTEAD}
        return [
            Event(at_s=self._wall(), kind="fallback", source=name, detail=detail) for name in names
        ]


def offer(endpoints: Endpoints) -> ToldDevice | None:
    """For the replicas that were found to tell."""
    clients = {r.name: CodeServerClient(r.grpc_address) for r in endpoints.replicas if r.tells}
    if not clients:
        return None
    questions = Questions(clients, lambda client: client.ask_ping(DEADLINE_S))
    return ToldDevice(questions, tuple(clients))


def _facts(answer: Answer[PingMetrics]) -> list[tuple[float, str, str, float]]:
    word = answer.value.container if answer.value else ServerWord()
    told = {
        "usage_bytes": word.memory_bytes,
        "working_set_bytes": word.memory_bytes if word.working_set else None,
        "cpu_s": word.cpu_s,
    }
    return [
        (answer.answered_s, answer.source, key, value)
        for key, value in told.items()
        if value is not None
    ]
