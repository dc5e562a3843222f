"""A clock that is known by the dates its answers carry, and by nothing else.

A date tells whole seconds, and servers make it once and send it for a second: uvicorn, which serves
Dagster's webserver, anew every ten beats of 0.1 s. So an answer tells the other clock within two
seconds and a bit, many answers over more than a second tell it within little more than one, and
what is known stays known: as the moments of making it anew wander, the bounds come closer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.rig.host_clock import OUR_CLOCK, Ask, HostClock, Offset, OtherClock

ASKS = 10
PAUSE_S = 0.13
TOLD_AGE_S = 1.2
"""A date may have been made so long ago; uvicorn's beats take a little longer than 0.1 s."""

DRIFT = 5e-4
"""How fast two clocks may part: what daemons slew at most (500 ppm)."""


class NoDate(OSError):
    """The answer carries no date that tells the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The other clock is ahead of ours by no less and no more, in seconds."""

    low_s: float
    high_s: float

    def within(self, other: Bounds) -> Bounds | None:
        """What both allow; `None` where they contradict each other."""
        low_s, high_s = max(self.low_s, other.low_s), min(self.high_s, other.high_s)
        return Bounds(low_s=low_s, high_s=high_s) if low_s <= high_s else None

    def later(self, passed_s: float) -> Bounds:
        """What is still known so long after."""
        part_s = DRIFT * abs(passed_s)
        return Bounds(low_s=self.low_s - part_s, high_s=self.high_s + part_s)


class DateLook:
    """Compares by dates; each look narrows what the earlier ones left open.

    Where the answers allow that both clocks agree, they are taken to: most clocks are kept, and no
    stamp is moved without need. Else the middle of what they allow is taken.

    Args:
        ask: asks for a date: epoch seconds, whole. Raises OSError where there is none.
        clock: ours, epoch seconds.
        sleep: seconds.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._sleep = sleep
        self._known: Bounds | None = None
        self._at_s = 0.0

    def __call__(self) -> Offset:
        """One comparison, which takes a little more than a second.

        Raises:
            NoDate: the answers contradict each other: a clock was set, or the date is stale.
            OSError: nobody answers, or without a date.
        """
        found = self._told()
        for number in range(1, ASKS):
            self._sleep(PAUSE_S)
            both = found.within(self._told())
            if both is None:
                raise NoDate(f"date {number + 1} of {ASKS} contradicts those before it")
            found = both
        at_s = self._clock()
        if self._known is not None:
            # Where they contradict each other a clock was set: the new answers are right.
            found = found.within(self._known.later(at_s - self._at_s)) or found
        self._known, self._at_s = found, at_s
        agree = found.low_s <= 0.0 <= found.high_s
        offset_s = 0.0 if agree else (found.low_s + found.high_s) / 2
        far_s = max(found.high_s - offset_s, offset_s - found.low_s)
        return Offset(offset_s=offset_s, uncertainty_s=far_s, at_s=at_s)

    def _told(self) -> Bounds:
        before_s = self._clock()
        date_s = self._ask()
        after_s = self._clock()
        return Bounds(low_s=date_s - after_s, high_s=date_s + 1 + TOLD_AGE_S - before_s)


class UnsureClock(HostClock):
    """A clock that may not be to be known at all: until it is, stamps stay as they are.

    Args:
        look: makes a comparison. Raises OSError where there is nothing to compare.
    """

    def __init__(self, look: Callable[[], Offset]) -> None:
        self._compare = look
        self._clock: HostClock = OUR_CLOCK
        self.problem = ""
        self.look()

    @property
    def offset_s(self) -> float:
        """By the last comparison; 0 before the first."""
        return self._clock.offset_s

    def look(self) -> Offset | None:
        """Compare again; `None`, and why in `problem`, where that fails."""
        if isinstance(self._clock, OtherClock):
            return self._clock.look()
        found: list[Offset] = []

        def first_then_again() -> Offset:
            found.append(self._compare())
            return found[-1]

        try:
            self._clock = OtherClock(first_then_again)
        except OSError as error:
            self.problem = str(error) or type(error).__name__
            return None
        return found[-1]

    def record(self) -> dict[str, Any]:
        """See `HostClock`. Not measured, its uncertainty is `None` and `why` says the reason."""
        if isinstance(self._clock, OtherClock):
            return self._clock.record()
        return {**super().record(), "uncertainty_s": None, "why": self.problem}
