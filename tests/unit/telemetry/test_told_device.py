"""A server that speaks for itself: asked seldom, stamped when it answered."""

from __future__ import annotations

from typing import cast

import pytest

from harness.facts.model import Limits, Sample
from harness.rig.code_server_rpc import PingMetrics
from harness.rig.protocols import Endpoints, Replica
from harness.rig.server_word import ServerWord
from harness.rig.telemetry import told
from harness.rig.telemetry.probe import Answer, Questions
from harness.rig.telemetry.suite import PeakWatch
from harness.rig.telemetry.told import EVERY_S, ToldDevice

pytestmark = pytest.mark.unit

WORD = ServerWord(memory_bytes=3e8, cpu_s=12.0, cgroup="V1", working_set=True)
NONE = Limits(cpu_cores=None, memory_bytes=None)


class Asked:
    """Questions whose answers the test puts in."""

    def __init__(self) -> None:
        self.rounds = 0
        self.answers: list[Answer[PingMetrics]] = []
        self.closed = False

    def round(self, *, patience_s: float) -> tuple[list[Answer[PingMetrics]], list[str]]:
        assert patience_s == 0
        self.rounds += 1
        return self.ended(), []

    def ended(self) -> list[Answer[PingMetrics]]:
        found, self.answers = self.answers, []
        return found

    def close(self) -> None:
        self.closed = True


class Time:
    now_s = 0.0


def device(asked: Asked, time: Time) -> ToldDevice:
    return ToldDevice(
        cast(Questions[PingMetrics], asked), ("a",), monotonic=lambda: time.now_s, wall=lambda: 50.0
    )


def answer(word: ServerWord | None) -> Answer[PingMetrics]:
    value = None if word is None else PingMetrics(container=word)
    return Answer(source="a", asked_s=9.0, answered_s=10.5, took_s=1.5, value=value)


def test_it_asks_every_few_seconds_however_often_it_is_looked_at() -> None:
    asked, time = Asked(), Time()
    found = device(asked, time)
    for beat in range(51):
        time.now_s = beat * 0.2
        found.read()
    assert asked.rounds == 1 + int(10 / EVERY_S)


def test_what_was_told_is_stamped_when_it_came() -> None:
    asked = Asked()
    asked.answers = [answer(WORD)]
    assert device(asked, Time()).read().stamped == [
        (10.5, "a", "usage_bytes", 3e8),
        (10.5, "a", "working_set_bytes", 3e8),
        (10.5, "a", "cpu_s", 12.0),
    ]


def test_memory_that_may_have_cache_in_it_is_not_called_the_working_set() -> None:
    asked = Asked()
    asked.answers = [answer(ServerWord(memory_bytes=3e8, cpu_s=1.0, cgroup="V1"))]
    keys = [key for _, _, key, _ in device(asked, Time()).read().stamped]
    assert keys == ["usage_bytes", "cpu_s"]


@pytest.mark.parametrize("word", [None, ServerWord(why="metrics are off")])
def test_an_answer_that_tells_nothing_leaves_nothing(word: ServerWord | None) -> None:
    asked = Asked()
    asked.answers = [answer(word)]
    assert device(asked, Time()).read().stamped == []


def test_whose_word_it_is_goes_on_record_once() -> None:
    found = device(Asked(), Time())
    (event,) = found.read().events
    assert (event.kind, event.source) == ("fallback", "a")
    assert "own word" in event.detail["instead"]
    assert found.read().events == []


def test_closing_closes_the_connections() -> None:
    asked = Asked()
    device(asked, Time()).close()
    assert asked.closed


@pytest.mark.parametrize("tells", [True, False])
def test_only_replicas_that_tell_are_asked(tells: bool) -> None:
    replica = Replica(name="a", grpc_address="127.0.0.1:1", limits=NONE, tells=tells)
    there = Endpoints(webserver_url="", location="", database_dsn=None, replicas=(replica,))
    found = told.offer(there)
    assert (found is not None) is tells
    if found is not None:
        found.close()


def test_the_peak_of_a_server_that_tells_is_told() -> None:
    peaks = PeakWatch({}, clock=lambda: 0.0, telling={"a"})
    peaks.begin()
    samples: list[Sample] = [sample(2e8), sample(3e8), sample(1e8)]
    peaks.notice(samples)
    assert peaks.highest() == (3e8, "told")


def sample(value: float) -> Sample:
    return Sample(
        device="cgroup", source="a", key="usage_bytes", due_s=1.0, taken_s=1.0, value=value
    )
