"""Several load workers as one: places, clocks, the start, and one record of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from factory_load import order

from harness.rig.load.crew import ALONE, LEAD_S, Foreman, Member, Place, offset_s
from harness.rig.load.crew_record import CrewRecord
from harness.rig.orders import LoadOrder

pytestmark = pytest.mark.unit


@dataclass
class Wire:
    """Master and workers joined by calls; a message takes `delay_s` of the true time, or the next
    of `delays`.
    """

    delay_s: float = 0.01
    delays: Iterator[float] = field(default_factory=lambda: iter(()))
    now_s: float = 1000.0
    foreman: dict[str, Callable[..., None]] = field(default_factory=dict)
    members: dict[str, dict[str, Callable[..., None]]] = field(default_factory=dict)

    def master(self) -> Any:
        def send(kind: str, data: Any = None, client_id: str | None = None) -> None:
            self.now_s += next(self.delays, self.delay_s)
            for name, listeners in self.members.items():
                if client_id in (None, name):
                    listeners[kind](msg=SimpleNamespace(node_id="master", data=data))

        return SimpleNamespace(
            send_message=send, register_message=lambda kind, take: self.foreman.update({kind: take})
        )

    def worker(self, name: str) -> Any:
        listeners = self.members.setdefault(name, {})

        def send(kind: str, data: Any = None, client_id: str | None = None) -> None:
            self.now_s += next(self.delays, self.delay_s)
            self.foreman[kind](msg=SimpleNamespace(node_id=name, data=data))

        return SimpleNamespace(
            send_message=send, register_message=lambda kind, take: listeners.update({kind: take})
        )


@dataclass
class Crewed:
    """A foreman with two members whose clocks are wrong by `wrong_s`."""

    wrong_s: tuple[float, float] = (0.0, 0.0)
    written: list[dict[str, Any]] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    told: list[tuple[LoadOrder, Place]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.wire = Wire()
        self.foreman = Foreman(
            self.wire.master(), order(concurrency=4), 2, write=self.written.append,
            finish=self.finished.append, clock=lambda: self.wire.now_s,
        )  # fmt: skip
        self.members = [self._member(number) for number in range(2)]

    def _member(self, number: int) -> Member:
        return Member(
            self.wire.worker(f"worker-{number}"),
            order_came=lambda came, place: self.told.append((came, place)),
            start_came=self._started,
            host=f"bench-{number}",
            clock=lambda: self.wire.now_s + self.wrong_s[number],
        )

    def hello(self) -> None:
        """All workers say hello."""
        for member in self.members:
            member.hello()

    def check(self) -> None:
        """The master looks who is there."""
        self.foreman.check(lambda node: node not in self.gone)

    def _started(self, start_s: float, first: int) -> None:
        self.starts.append(start_s)
        self.firsts.append(first)


def test_every_worker_is_told_the_whole_order_and_a_place_of_its_own() -> None:
    crew = Crewed()
    crew.hello()
    assert [place.index for _, place in crew.told] == [0, 1]
    assert {place.count for _, place in crew.told} == {2}
    assert [came for came, _ in crew.told] == [order(concurrency=4)] * 2


def test_all_start_at_one_moment_once_the_last_is_ready() -> None:
    crew = Crewed(wrong_s=(5.0, -3.0))
    crew.hello()
    crew.members[0].ready(3)
    assert crew.starts == []
    crew.members[1].ready(1)
    here = [start - wrong for start, wrong in zip(crew.starts, crew.wrong_s, strict=True)]
    assert here[0] == pytest.approx(here[1])
    assert here[0] == pytest.approx(crew.wire.now_s - 2 * crew.wire.delay_s + LEAD_S)
    assert crew.firsts == [0, 3]  # users are numbered through


def test_records_come_with_the_stamps_of_the_master_s_clock() -> None:
    crew = Crewed(wrong_s=(0.0, 60.0))
    crew.hello()
    crew.members[1].write({"kind": "sent", "n": 0, "sent_s": 1063.0, "start_s": 1.0})
    crew.members[1].flush()
    crew.members[1].flush()
    clock, sent = crew.written
    assert clock["kind"] == "clock"
    assert clock["offset_s"] == pytest.approx(-60)
    assert sent["sent_s"] == pytest.approx(1003)
    assert (sent["start_s"], sent["w"]) == (1.0, 1)  # the server's own stamp stays


def test_it_ends_when_the_last_is_done() -> None:
    crew = Crewed()
    crew.hello()
    crew.members[0].done()
    assert crew.finished == []
    crew.members[1].done()
    assert crew.finished == [0]


def test_a_worker_that_is_lost_ends_the_step() -> None:
    crew = Crewed()
    crew.hello()
    crew.check()
    assert crew.finished == []
    crew.gone.add("worker-1")
    crew.check()
    assert crew.finished == [1]
    assert crew.written[-1]["error"] == "1 of 2 load workers were lost (host bench-1)"


def test_a_worker_that_is_done_may_go() -> None:
    crew = Crewed()
    crew.hello()
    crew.members[1].done()
    crew.gone.add("worker-1")
    crew.check()
    assert crew.finished == []


def test_a_worker_of_another_harness_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crewed()
    monkeypatch.setattr("harness.rig.load.crew.__version__", "0.0.9")
    told = {"t0": 0.0, "host": "bench-7", "harness": "0.1.0"}
    crew.wire.foreman["crew_hello"](msg=SimpleNamespace(node_id="worker-7", data=told))
    assert crew.finished == [1]
    assert (
        crew.written[-1]["error"] == "the load worker on bench-7 runs harness 0.1.0, this is 0.0.9"
    )
    assert crew.told == []


def test_of_several_answers_the_quickest_tells_the_clock() -> None:
    crew = Crewed(wrong_s=(7.0, 0.0))
    crew.wire.delays = iter([0.5, 0.1, 0.01, 0.01, 3.0, 1.0, 2.0, 2.5, 0.4, 0.2])
    crew.members[0].hello()
    ((_, place),) = crew.told
    assert place.offset_s == pytest.approx(-7.0)
    assert place.uncertainty_s == pytest.approx(0.01)


def test_a_clock_is_off_by_no_more_than_the_time_on_the_way() -> None:
    crew = Crewed(wrong_s=(7.0, 0.0))
    crew.wire.delays = iter([0.3, 0.0] * 5)
    crew.members[0].hello()
    ((_, place),) = crew.told
    assert abs(place.offset_s + 7.0) <= place.uncertainty_s + 1e-9
    assert place.uncertainty_s == pytest.approx(0.15)


def test_a_clock_s_lack_is_found_where_both_ways_take_as_long() -> None:
    assert offset_s(100.0, 207.0, 208.0, 115.0) == pytest.approx(100.0)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_shares_add_up_to_the_whole(count: int) -> None:
    places = [Place(index=index, count=count, offset_s=0) for index in range(count)]
    moments = [float(number) for number in range(10)]
    assert sorted(m for place in places for m in place.share(iter(moments))) == moments
    assert sum(place.limit(10) or 0 for place in places) == 10


def test_alone_nothing_is_shared() -> None:
    assert ALONE.limit(5) == 5
    assert ALONE.limit(None) is None
    assert list(ALONE.share(iter([1.0, 2.0]))) == [1.0, 2.0]
    assert ALONE.here_s(3.0) == 3.0


class TestRecord:
    def lines(self, worker: int, *, sent_s: float, drain_s: float) -> list[dict[str, Any]]:
        of = {"w": worker}
        return [
            {"kind": "phase", "name": "hold", "at_s": 10.0 + worker, **of},
            {"kind": "sent", "n": 0, "user": worker, "job": "load", "intended_s": sent_s,
             "sent_s": sent_s, **of},
            {"kind": "status", "phase": "hold", "in_flight": 1, "sent": 1, "completed": 0,
             "failed": 0, "poll_errors": 0, "cpu_s": 0.0, "at_s": 10.0, **of},
            {"kind": "status", "phase": "hold", "in_flight": 1, "sent": 1, "completed": 0,
             "failed": 0, "poll_errors": 0, "cpu_s": 1.0, "at_s": 12.0, **of},
            {"kind": "phase", "name": "drain", "at_s": drain_s, **of},
            {"kind": "done", "at_s": drain_s + 1, "reason": "drained", **of},
        ]  # fmt: skip

    def record(self) -> CrewRecord:
        record = CrewRecord(3, 2)
        for line in self.lines(1, sent_s=11.0, drain_s=21.0):
            record.add(line)
        assert record.done_s is None  # the other has not even begun
        for line in self.lines(0, sent_s=11.5, drain_s=20.0):
            record.add(line)
        return record

    def test_runs_of_all_come_in_the_order_they_were_sent(self) -> None:
        outcome = self.record().outcome(abort_reason="", end_s=30.0)
        assert [run.user for run in outcome.runs] == [1, 0]
        assert outcome.generator_cpu_cores == pytest.approx(1.0)

    def test_progress_and_the_end_are_everybody_s(self) -> None:
        record = self.record()
        assert record.progress is not None
        assert (record.progress.in_flight, record.progress.sent) == (2, 2)
        assert record.done_s == 22.0
        assert record.sent_count == 2

    def test_a_phase_begins_when_the_last_worker_is_in_it(self) -> None:
        outcome = self.record().outcome(abort_reason="", end_s=30.0)
        assert [(p.name, p.start_s, p.end_s) for p in outcome.phases] == [
            ("hold", 11.0, 21.0), ("drain", 21.0, 30.0),
        ]  # fmt: skip

    def test_ends_that_only_the_poll_saw_are_those_of_all(self) -> None:
        record = self.record()
        for worker in (0, 1):
            line = {"kind": "accepted", "n": 0, "run_id": f"r{worker}", "at_s": 12.0, "w": worker}
            record.add(line)
            record.add({"kind": "ended", "n": 0, "status": "SUCCESS", "at_s": 13.0, "start_s": None,
                        "end_s": None, "w": worker})  # fmt: skip
        assert record.outcome(abort_reason="", end_s=30.0).ends_seen == {"r0", "r1"}

    def test_who_took_part_is_an_event_with_what_its_clock_lacked(self) -> None:
        record = self.record()
        record.add({"kind": "clock", "at_s": 9.0, "host": "bench-2", "offset_s": -0.25,
                    "uncertainty_s": 0.002, "w": 1})  # fmt: skip
        (event,) = record.outcome(abort_reason="", end_s=30.0).events
        assert (event.at_s, event.kind, event.source) == (9.0, "load_worker", "generator")
        assert event.detail == {
            "index": 1, "step": 3, "host": "bench-2", "offset_s": -0.25, "uncertainty_s": 0.002,
        }  # fmt: skip
