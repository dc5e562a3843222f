"""The clock of the host the servers run on, held against ours.

One record joins stamps of processes on two hosts. Stamps made there are moved onto our clock by
what an exchange of time tells (NTP's formula); how wrong that may be is half of the shortest round
trip.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

EXCHANGES = 20
CONNECT_TIMEOUT_S = 10

Ask = Callable[[], float]
"""Asks the other clock: epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """One comparison. `offset_s`: how far the other clock is ahead of ours; the truth lies within
    ± `uncertainty_s` of it. `at_s`: when, on our clock.
    """

    offset_s: float
    uncertainty_s: float
    at_s: float


def compare(
    ask: Ask, *, exchanges: int = EXCHANGES, clock: Callable[[], float] = time.time
) -> Offset:
    """Ask several times; the exchange with the shortest round trip says most."""
    found: list[Offset] = []
    for _ in range(exchanges):
        before_s = clock()
        there_s = ask()
        after_s = clock()
        found.append(
            Offset(
                offset_s=there_s - (before_s + after_s) / 2,
                uncertainty_s=(after_s - before_s) / 2,
                at_s=after_s,
            )
        )
    # A clock that was set back between the two readings gives no length at all.
    usable = [each for each in found if each.uncertainty_s >= 0] or found
    return min(usable, key=lambda each: abs(each.uncertainty_s))


class HostClock:
    """The clock of servers on this host: ours."""

    @property
    def offset_s(self) -> float:
        """How far it is ahead of ours, as far as is known now."""
        return 0.0

    def here(self, there_s: float) -> float:
        """A stamp of that clock on ours."""
        return there_s - self.offset_s

    def there(self, here_s: float) -> float:
        """A stamp of ours on that clock."""
        return here_s + self.offset_s

    def look(self) -> Offset | None:
        """Compare again; `None` where there is nothing to compare, or nobody answers."""
        return None

    def record(self) -> dict[str, Any]:
        """For `cell.json`: `measured`, `offset_s`, `uncertainty_s`; where it was measured also
        `start` and `end`, the first and the last comparison. Uncertainty is the larger of both.
        """
        return {"measured": False, "offset_s": 0.0, "uncertainty_s": 0.0}


class OtherClock(HostClock):
    """The clock of another host. Compares once when made; what that raises is raised.

    Args:
        look: makes a comparison. Raises OSError or psycopg.Error when nobody answers.
    """

    def __init__(self, look: Callable[[], Offset]) -> None:
        self._look = look
        self._first = self._last = look()

    @property
    def offset_s(self) -> float:
        """By the last comparison."""
        return self._last.offset_s

    def look(self) -> Offset | None:
        """Compare again; one that fails leaves the last in force."""
        try:
            self._last = self._look()
        except (OSError, psycopg.Error):
            return None
        return self._last

    def record(self) -> dict[str, Any]:
        """See `HostClock`: by the last comparison, and both."""
        first, last = self._first, self._last
        return {
            "measured": True,
            "offset_s": last.offset_s,
            "uncertainty_s": max(first.uncertainty_s, last.uncertainty_s),
            "start": _told(first),
            "end": _told(last),
        }


def compare_with_database(dsn: str) -> Offset:
    """Our clock and that of a Postgres server's host.

    Raises:
        psycopg.Error: it does not answer.
    """
    with _asking(dsn) as ask:
        ask()  # the first question also plans the query
        return compare(ask)


@contextlib.contextmanager
def _asking(dsn: str) -> Iterator[Ask]:
    with psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:

        def ask() -> float:
            query = "SELECT extract(epoch FROM clock_timestamp())::float8"
            row = connection.execute(query).fetchone()
            assert row is not None
            return float(row[0])

        yield ask


def _told(offset: Offset) -> dict[str, float]:
    return {
        "offset_s": offset.offset_s, "uncertainty_s": offset.uncertainty_s, "at_s": offset.at_s
    }  # fmt: skip


OUR_CLOCK = HostClock()
"""Of all servers on this host."""
