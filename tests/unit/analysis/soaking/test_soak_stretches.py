"""What the database was given, and what a soak says that was gone on with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from factory_soak import (
    MEMORY,
    MIB,
    PERIOD_S,
    SERVER,
    Key,
    Segment,
    begin_s,
    run,
    soak_of,
    struck,
)

from harness.analysis.soaking.judge import judge_soak
from harness.analysis.soaking.types import Growth, Soak
from harness.facts.model import Event
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

HOUR_SEGMENTS = 3600 / PERIOD_S
DATABASE: Key = ("database", "database_bytes", "postgres")
EVENTS: Key = ("database", "event_rows", "postgres")
STEADY = [Segment(read={MEMORY: 500.0 * MIB})] * 10


def growth(found: Soak, what: str = "memory", of: str = SERVER) -> Growth:
    (only,) = (each for each in found.growth if (each.what, each.of) == (what, of))
    return only


class TestResumed:
    """`harness resume` goes on with another database, webserver and server."""

    FIRST, SECOND = 5, 7

    def soak(self, **read: Key) -> CellFacts:
        """A counter in each stretch, from where it begins there; a day lies between the two."""
        segments = [
            Segment(
                read={MEMORY: 500.0 * MIB, **dict.fromkeys(read.values(), (40.0 + 2 * n) * MIB)},
                server=server, runs=[run(20 + k, 60 + k) for k in range(4)],
            )
            for server, count in enumerate((self.FIRST, self.SECOND))
            for n in range(count)
        ]  # fmt: skip
        return broken_off(soak_of(segments), after=self.FIRST)

    def test_what_the_database_was_given_is_summed_by_stretches(self) -> None:
        storage = judge_soak(self.soak(size=DATABASE)).storage
        assert storage is not None
        hours = ((self.FIRST + self.SECOND - 2) * PERIOD_S + 2 * 288) / 3600
        assert storage.hours == pytest.approx(hours)
        assert storage.runs == 4 * (self.FIRST + self.SECOND)
        risen_mib = 2 * (self.FIRST + self.SECOND - 2)
        assert storage.database_mib_per_hour == pytest.approx(risen_mib / hours)
        assert storage.bytes_per_run == pytest.approx(risen_mib * MIB / storage.runs)

    def test_what_outlives_a_server_is_judged_over_the_longest_stretch(self) -> None:
        rss: Key = ("support", "rss_bytes", "postgres")
        slope = growth(judge_soak(self.soak(rss=rss)), of="postgres").per_hour
        assert slope is not None
        assert slope.n == self.SECOND - 1
        assert slope.low == pytest.approx(2 * HOUR_SEGMENTS)

    def test_a_run_on_the_next_deployment_is_no_recovery(self) -> None:
        broken = Segment(kind="fault", events=[struck(290, "network-cut")])
        facts = broken_off(soak_of([*STEADY, broken, *[replace(each, runs=[run(20, 30)], server=1)
                                                       for each in STEADY]]), after=11)  # fmt: skip
        (fault,) = judge_soak(facts).faults
        assert (fault.sent_after, fault.recovered) == (0, None)


def broken_off(facts: CellFacts, *, after: int, gap_s: float = 86_400.0) -> CellFacts:
    """The same, but that it broke off after so many segments and went on that much later."""
    from_s = begin_s(after + 1) - 1

    def later(at_s: float | None) -> float | None:
        return at_s if at_s is None or at_s < from_s else at_s + gap_s

    def moved(each: Any, *names: str) -> Any:
        return replace(each, **{name: later(getattr(each, name)) for name in names})

    steps = [
        replace(step, phases=tuple(moved(phase, "start_s", "end_s") for phase in step.phases))
        for step in facts.steps
    ]
    frame = facts.samples.frame.with_columns(
        pl.when(pl.col(name) < from_s).then(pl.col(name)).otherwise(pl.col(name) + gap_s)
        for name in ("due_s", "taken_s")
    )
    resumed = Event(at_s=from_s + gap_s, kind="resumed", source="harness")
    return replace(
        facts, steps=steps, samples=SamplesTable(frame),
        runs=[moved(each, "intended_s", "sent_s", "started_s", "ended_s") for each in facts.runs],
        events=[*[moved(each, "at_s") for each in facts.events], resumed],
    )  # fmt: skip


class TestStorage:
    def test_what_a_run_costs_the_database(self) -> None:
        """From the first hold to the last: 11 segments on, of 2 MiB, 100 rows and 4 runs each."""
        segments = [
            Segment(
                read={DATABASE: (30.0 + 2 * n) * MIB, EVENTS: 1000.0 + 100 * n},
                runs=[run(20 + k, 60 + k) for k in range(4)],
            )
            for n in range(12)
        ]
        storage = judge_soak(soak_of(segments)).storage
        assert storage is not None
        assert storage.runs == 48
        assert storage.event_rows_per_run == pytest.approx(1100 / 48)
        assert storage.bytes_per_run == pytest.approx(22 * MIB / 48)
        hours = (11 * PERIOD_S + 288) / 3600
        assert storage.hours == pytest.approx(hours)
        assert storage.database_mib_per_hour == pytest.approx(22 / hours)
        assert storage.mib_per_30_days == pytest.approx(22 / hours * 720)

    def test_without_its_device_only_runs_and_hours_are_known(self) -> None:
        storage = judge_soak(soak_of(STEADY)).storage
        assert storage is not None
        assert (storage.runs, storage.database_mib_per_hour, storage.bytes_per_run) == (
            0, None, None,
        )  # fmt: skip

    def test_without_a_run_nothing_is_said_of_one(self) -> None:
        segments = [Segment(read={DATABASE: (30.0 + n) * MIB}) for n in range(12)]
        storage = judge_soak(soak_of(segments)).storage
        assert storage is not None
        assert storage.database_mib_per_hour is not None
        assert storage.bytes_per_run is None
