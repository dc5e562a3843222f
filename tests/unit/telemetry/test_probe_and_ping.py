"""Questions to code servers: one at a time, none delaying another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from harness.rig.code_server_rpc import (
    Call,
    CallError,
    CodeServerClient,
    PingMetrics,
    read_current_runs,
    read_metrics,
)
from harness.rig.telemetry.ping import PingDevice
from harness.rig.telemetry.probe import ProbeDevice, Questions
from harness.rig.telemetry.sampler import Clock

pytestmark = pytest.mark.unit

NO_WAIT_S = 0.0
METRICS = PingMetrics(max_workers=4, running=2, queued=7)


class Pending:
    """A question that ends when the test says so."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._value: Any = None

    def on_done(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def end(self, value: Any) -> None:
        self._value = value
        for callback in self._callbacks:
            callback()

    def result(self) -> Any:
        if self._value is None:
            raise CallError("Any", "DEADLINE_EXCEEDED", "too late")
        return self._value


class Server:
    """A code server; each question put to it is kept open."""

    def __init__(self) -> None:
        self.asked: list[Pending] = []
        self.closed = False

    def ask(self) -> Pending:
        self.asked.append(Pending())
        return self.asked[-1]

    def close(self) -> None:
        self.closed = True


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.clock = Clock(wall=lambda: 1_000 + self.now_s, monotonic=lambda: self.now_s)


def questions(time: Time, **servers: Server) -> Questions[Any]:
    clients = cast(dict[str, CodeServerClient], servers)
    return Questions(
        clients, lambda client: cast(Call[Any], cast(Any, client).ask()), clock=time.clock
    )


class Impatient:
    """Questions that never wait: simulated time does not pass by itself."""

    def __init__(self, asked: Questions[Any]) -> None:
        self._asked = asked

    def round(self, *, patience_s: float) -> Any:
        return self._asked.round(patience_s=NO_WAIT_S)

    def close(self) -> None:
        self._asked.close()


def probe(time: Time, **servers: Server) -> ProbeDevice:
    return ProbeDevice(cast(Questions[str], Impatient(questions(time, **servers))))


def ping(time: Time, **servers: Server) -> PingDevice:
    return PingDevice(cast(Questions[PingMetrics], Impatient(questions(time, **servers))))


def test_an_answer_is_stamped_when_it_came_with_the_time_it_took() -> None:
    time, server = Time(), Server()
    device = probe(time, a=server)
    device.read()
    time.now_s = 0.3
    server.asked[0].end("id")
    time.now_s = 1.0
    assert device.read().stamped == [
        (1_000.3, "a", "probe_lost", 0.0),
        (1_000.3, "a", "probe_s", pytest.approx(0.3)),
    ]


def test_a_lost_probe_has_no_time() -> None:
    time, server = Time(), Server()
    device = probe(time, a=server)
    device.read()
    time.now_s = 5.0
    server.asked[0].end(None)
    assert device.read().stamped == [(1_005.0, "a", "probe_lost", 1.0)]


def test_a_server_still_thinking_is_not_asked_again_and_the_beat_says_so() -> None:
    time, server = Time(), Server()
    device = probe(time, a=server)
    device.read()
    assert device.read().values == {("a", "probe_skipped"): 1.0}
    assert len(server.asked) == 1


def test_a_slow_server_does_not_keep_its_neighbour_from_being_asked() -> None:
    time, slow, quick = Time(), Server(), Server()
    device = probe(time, slow=slow, quick=quick)
    device.read()
    quick.asked[0].end("id")
    reading = device.read()
    assert {source for _, source, *_ in reading.stamped} == {"quick"}
    assert (len(slow.asked), len(quick.asked)) == (1, 2)


def test_after_an_answer_the_next_beat_asks_again() -> None:
    time, server = Time(), Server()
    device = probe(time, a=server)
    device.read()
    server.asked[0].end("id")
    assert device.read().values == {}
    assert len(server.asked) == 2


def test_questions_given_up_by_closing_are_not_lost_probes() -> None:
    time, server = Time(), Server()
    device = probe(time, a=server)
    device.read()
    device.close()
    server.asked[0].end(None)
    reading = device.read()
    assert server.closed
    assert (reading.values, reading.stamped) == ({}, [])


def test_a_ping_tells_when_it_was_asked_and_answered_and_what_the_server_said() -> None:
    time, server = Time(), Server()
    device = ping(time, a=server)
    device.read()
    time.now_s = 12.0
    server.asked[0].end(METRICS)
    told = {key: value for _, _, key, value in device.read().stamped}
    assert told == {
        "ping_failed": 0.0,
        "ping_s": 12.0,
        "ping_asked_s": 1_000.0,
        "ping_answered_s": 1_012.0,
        "ping_queued": 7.0,
        "ping_running": 2.0,
        "ping_max": 4.0,
    }


def test_metrics_a_server_does_not_report_are_absent() -> None:
    time, server = Time(), Server()
    device = ping(time, a=server)
    device.read()
    server.asked[0].end(PingMetrics())
    keys = {key for _, _, key, _ in device.read().stamped}
    assert keys == {"ping_failed", "ping_s", "ping_asked_s", "ping_answered_s"}


def test_a_failed_ping_is_counted_and_tells_nothing_else() -> None:
    time, server = Time(), Server()
    device = ping(time, a=server)
    device.read()
    server.asked[0].end(None)
    assert [(key, value) for _, _, key, value in device.read().stamped] == [("ping_failed", 1.0)]


@pytest.mark.parametrize(
    ("serialized", "metrics"),
    [
        (
            '{"request_utilization": {"max_concurrent_requests": 4, "num_running_requests": 2,'
            ' "num_queued_requests": 7}, "server_id": "x"}',
            METRICS,
        ),
        (
            '{"request_utilization": {"max_concurrent_requests": null,'
            ' "num_running_requests": null, "num_queued_requests": null}}',
            PingMetrics(),
        ),
        ("", PingMetrics()),
        ("{}", PingMetrics()),
        ("[]", PingMetrics()),
        ('{"request_utilization": {"num_queued_requests": 0}}', PingMetrics(queued=0)),
        ('{"request_utilization": {"num_queued_requests": "3"}}', PingMetrics()),
    ],
)
def test_metrics_are_read_as_far_as_they_are_there(serialized: str, metrics: PingMetrics) -> None:
    assert replace(read_metrics(serialized), container=metrics.container) == metrics


@pytest.mark.parametrize(
    ("serialized", "runs"),
    [
        ('{"__class__": "GetCurrentRunsResult", "current_runs": ["a", "b"]}', ("a", "b")),
        ('{"current_runs": []}', ()),
        ('{"current_runs": null}', ()),
        ("", ()),
        ("[]", ()),
    ],
)
def test_current_runs_are_read_as_far_as_they_are_there(
    serialized: str, runs: tuple[str, ...]
) -> None:
    assert read_current_runs(serialized) == runs
