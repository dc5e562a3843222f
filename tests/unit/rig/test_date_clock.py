"""What the dates of a webserver's answers tell of its clock, in simulated time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from fakes import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.rig.date_clock import DateLook, NoDate, UnsureClock
from harness.rig.host_clock import Offset

pytestmark = pytest.mark.unit


class Webserver:
    """Makes its date anew every `beat_s` seconds of its own clock, `phase_s` after a beat began.

    With `beat_s` 0 at each answer. A question takes `way_s` there and as long back.
    """

    def __init__(
        self, ahead_s: float, *, beat_s: float = 1.0, phase_s: float = 0.0, way_s: float = 0.01
    ) -> None:
        self.time = Clock(1_000_000.0)
        self.ahead_s = ahead_s
        self.asked = 0
        self._beat_s = beat_s
        self._phase_s = phase_s
        self._way_s = way_s

    def ask(self) -> float:
        self.asked += 1
        self.time.sleep(self._way_s)
        made_s = self.time.now_s + self.ahead_s
        if self._beat_s:
            beats = (made_s - self._phase_s) // self._beat_s
            made_s = beats * self._beat_s + self._phase_s
        self.time.sleep(self._way_s)
        return float(math.floor(made_s))

    def look(self) -> DateLook:
        return DateLook(self.ask, clock=self.time.time, sleep=self.time.sleep)


@given(
    ahead_s=st.floats(min_value=-3600, max_value=3600),
    beat_s=st.sampled_from([0.0, 1.0, 1.02, 1.1]),
    phase_s=st.floats(min_value=0, max_value=1),
    way_s=st.floats(min_value=0, max_value=2),
    looks=st.integers(min_value=1, max_value=4),
)
@settings(deadline=None)
def test_the_truth_lies_within_the_uncertainty_however_old_the_date_may_be(
    ahead_s: float, beat_s: float, phase_s: float, way_s: float, looks: int
) -> None:
    there = Webserver(ahead_s, beat_s=beat_s, phase_s=phase_s, way_s=way_s)
    look = there.look()
    for _ in range(looks):
        found = look()
        assert abs(found.offset_s - ahead_s) <= found.uncertainty_s + 1e-6
        there.time.sleep(60)


@given(phase_s=st.floats(min_value=0, max_value=0.99))
@settings(deadline=None)
def test_a_clock_that_may_be_ours_is_left_as_it_is(phase_s: float) -> None:
    found = Webserver(0.0, phase_s=phase_s).look()()
    assert found.offset_s == 0.0
    assert found.uncertainty_s < 1.4


def test_a_clock_that_cannot_be_ours_is_known_to_little_more_than_half_a_second() -> None:
    found = Webserver(240.0, phase_s=0.4).look()()
    assert found.offset_s != 0.0
    assert found.uncertainty_s < 0.7


def test_what_was_known_stays_known_and_the_bounds_come_closer() -> None:
    """Beats of a little more than a second wander through the seconds."""
    there = Webserver(240.0, beat_s=1.03)
    look = there.look()
    first = look()
    for _ in range(20):
        there.time.sleep(10)
        last = look()
    assert last.uncertainty_s < first.uncertainty_s * 0.6


def test_a_clock_that_was_set_is_believed_anew() -> None:
    there = Webserver(240.0)
    look = there.look()
    look()
    there.ahead_s = -30.0
    there.time.sleep(60)
    found = look()
    assert abs(found.offset_s + 30.0) <= found.uncertainty_s


def test_a_date_that_does_not_move_is_none() -> None:
    """Somebody on the way kept the answer."""
    time = Clock(1_000_000.0)

    def ask() -> float:
        time.sleep(0.3)
        return 1_000_000.0

    with pytest.raises(NoDate, match="contradicts"):
        DateLook(ask, clock=time.time, sleep=time.sleep)()


def answers(*said: Offset | OSError) -> Callable[[], Offset]:
    left = list(said)

    def look() -> Offset:
        answer = left.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return look


AHEAD = Offset(offset_s=3.0, uncertainty_s=0.6, at_s=1.0)


def test_a_clock_that_tells_nothing_is_on_record_as_not_measured() -> None:
    clock = UnsureClock(answers(NoDate("its answers carry no Date header")))
    assert clock.problem == "its answers carry no Date header"
    assert clock.here(5.0) == clock.there(5.0) == 5.0
    assert clock.record() == {
        "measured": False, "offset_s": 0.0, "uncertainty_s": None,
        "why": "its answers carry no Date header",
    }  # fmt: skip


def test_a_clock_that_answers_later_is_known_from_then_on() -> None:
    clock = UnsureClock(answers(ConnectionRefusedError("not yet"), AHEAD, OSError(), AHEAD))
    assert clock.look() == AHEAD
    assert clock.here(10.0) == 7.0
    assert clock.look() is None
    assert clock.here(10.0) == 7.0
    record = clock.record()
    assert (record["measured"], record["uncertainty_s"]) == (True, 0.6)
