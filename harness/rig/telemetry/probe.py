"""Is the code server alive, as a health check would see it: `GetServerId` once a second.

One question per replica at a time. Asking on regardless would pile our own requests up in the
very queue we measure; instead a beat that finds the last question still open is recorded as
`probe_skipped`, and the deadline bounds how long that lasts.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.rig.code_server_rpc import Call, CallError, CodeServerClient
from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.sampler import Clock

COST = DeviceCost(
    name="probe",
    reads="GetServerId with a 5 s deadline over one kept connection per replica",
    rate_hz=1.0,
    cost="one small request a second on a worker thread of the server, under 1 ms of its CPU",
)
DEADLINE_S = 5.0
_PATIENCE_S = 0.8  # below one beat, so that waiting never costs the next one

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """How one question ended. `value` is `None` when it was lost."""

    source: str
    asked_s: float
    answered_s: float
    took_s: float
    value: T | None


class Questions(Generic[T]):
    """Asks every replica the same, at most one question open for each.

    A slow replica delays neither the schedule nor its neighbours: what is not answered within
    a round's patience is collected by a later round, stamped when it really arrived.
    """

    def __init__(
        self,
        clients: Mapping[str, CodeServerClient],
        ask: Callable[[CodeServerClient], Call[T]],
        *,
        clock: Clock | None = None,
    ) -> None:
        self._clients = dict(clients)
        self._ask = ask
        self._clock = clock or Clock()
        self._open: set[str] = set()
        self._ended: queue.SimpleQueue[tuple[str, Call[T], float, float, float]]
        self._ended = queue.SimpleQueue()
        self._closed = False

    def round(self, *, patience_s: float) -> tuple[list[Answer[T]], list[str]]:
        """Ask whoever has no question open; returns what has ended, and who was not asked."""
        if self._closed:
            return [], []
        answers = self._collect(0.0)
        skipped = sorted(self._open)
        for source, client in self._clients.items():
            if source not in self._open:
                self._put(source, client)
        answers += self._collect(patience_s)
        return ([], []) if self._closed else (answers, skipped)

    def ended(self) -> list[Answer[T]]:
        """What has ended since the last look, without asking anew."""
        return [] if self._closed else self._collect(0.0)

    def close(self) -> None:
        """Close every connection; open questions are given up and reported by nobody."""
        self._closed = True
        for client in self._clients.values():
            client.close()

    def _put(self, source: str, client: CodeServerClient) -> None:
        clock = self._clock
        asked_s, began_s = clock.wall(), clock.monotonic()
        try:
            call = self._ask(client)
        except ValueError:  # gRPC's word for a channel that `close` has just closed
            if self._closed:
                return
            raise
        self._open.add(source)
        call.on_done(
            lambda: self._ended.put(
                (source, call, asked_s, clock.wall(), clock.monotonic() - began_s)
            )
        )

    def _collect(self, patience_s: float) -> list[Answer[T]]:
        answers: list[Answer[T]] = []
        until_s = self._clock.monotonic() + patience_s
        while self._open:
            try:
                left_s = max(0.0, until_s - self._clock.monotonic())
                source, call, asked_s, answered_s, took_s = self._ended.get(timeout=left_s)
            except queue.Empty:
                break
            self._open.discard(source)
            answers.append(
                Answer(
                    source=source,
                    asked_s=asked_s,
                    answered_s=answered_s,
                    took_s=took_s,
                    value=_value(call),
                )
            )
        return answers


class ProbeDevice:
    """Keys by replica: `probe_s`, `probe_lost` (0 or 1), `probe_skipped` (1, where it happened).

    Answers carry the moment they arrived. A lost probe has no `probe_s`. A server that is gone
    keeps losing probes: that is the measurement, and it ends when the device is closed.
    """

    cost = COST

    def __init__(self, questions: Questions[str]) -> None:
        self._questions = questions

    def read(self) -> Reading:
        """Ask every replica that is not still thinking about the last question."""
        reading = Reading()
        answers, skipped = self._questions.round(patience_s=_PATIENCE_S)
        for source in skipped:
            reading.values[source, "probe_skipped"] = 1.0
        for answer in answers:
            lost = answer.value is None
            stamp, source = answer.answered_s, answer.source
            reading.stamped.append((stamp, source, "probe_lost", float(lost)))
            if not lost:
                reading.stamped.append((stamp, source, "probe_s", answer.took_s))
        return reading

    def close(self) -> None:
        """Give up open questions and close the connections."""
        self._questions.close()


def offer(endpoints: Endpoints) -> ProbeDevice | None:
    """A probe of every replica."""
    clients = {r.name: CodeServerClient(r.grpc_address) for r in endpoints.replicas}
    return ProbeDevice(Questions(clients, lambda client: client.ask_server_id(DEADLINE_S)))


def _value(call: Call[T]) -> T | None:
    try:
        return call.result()
    except CallError:
        return None
