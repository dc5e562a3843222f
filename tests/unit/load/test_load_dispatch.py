"""Arrivals and idle users, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from harness.rig.load.dispatch import Dispatcher

pytestmark = pytest.mark.unit


class Bench:
    """A dispatcher whose users are busy for `run_s` seconds; `stall` holds it up once."""

    def __init__(self, *, users: int, run_s: float) -> None:
        self.now_s = 100.0
        self.run_s = run_s
        self.stall: Callable[[], float] = lambda: 0.0
        self.sent: list[tuple[int, float, float]] = []  # user, intended, sent
        self.dropped: list[float] = []
        self.told: list[int] = []
        self._back: list[tuple[float, int]] = []
        self.dispatcher = Dispatcher(
            clock=lambda: self.now_s, sleep=self._sleep, dropped=self.dropped.append
        )
        for user in range(users):
            self._wait(user)

    def _wait(self, user: int) -> None:
        self.dispatcher.wait(partial(self._take, user))

    def _take(self, user: int, intended_s: float | None) -> None:
        if intended_s is None:
            self.told.append(user)
            return
        self.sent.append((user, intended_s, self.now_s))
        self._back.append((self.now_s + self.run_s, user))

    def _sleep(self, duration_s: float) -> None:
        assert duration_s >= 0
        self.now_s += duration_s + self.stall()
        self.come_back()

    def come_back(self) -> None:
        """Users whose run is over wait again."""
        due = sorted(entry for entry in self._back if entry[0] <= self.now_s)
        self._back = [entry for entry in self._back if entry[0] > self.now_s]
        for _, user in due:
            self._wait(user)


def test_each_arrival_goes_to_an_idle_user_at_its_time() -> None:
    bench = Bench(users=2, run_s=1.5)
    bench.dispatcher.run([101.0, 102.0, 103.0])
    assert bench.sent == [(0, 101.0, 101.0), (1, 102.0, 102.0), (0, 103.0, 103.0)]
    assert bench.dropped == []


def test_an_arrival_nobody_can_take_is_dropped_and_not_sent_late() -> None:
    bench = Bench(users=1, run_s=2.5)
    bench.dispatcher.run([101.0, 102.0, 103.0, 104.0])
    assert bench.sent == [(0, 101.0, 101.0), (0, 104.0, 104.0)]
    assert bench.dropped == [102.0, 103.0]
    assert bench.dispatcher.handed == 2


def test_a_late_dispatcher_keeps_the_intended_times_and_sends_what_it_missed() -> None:
    bench = Bench(users=3, run_s=10)
    stalls = iter([0.0, 5.0, 0.0])
    bench.stall = lambda: next(stalls)
    bench.dispatcher.run([101.0, 102.0, 103.0])
    assert bench.sent == [(0, 101.0, 101.0), (1, 102.0, 107.0), (2, 103.0, 107.0)]


def test_a_burst_goes_out_at_once_to_different_users() -> None:
    bench = Bench(users=3, run_s=10)
    bench.dispatcher.run([100.0] * 3)
    assert bench.sent == [(0, 100.0, 100.0), (1, 100.0, 100.0), (2, 100.0, 100.0)]


def test_when_it_is_over_idle_users_are_told_and_later_ones_at_once() -> None:
    bench = Bench(users=3, run_s=1.0)
    assert bench.dispatcher.idle_count == 3
    bench.dispatcher.run([100.5])
    assert bench.dispatcher.over
    assert bench.told == [1, 2]
    bench.now_s = 102.0
    bench.come_back()
    assert bench.told == [1, 2, 0]
    assert bench.dispatcher.idle_count == 0


def test_before_its_end_nobody_is_told_to_go() -> None:
    bench = Bench(users=2, run_s=1.0)
    seen: list[tuple[bool, list[int]]] = []

    def times() -> Iterator[float]:
        for at_s in (100.5, 101.0):
            yield at_s
            seen.append((bench.dispatcher.over, list(bench.told)))

    bench.dispatcher.run(times())
    assert seen == [(False, [])] * 2
