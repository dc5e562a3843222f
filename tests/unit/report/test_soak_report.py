"""A soak's answer in words that a person can read aloud."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.soaking.types import (
    Answer,
    Course,
    FaultOutcome,
    Growth,
    PerHour,
    Reach,
    Soak,
    Storage,
)
from harness.report.soak import STYLES, soak_lines

pytestmark = pytest.mark.unit


def soak(**changes: Any) -> Soak:
    given: dict[str, Any] = {
        "cell": "c", "concurrency": 4, "hours": 2.0, "segments": 24, "used": 21,
        "answer": "steady", "why": (), "runs": {"SUCCESS": 1440},
    }  # fmt: skip
    return Soak(**{**given, **changes})


def grown(**changes: Any) -> Growth:
    given: dict[str, Any] = {
        "what": "memory", "of": "code-server-1", "unit": "MiB", "course": "grows",
        "first": 500.0, "last": 612.4,
        "per_hour": PerHour(value=30.21, low=28.0, high=32.5, n=21),
    }  # fmt: skip
    return Growth(**{**given, **changes})


def fault(**changes: Any) -> FaultOutcome:
    given: dict[str, Any] = {
        "kind": "network-cut", "meaning": "the code server loses its network", "segment": 7,
        "struck": True, "at_s": 1e9, "lasted_s": 20.0, "in_flight": 4, "ended": 2, "failed": 1,
        "lost": 1, "refused": 3, "answering_s": 2.5, "launching_s": 4.0,
    }  # fmt: skip
    return FaultOutcome(**{**given, **changes})


def lines(**changes: Any) -> list[str]:
    return list(soak_lines(soak(**changes)))


def growth_line(**changes: Any) -> str:
    return lines(growth=(grown(**changes),))[2].strip()


def fault_lines(**changes: Any) -> list[str]:
    found = lines(faults=(fault(**changes),))
    return [line.strip() for line in found[found.index("Faults") + 1 :]]


class TestAnswer:
    def test_it_comes_first_with_what_was_done(self) -> None:
        assert lines() == [
            "steady: 4 runs in flight for 2 h; 1,440 of 1,440 runs succeeded in 24 segments "
            "without a fault"
        ]

    def test_what_speaks_against_it_follows(self) -> None:
        told = lines(answer="does not last", why=("memory reaches its limit in 9 h", "more"),
                     runs={"SUCCESS": 8, "LOST": 2})  # fmt: skip
        assert told[0].startswith("does not last: ")
        assert "8 of 10 runs succeeded" in told[0]
        assert told[1:] == ["  memory reaches its limit in 9 h", "  more"]

    def test_segments_with_a_fault_are_not_among_those_without(self) -> None:
        assert "in 23 segments without a fault" in lines(faults=(fault(),))[0]

    def test_one_is_one(self) -> None:
        told = lines(concurrency=1, segments=1, runs={"SUCCESS": 1}, hours=0.08)
        assert told == [
            "steady: 1 run in flight for 4 min 48 s; 1 of 1 run succeeded in 1 segment without a "
            "fault"
        ]

    def test_without_a_run_it_says_so(self) -> None:
        (told,) = lines(answer="cannot tell", runs={}, segments=0, hours=0.0)
        assert told.endswith("; no runs in 0 segments without a fault")

    def test_every_answer_has_a_style(self) -> None:
        assert set(STYLES) == set(get_args(Answer))


class TestGrowth:
    def test_it_is_told_with_its_slope_interval_and_limit(self) -> None:
        reach = Reach(limit=2048.0, hours=47.5, earliest=44.2, latest=51.3)
        assert growth_line(reach=reach) == (
            "memory of code-server-1: grows at 612 MiB, +30.2 MiB an hour (+28 to +32.5); reaches "
            "the limit of 2,048 MiB in 48 h (44 h to 51 h)"
        )

    def test_the_heading_says_what_it_rests_on(self) -> None:
        assert lines(growth=(grown(),))[1] == "Growth (21 segments of one server, 95 % interval)"

    @pytest.mark.parametrize(
        ("hours", "said"), [(0.0, "0.0 h"), (3.26, "3.3 h"), (95, "95 h"), (480, "20 days")]
    )
    def test_hours_become_days(self, hours: float, said: str) -> None:
        reach = Reach(limit=2048.0, hours=hours, earliest=hours, latest=hours)
        assert growth_line(reach=reach).endswith(f"in {said} ({said} to {said})")

    @pytest.mark.parametrize("course", ["steady", "levels off", "unclear"])
    def test_without_growth_it_is_said_how_early_the_limit_could_come(self, course: str) -> None:
        reach = Reach(limit=2048.0, hours=None, earliest=500.0, latest=None)
        told = growth_line(course=course, reach=reach)
        assert told.startswith(f"memory of code-server-1: {course} at 612 MiB, ")
        assert told.endswith("; the limit of 2,048 MiB not before 21 days")

    def test_a_limit_that_is_never_met_is_not_neared(self) -> None:
        reach = Reach(limit=2048.0, hours=None, earliest=None, latest=None)
        slope = PerHour(value=-3.0, low=-5.0, high=-1.0, n=21)
        told = growth_line(course="shrinks", per_hour=slope, reach=reach)
        assert told.endswith("-3 MiB an hour (-5 to -1); the limit of 2,048 MiB is not neared")

    def test_what_may_never_reach_it_says_so(self) -> None:
        reach = Reach(limit=2048.0, hours=30.0, earliest=20.0, latest=None)
        assert growth_line(reach=reach).endswith("in 30 h (20 h to never)")

    def test_what_is_counted_has_no_unit(self) -> None:
        slope = PerHour(value=0.5, low=0.2, high=0.9, n=21)
        assert growth_line(what="file handles", unit="", last=23.0, per_hour=slope) == (
            "file handles of code-server-1: grows at 23, +0.5 an hour (+0.2 to +0.9)"
        )

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (0.0, "0"), (1e-9, "0"), (-1e-9, "0"), (0.0012, "+0.0012"), (999.9, "+1,000"),
            (-1234.5, "-1,234"), (99.96, "+100"), (12345.6, "+12,346"),
        ],
    )  # fmt: skip
    def test_numbers_are_never_powers_of_ten(self, value: float, said: str) -> None:
        slope = PerHour(value=value, low=value, high=value, n=9)
        assert f", {said} MiB an hour ({said} to {said})" in growth_line(per_hour=slope)

    def test_what_is_not_known_is_told_in_one_line_at_the_end(self) -> None:
        unknown = [
            Growth(what=what, of="code-server-1", unit="", course="not known")
            for what in ("threads", "file handles")
        ]
        told = lines(growth=(unknown[0], grown(), unknown[1]))
        assert told[3] == (
            "  not known, too few segments: threads of code-server-1, file handles of code-server-1"
        )
        assert len(told) == 4


class TestStorage:
    def test_all_that_is_known(self) -> None:
        storage = Storage(
            runs=1440, hours=2.0, database_mib_per_hour=12.34, event_rows_per_run=21.5,
            bytes_per_run=17_500.0, mib_per_30_days=8884.8,
        )  # fmt: skip
        assert lines(storage=storage)[-1] == (
            "Storage: 1,440 runs in 2 h; 21.5 event rows a run; 17.1 KiB a run; 12.3 MiB an hour, "
            "8.7 GiB in 30 days at this pace"
        )

    def test_only_what_is_known(self) -> None:
        assert lines(storage=Storage(runs=1, hours=2.0))[-1] == "Storage: 1 run in 2 h"


class TestFaults:
    def test_each_is_told_with_its_meaning_its_runs_and_its_recovery(self) -> None:
        assert fault_lines() == [
            "network-cut for 20 s, segment 7: the code server loses its network",
            "of 4 runs in flight 2 ended well, 1 failed, 1 lost; 3 launches refused; of later runs "
            "0 failed",
            "healthy again: health probes answered 2.5 s, a new run started 4.0 s after it was "
            "taken back",
        ]

    def test_a_kill_has_no_length_and_nothing_is_taken_back(self) -> None:
        told = fault_lines(kind="server-kill", lasted_s=0.0, server_died=True, in_flight=1,
                           refused=1)  # fmt: skip
        assert told[0].startswith("server-kill, segment 7: ")
        assert told[1].startswith("of 1 run in flight ")
        assert "1 launch refused" in told[1]
        assert told[2].endswith("a new run started 4.0 s after it; the server was replaced")

    def test_where_nobody_tried_it_is_not_said_to_be_ill(self) -> None:
        told = fault_lines(launching_s=None, sent_after=0)[2]
        assert told == (
            "whether healthy again is not known: health probes answered 2.5 s, no run was sent "
            "after it was taken back"
        )

    def test_what_never_came_is_said(self) -> None:
        told = fault_lines(answering_s=None, launching_s=None, sent_after=3)[2]
        assert told == (
            "not healthy again: no health probe was answered, no run started after it was taken "
            "back"
        )

    def test_errors_are_quoted_in_one_line_each(self) -> None:
        told = fault_lines(errors=(("could not\nconnect  to server", 3), ("x" * 500, 1)))
        assert told[3] == "3 × could not connect to server"
        assert len(told[4]) == len("1 × ") + 140

    def test_one_that_did_not_strike_says_why(self) -> None:
        assert fault_lines(struck=False, why="no run\nprocess is there") == [
            "network-cut, segment 7: did not strike (no run process is there)"
        ]
        assert fault_lines(struck=False, kind="", why="nothing was recorded of it") == [
            "what was to be broken, segment 7: did not strike (nothing was recorded of it)"
        ]


NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1e-12, 999.95, 0.0005])
AMOUNTS = st.floats(0, 1e6)
COUNTS = st.integers(0, 10_000)
GROWTHS = st.builds(
    Growth,
    what=st.just("memory"), of=st.just("code-server-1"), unit=st.sampled_from(["MiB", "s", ""]),
    course=st.sampled_from([each for each in get_args(Course) if each != "not known"]),
    first=NUMBERS, last=NUMBERS,
    per_hour=st.builds(PerHour, value=NUMBERS, low=NUMBERS, high=NUMBERS, n=COUNTS),
    reach=st.none() | st.builds(Reach, limit=AMOUNTS, hours=st.none() | AMOUNTS,
                                earliest=st.none() | AMOUNTS, latest=st.none() | AMOUNTS),
) | st.builds(Growth, what=st.just("threads"), of=st.just("x"), unit=st.just(""),
              course=st.just("not known"))  # fmt: skip
FAULTS = st.builds(
    FaultOutcome,
    kind=st.just("run-kill"), meaning=st.just("m"), segment=COUNTS, struck=st.booleans(),
    why=st.just("w"), lasted_s=st.none() | AMOUNTS, in_flight=COUNTS, ended=COUNTS, failed=COUNTS,
    lost=COUNTS, refused=COUNTS, failed_later=COUNTS, answering_s=st.none() | AMOUNTS,
    launching_s=st.none() | AMOUNTS, server_died=st.booleans(),
    errors=st.just(()) | st.just((("e", 2),)),
)  # fmt: skip
STORAGES = st.builds(
    Storage,
    runs=COUNTS, hours=AMOUNTS, database_mib_per_hour=st.none() | NUMBERS,
    event_rows_per_run=st.none() | AMOUNTS, bytes_per_run=st.none() | AMOUNTS,
    mib_per_30_days=st.none() | NUMBERS,
)  # fmt: skip
SOAKS = st.builds(
    soak,
    answer=st.sampled_from(get_args(Answer)), hours=st.floats(0, 168), segments=st.integers(3, 500),
    runs=st.dictionaries(st.sampled_from(["SUCCESS", "LOST"]), COUNTS),
    growth=st.lists(GROWTHS, max_size=4).map(tuple), faults=st.lists(FAULTS, max_size=3).map(tuple),
    storage=st.none() | STORAGES,
)  # fmt: skip


@settings(deadline=None)
@given(found=SOAKS)
def test_no_line_shows_what_only_a_program_understands(found: Soak) -> None:
    for line in soak_lines(found):
        assert not re.search(
            r"None|nan|inf\b|e[+-]\d|\(\)|  \S+  |: *$|\+-|-0\b(?!\.)", line[4:]
        ), line
