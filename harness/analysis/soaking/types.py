"""A judged soak, as it stands in `soak.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Course = Literal["grows", "levels off", "unclear", "steady", "shrinks", "not known"]
"""`levels off`: it grew, but no more in the second half. `unclear`: it grew, and the second half by
itself tells neither that it goes on nor that it does not.
"""

Answer = Literal["steady", "does not last", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerHour:
    """A slope per hour, with its 95 % interval; `n` segments stand behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """When a limit would be reached, in hours from the end of the soak.

    `hours` only where growth is seen; `earliest` by the upper end of the slope's interval, `latest`
    by its lower end; each `None` where at that slope never.
    """

    limit: float
    hours: float | None
    earliest: float | None
    latest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How one thing went from segment to segment.

    `what`: memory, handles, connections, speed …; `of`: the replica, service or process it is of.
    `first`, `last`: medians of the first and the last quarter of its segments.
    """

    what: str
    of: str
    unit: str
    course: Course
    first: float | None = None
    last: float | None = None
    per_hour: PerHour | None = None
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What the database was given: totals over the soak, and a run. `None`: not known."""

    runs: int
    hours: float
    database_mib_per_hour: float | None = None
    event_rows_per_run: float | None = None
    bytes_per_run: float | None = None
    mib_per_30_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOutcome:
    """What came of one fault; `meaning` says what it stands for.

    `lasted_s`: from struck to taken back. `in_flight`: runs sent and not ended when it struck;
    `ended` of them in success, `failed`, `lost` (their server died under them, or nobody ever saw
    them end). `refused`: launches of that segment that were answered with an error;
    `failed_later`: other runs of the segment that failed. `sent_after`: runs sent once it was taken
    back, to the end of the soak or until another deployment took over. `launching_s`: from taken
    back to the first of these that started; `answering_s`: to the first health probe answered.
    Both `None` where that never came. `errors`: first words of what failed, with their number.
    """

    kind: str
    meaning: str
    segment: int
    struck: bool
    why: str = ""
    at_s: float | None = None
    lasted_s: float | None = None
    in_flight: int = 0
    ended: int = 0
    failed: int = 0
    lost: int = 0
    refused: int = 0
    failed_later: int = 0
    sent_after: int = 0
    answering_s: float | None = None
    launching_s: float | None = None
    server_died: bool = False
    errors: tuple[tuple[str, int], ...] = ()

    @property
    def recovered(self) -> bool | None:
        """Whether a run started again afterwards; `None` where none was sent to try."""
        if self.launching_s is not None:
            return True
        return False if self.sent_after else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """A soak's answer and what stands behind it.

    `hours` under load. `segments`: measured; `used`: whose figures enter the growth (without the
    first ones, those with a fault, and other server lives). `runs` by status, of segments without
    a fault.
    """

    cell: str
    concurrency: int
    hours: float
    segments: int
    used: int
    answer: Answer
    why: tuple[str, ...]
    runs: dict[str, int] = field(default_factory=dict)
    growth: tuple[Growth, ...] = ()
    storage: Storage | None = None
    faults: tuple[FaultOutcome, ...] = ()
