"""Hands arrivals to idle users at their time, and counts those that find nobody.

An arrival without an idle user is dropped, not sent late: waiting for a user would make it depend
on earlier runs having ended, which is what an open model must not do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

Hand = Callable[[float | None], None]
"""Takes the intended moment of a user's next run, or `None` when there will be no more."""


class Dispatcher:
    """Users on one side, arrivals on the other; no greenlet or thread of its own.

    Args:
        clock: epoch seconds.
        sleep: waits, and lets the users run, also for 0 seconds.
        dropped: is told the intended moment of each arrival nobody could take.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        dropped: Callable[[float], None],
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._dropped = dropped
        self._idle: deque[Hand] = deque()
        self.handed = 0
        self.over = False

    @property
    def idle_count(self) -> int:
        """Users that wait for an arrival."""
        return len(self._idle)

    def wait(self, hand: Hand) -> None:
        """A user is idle; `hand` is called once, the longest waiting user first."""
        if self.over:
            hand(None)
        else:
            self._idle.append(hand)

    def run(self, intended: Iterable[float]) -> None:
        """Hand out all arrivals; returns when the last is gone and the idle users are told.

        Args:
            intended: epoch seconds, ascending. One that is past (this process was held up) goes
                out at once, and its send lag tells.
        """
        for intended_s in intended:
            self._sleep(max(0.0, intended_s - self._clock()))
            if self._idle:
                self.handed += 1
                self._idle.popleft()(intended_s)
            else:
                self._dropped(intended_s)
        self.over = True
        while self._idle:
            self._idle.popleft()(None)
