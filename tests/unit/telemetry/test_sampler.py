"""The schedule of one device, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.facts.model import Event, Sample
from harness.rig.protocols import DeviceCost, Reading
from harness.rig.telemetry.sampler import Clock, CostLedger, DeviceLoop

pytestmark = pytest.mark.unit

EPOCH_S = 1_700_000_000.0


class Time:
    """Passes only when told to; CPU time passes at half the speed."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.clock = Clock(
            wall=lambda: EPOCH_S + self.now_s,
            monotonic=lambda: 50.0 + self.now_s,
            thread_cpu=lambda: self.now_s / 2,
        )

    def pass_by(self, duration_s: float) -> None:
        self.now_s += duration_s


class Instrument:
    """A 1 Hz device whose reads do what the script says, then nothing special."""

    def __init__(self, *script: Callable[[], Reading]) -> None:
        self.cost = DeviceCost(name="thing", reads="", rate_hz=1.0, cost="")
        self._script = list(script)

    def read(self) -> Reading:
        action = self._script.pop(0) if self._script else one
        return action()

    def close(self) -> None: ...


class Notebook:
    """Keeps what the loop hands on."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.events: list[Event] = []

    def __call__(self, samples: Sequence[Sample], events: Sequence[Event]) -> None:
        self.samples += samples
        self.events += events

    def values(self, key: str) -> list[float]:
        return [sample.value for sample in self.samples if sample.key == key]

    def due(self, key: str) -> list[float]:
        return [sample.due_s - EPOCH_S for sample in self.samples if sample.key == key]

    def taken(self, key: str) -> list[float]:
        return [sample.taken_s - EPOCH_S for sample in self.samples if sample.key == key]


def one() -> Reading:
    return Reading(values={("it", "key"): 1.0})


def broken() -> Reading:
    raise OSError("no such file\nand a second line")


def slow(time: Time, duration_s: float) -> Callable[[], Reading]:
    def read() -> Reading:
        time.pass_by(duration_s)
        return one()

    return read


def watched(time: Time, *script: Callable[[], Reading]) -> tuple[DeviceLoop, Notebook, CostLedger]:
    notebook, ledger = Notebook(), CostLedger()
    loop = DeviceLoop(Instrument(*script), sink=notebook, ledger=ledger, clock=time.clock)
    return loop, notebook, ledger


def go(loop: DeviceLoop, time: Time, beats: int) -> None:
    for _ in range(beats):
        time.pass_by(loop.beat())


def test_a_quick_device_is_read_on_every_beat() -> None:
    time = Time()
    loop, notebook, _ = watched(time)
    go(loop, time, 4)
    assert notebook.due("key") == pytest.approx([0, 1, 2, 3])
    assert notebook.taken("key") == pytest.approx([0, 1, 2, 3])
    assert notebook.values("missed") == []


def test_beats_passed_during_a_slow_read_are_skipped_and_counted_not_caught_up() -> None:
    time = Time()
    loop, notebook, _ = watched(time, one, slow(time, 3.4), one)
    go(loop, time, 4)
    assert notebook.due("key") == pytest.approx([0, 1, 5, 6])
    assert notebook.values("missed") == [3.0]


def test_a_slow_read_shows_in_taken_minus_due() -> None:
    time = Time()
    loop, notebook, _ = watched(time, slow(time, 0.4))
    go(loop, time, 1)
    assert notebook.taken("key")[0] - notebook.due("key")[0] == pytest.approx(0.4)


def test_a_late_wake_up_shows_in_taken_minus_due_and_does_not_shift_the_schedule() -> None:
    time = Time()
    loop, notebook, _ = watched(time)
    time.pass_by(loop.beat() + 0.3)
    go(loop, time, 2)
    assert notebook.due("key") == pytest.approx([0, 1, 2])
    assert notebook.taken("key") == pytest.approx([0, 1.3, 2])


def test_the_missed_count_runs_on() -> None:
    time = Time()
    loop, notebook, _ = watched(time, slow(time, 1.5), slow(time, 2.5))
    go(loop, time, 3)
    assert notebook.values("missed") == [1.0, 3.0]


def test_a_failing_device_is_counted_and_read_again() -> None:
    time = Time()
    loop, notebook, _ = watched(time, broken, one, broken)
    go(loop, time, 3)
    assert notebook.values("errors") == [1.0, 2.0]
    assert notebook.values("key") == [1.0]


def test_only_the_first_error_becomes_an_event_and_it_is_one_line() -> None:
    time = Time()
    loop, notebook, _ = watched(time, broken, broken)
    go(loop, time, 2)
    (event,) = notebook.events
    assert (event.kind, event.source) == ("device_error", "thing")
    assert event.detail == {"error": "OSError: no such file"}


def test_counts_of_the_sampler_name_the_observer_as_their_source() -> None:
    time = Time()
    loop, notebook, _ = watched(time, broken)
    go(loop, time, 1)
    assert [(s.device, s.source, s.key) for s in notebook.samples] == [
        ("thing", "observer", "errors")
    ]


def test_remote_stamps_are_kept_as_due_and_taken() -> None:
    time = Time()
    at_s = EPOCH_S - 0.25
    loop, notebook, _ = watched(time, lambda: Reading(stamped=[(at_s, "it", "far", 7.0)]))
    go(loop, time, 1)
    (sample,) = notebook.samples
    assert (sample.due_s, sample.taken_s, sample.value) == (at_s, at_s, 7.0)


def test_events_of_a_device_are_handed_on() -> None:
    time = Time()
    event = Event(at_s=1.0, kind="oom_kill", source="it")
    loop, notebook, _ = watched(time, lambda: Reading(events=[event]))
    go(loop, time, 1)
    assert notebook.events == [event]


def test_the_thread_time_of_reads_is_charged_to_the_device() -> None:
    time = Time()
    loop, _, ledger = watched(time, slow(time, 0.4), slow(time, 0.2))
    go(loop, time, 2)
    assert ledger.totals() == {"thing": pytest.approx(0.3)}


def test_running_ends_when_the_wait_says_stopped() -> None:
    time = Time()
    loop, notebook, _ = watched(time)
    waits: list[float] = []

    def stopped(wait_s: float) -> bool:
        waits.append(wait_s)
        time.pass_by(wait_s)
        return len(waits) > 2

    loop.run(stopped)
    assert waits == pytest.approx([1, 1, 1])
    assert notebook.due("key") == pytest.approx([0, 1, 2])
