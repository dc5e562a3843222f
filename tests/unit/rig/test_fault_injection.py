"""One fault of one step: when it strikes, when it is taken back, and what it never hides.

Threads are real; nobody waits for time to pass, but for what the other side does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import Clock, FakeListener, FakeLoad, FakeTarget, FakeTelemetry, endpoints

from harness.campaign.faults import FaultKind
from harness.campaign.plan import Campaign
from harness.campaign.profiles import parse_profile
from harness.errors import Interrupted, TargetFailed
from harness.facts.layout import CellFolder
from harness.facts.model import Event
from harness.facts.store import CellWriter
from harness.rig import fault_injection
from harness.rig.breaking import Breakable, FaultOrder, StaysBroken
from harness.rig.fault_injection import Injection
from harness.rig.orders import Progress
from harness.rig.parts import Rig
from harness.rig.protocols import StepOrder
from harness.rig.stepper import Stepper

pytestmark = pytest.mark.unit

SOON_S = 20.0
"""How long a test waits for another thread; nothing is measured by it."""

NEVER_S = 3600.0


@dataclass
class Breaking:
    """A target that breaks, and is mended, unless it cannot be; and what was done to it."""

    cannot_break: bool = False
    cannot_mend: bool = False
    breaks_with: Exception | None = None
    mends_with: Exception | None = None
    at_s: float = 990.0
    detail: dict[str, Any] = field(default_factory=lambda: {"container": "db"})
    done: list[str] = field(default_factory=list)
    struck: threading.Event = field(default_factory=threading.Event)
    mended: threading.Event = field(default_factory=threading.Event)
    may_mend: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_mend.set()

    def break_(self, kind: FaultKind) -> Breaking:
        self.done.append(f"break {kind}")
        self.struck.set()
        if self.cannot_break:
            raise TargetFailed("It could not be done.", evidence="no such container")
        if self.breaks_with is not None:
            raise self.breaks_with
        return self

    def mend(self) -> None:
        self.may_mend.wait(SOON_S)
        self.done.append("mend")
        self.mended.set()
        if self.mends_with is not None:
            raise self.mends_with
        if self.cannot_mend:
            raise TargetFailed("What was broken stays broken.", evidence="the engine is gone")


def order(
    after_s: float = 0.0, lasts_s: float = NEVER_S, kind: FaultKind = "database-pause"
) -> FaultOrder:
    return FaultOrder(kind=kind, after_s=after_s, lasts_s=lasts_s)


def phase(name: str) -> Progress:
    return Progress(phase=name, in_flight=1, sent=1, completed=0, failed=0)


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.source) for event in events]


def struck_in(
    injection: Injection, target: Breaking, *, ends_with: BaseException | None = None
) -> None:
    """A step that ends as soon as the fault has struck, well or with this error."""
    with injection:
        injection.seen(phase("hold"))
        assert target.struck.wait(SOON_S)
        if ends_with is not None:
            raise ends_with


STRUCK, MENDED = ("fault", "database-pause"), ("fault_mended", "database-pause")


@pytest.fixture
def news() -> list[str]:
    return []


@pytest.fixture
def inject(news: list[str]) -> Callable[..., Injection]:
    clock = iter(range(1000, 2000))

    def make(target: Breakable, **how: Any) -> Injection:
        return Injection(order(**how), target, say=news.append, clock=lambda: float(next(clock)))

    return make


Inject = Callable[..., Injection]


class TestStriking:
    @pytest.mark.parametrize("before", ["ramp", "settle", "drain"])
    def test_not_before_the_hold(self, inject: Inject, before: str) -> None:
        target = Breaking()
        with inject(target) as injection:
            injection.seen(phase(before))
        assert target.done == []
        assert told(injection.events) == [("fault_missed", "database-pause")]

    def test_some_time_after_the_holds_first_news(self, inject: Inject) -> None:
        target = Breaking()
        with inject(target) as injection:
            injection.seen(phase("ramp"))
            injection.seen(phase("hold"))
            assert target.struck.wait(SOON_S)
        assert target.done[0] == "break database-pause"
        assert injection.events[0].detail == {"container": "db"}

    def test_its_moment_is_the_one_the_target_names(self, inject: Inject) -> None:
        """A run that is killed has ended before anybody hears that it was."""
        target = Breaking(at_s=123.0)
        struck_in(injection := inject(target), target)
        assert injection.events[0].at_s == 123.0

    def test_once_however_often_the_hold_is_in_the_news(self, inject: Inject) -> None:
        target = Breaking()
        with inject(target) as injection:
            for _ in range(5):
                injection.seen(phase("hold"))
            assert target.struck.wait(SOON_S)
            injection.seen(phase("drain"))
            injection.seen(phase("hold"))
        assert target.done == ["break database-pause", "mend"]

    def test_not_at_all_where_the_step_ends_first(self, inject: Inject, news: list[str]) -> None:
        target = Breaking()
        with inject(target, after_s=NEVER_S) as injection:
            injection.seen(phase("hold"))
        assert target.done == []
        (missed,) = injection.events
        assert missed.kind == "fault_missed"
        assert missed.detail == {"why": "the step ended before it could strike"}
        assert news == ["Not struck: database-pause (why the step ended before it could strike)"]

    def test_what_cannot_be_broken_is_missed_and_the_step_goes_on(self, inject: Inject) -> None:
        target = Breaking(cannot_break=True)
        with inject(target) as injection:
            injection.seen(phase("hold"))
            assert target.struck.wait(SOON_S)
        assert target.done == ["break database-pause"]
        (missed,) = injection.events
        assert missed.kind == "fault_missed"
        assert missed.detail == {"why": "It could not be done. no such container"}

    def test_what_went_wrong_and_stays_broken_ends_the_measurement(
        self, inject: Inject, news: list[str]
    ) -> None:
        target = Breaking(breaks_with=StaysBroken("It stays so.", evidence="no such device"))
        injection = inject(target)
        with pytest.raises(TargetFailed, match="pause could not be taken back") as raised:
            struck_in(injection, target)
        assert raised.value.evidence == "It stays so. no such device"
        assert injection.events == []
        assert news == []

    @pytest.mark.parametrize("where", ["breaks_with", "mends_with"])
    def test_no_error_is_lost_in_the_thread(self, inject: Inject, where: str) -> None:
        """A fault of the harness is told as one, not as a fault that did not strike."""
        error = ValueError("no JSON")
        target = Breaking(**{where: error})  # type: ignore[arg-type]
        injection = inject(target)
        with pytest.raises(ValueError, match="no JSON") as raised:
            struck_in(injection, target)
        assert raised.value is error
        assert "fault_missed" not in {event.kind for event in injection.events}

    def test_nor_does_it_hide_what_broke_the_step_off(self, inject: Inject) -> None:
        target = Breaking(breaks_with=ValueError("no JSON"))
        with pytest.raises(Interrupted):
            struck_in(inject(target), target, ends_with=Interrupted("Ctrl-C"))


class TestMending:
    def test_after_its_time(self, inject: Inject) -> None:
        target = Breaking()
        with inject(target, lasts_s=0.001) as injection:
            injection.seen(phase("hold"))
            assert target.mended.wait(SOON_S)  # while the step goes on
        assert told(injection.events) == [STRUCK, MENDED]
        assert injection.events[0].at_s < injection.events[1].at_s
        assert target.done == ["break database-pause", "mend"]

    def test_at_once_where_the_step_ends_early(self, inject: Inject) -> None:
        target = Breaking()
        with inject(target) as injection:
            injection.seen(phase("hold"))
            assert target.struck.wait(SOON_S)
            assert not target.mended.is_set()
        assert target.mended.is_set()
        assert told(injection.events) == [STRUCK, MENDED]

    @pytest.mark.parametrize("error", [TargetFailed("gone"), KeyboardInterrupt(), ValueError("x")])
    def test_at_once_where_the_step_breaks_off_which_stays_the_news(
        self, inject: Inject, error: BaseException
    ) -> None:
        target = Breaking()
        with pytest.raises(type(error)) as raised:
            struck_in(inject(target), target, ends_with=error)
        assert raised.value is error
        assert target.done == ["break database-pause", "mend"]

    def test_that_fails_ends_the_measurement(self, inject: Inject) -> None:
        target = Breaking(cannot_mend=True)
        injection = inject(target)
        with pytest.raises(TargetFailed, match="pause could not be taken back") as raised:
            struck_in(injection, target)
        assert raised.value.evidence == "What was broken stays broken. the engine is gone"
        assert told(injection.events) == [STRUCK]

    def test_that_fails_never_hides_what_broke_the_step_off(self, inject: Inject) -> None:
        target = Breaking(cannot_mend=True)
        with pytest.raises(Interrupted):
            struck_in(inject(target), target, ends_with=Interrupted("Ctrl-C"))

    def test_of_which_nothing_is_heard_ends_the_measurement_too(
        self, inject: Inject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fault_injection, "PATIENCE_S", 0.001)
        target = Breaking()
        target.may_mend.clear()
        with pytest.raises(TargetFailed, match="could not be taken back"):
            struck_in(inject(target), target)
        target.may_mend.set()
        assert target.mended.wait(SOON_S)


class TestNews:
    def test_both_are_told_in_the_thread_of_the_step(self, inject: Inject, news: list[str]) -> None:
        target = Breaking()
        with inject(target, lasts_s=0.001) as injection:
            injection.seen(phase("hold"))
            assert target.mended.wait(SOON_S)
        assert news == ["Fault: database-pause (container db)", "Taken back: database-pause"]

    def test_a_kill_is_not_taken_back(self, inject: Inject, news: list[str]) -> None:
        target = Breaking()
        with inject(target, lasts_s=0.0, kind="server-kill") as injection:
            injection.seen(phase("hold"))
            assert target.mended.wait(SOON_S)
        assert news == ["Fault: server-kill (container db)"]


class BreakableTarget(FakeTarget):
    """A fake target whose parts break."""

    def __init__(self, breaking: Breaking, **more: Any) -> None:
        super().__init__(**more)
        self.breaking = breaking

    def break_(self, kind: FaultKind) -> Breaking:
        return self.breaking.break_(kind)


@dataclass
class Bench:
    """A stepper among fakes; its step ends when the fault has struck."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    listener: FakeListener = field(default_factory=FakeListener)

    def run(self, target: FakeTarget, fault: FaultOrder | None) -> tuple[str, list[Event]]:
        """Outcome of the step, and the events it left on disk."""
        campaign = Campaign(
            name="test", profiles=(parse_profile("1vcpu-2gb"),), workloads=({"name": "io"},)  # type: ignore[arg-type]
        )  # fmt: skip
        (self.folder / "cell").mkdir(exist_ok=True)
        writer = CellWriter(CellFolder(self.folder / "cell"))
        rig = Rig(
            target=target, load=FakeLoad(self.clock), telemetry=FakeTelemetry(), writer=writer,
            journal=lambda _: None, listener=self.listener, clock=self.clock.time,
            sleep=self.clock.sleep,
        )  # fmt: skip
        wanted = StepOrder(kind="fault", concurrency=2, repetition=1, reason="r", fault=fault)
        step, _ = Stepper(campaign, next(campaign.cells()), rig).run(wanted, endpoints())
        stored = CellFolder(self.folder / "cell").events_jsonl
        lines = stored.read_text(encoding="utf-8").splitlines() if stored.exists() else []
        return step.outcome, [Event(**json.loads(line)) for line in lines]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestWithinAStep:
    def test_its_events_are_facts_of_the_step(self, bench: Bench) -> None:
        breaking = Breaking()
        target = BreakableTarget(breaking, die_when=lambda: not breaking.struck.wait(SOON_S))
        outcome, events = bench.run(target, order())
        assert outcome == "completed"
        assert told(events) == [STRUCK, MENDED]
        assert breaking.done == ["break database-pause", "mend"]
        assert any(line.startswith("Fault: database-pause") for line in bench.listener.news)

    def test_a_server_that_dies_of_it_ends_the_step_and_it_is_mended_first(
        self, bench: Bench
    ) -> None:
        breaking = Breaking()
        target = BreakableTarget(breaking, die_when=lambda: breaking.struck.wait(SOON_S))
        outcome, events = bench.run(target, order())
        assert outcome == "aborted"
        assert [kind for kind, _ in told(events)] == ["fault", "fault_mended", "server_died"]

    def test_a_target_that_stays_broken_is_told_and_not_measured_on(self, bench: Bench) -> None:
        breaking = Breaking(cannot_mend=True)
        target = BreakableTarget(breaking, die_when=lambda: not breaking.struck.wait(SOON_S))
        with pytest.raises(TargetFailed, match="could not be taken back"):
            bench.run(target, order())

    def test_a_target_that_cannot_be_broken_is_loaded_all_the_same(self, bench: Bench) -> None:
        assert not isinstance(FakeTarget(), Breakable)
        assert bench.run(FakeTarget(), order()) == ("completed", [])

    def test_nothing_is_broken_where_nothing_is_asked_for(self, bench: Bench) -> None:
        breaking = Breaking()
        assert bench.run(BreakableTarget(breaking), None) == ("completed", [])
        assert breaking.done == []
