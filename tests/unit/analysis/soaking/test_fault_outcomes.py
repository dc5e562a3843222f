"""What came of each fault: whom it caught, what was refused, how long until all was well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory_soak import (
    PERIOD_S,
    RAMP_S,
    SERVER,
    Segment,
    begin_s,
    mended,
    run,
    soak_of,
    struck,
)

from harness.analysis.soaking.faults import MOST_ERRORS, fault_outcomes
from harness.analysis.soaking.types import FaultOutcome
from harness.campaign.faults import MEANINGS
from harness.facts.model import Event, Run, Sample
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

AT_S, LASTS_S = 108.0, 30.0
CUT = (struck(AT_S, "network-cut"), mended(AT_S + LASTS_S, "network-cut"))
GOOD = Segment(runs=[run(20, 30)])


def broken(*runs: Run, events: Any = CUT, **more: Any) -> Segment:
    return Segment(kind="fault", runs=runs, events=events, **more)


def outcome(*segments: Segment, **more: Any) -> FaultOutcome:
    """Of the only fault there is."""
    (only,) = fault_outcomes(soak_of(segments, **more))
    return only


def test_a_soak_without_faults_has_no_outcomes() -> None:
    assert fault_outcomes(soak_of([GOOD] * 3)) == ()


def test_it_says_what_it_was_where_when_and_how_long() -> None:
    found = outcome(GOOD, GOOD, broken(), GOOD)
    assert (found.kind, found.segment, found.struck) == ("network-cut", 3, True)
    assert found.meaning == MEANINGS["network-cut"]
    assert found.at_s == begin_s(3) + AT_S
    assert found.lasted_s == pytest.approx(LASTS_S)


class TestRuns:
    def test_those_in_flight_when_it_struck_are_counted_by_how_they_ended(self) -> None:
        found = outcome(
            broken(
                run(50, 200), run(100, 150),
                run(90, 120, "FAILURE"), run(90, 121, "CANCELED"),
                run(80, None, "LOST"), run(80, None, "UNFINISHED"), run(108, None, "LOST"),
            )
        )  # fmt: skip
        assert found.in_flight == 7
        assert (found.ended, found.failed, found.lost) == (2, 2, 3)
        assert found.refused == 0

    def test_those_that_had_ended_or_came_later_were_not_in_flight(self) -> None:
        found = outcome(broken(run(20, 100), run(20, 108), run(109, 150)))
        assert (found.in_flight, found.ended) == (0, 0)

    def test_launches_refused_in_its_segment_are_counted(self) -> None:
        """Also those sent just before it struck, which its server's death refused."""
        waiting = run(107, None, "REJECTED", accepted_s=begin_s(1) + 137)
        found = outcome(broken(run(50, None, "REJECTED"), waiting, run(110, None, "REJECTED"),
                               run(120, None, "REJECTED")))  # fmt: skip
        assert found.refused == 4
        assert found.in_flight == 1

    def test_later_runs_that_failed_are_counted_by_themselves(self) -> None:
        found = outcome(broken(run(120, 130, "FAILURE"), run(121, None, "LOST"),
                               run(122, 130, "CANCELED"), run(123, None, "UNFINISHED"),
                               run(124, 140)))  # fmt: skip
        assert (found.failed_later, found.failed, found.lost) == (4, 0, 0)

    def test_runs_of_other_segments_are_none_of_its_concern(self) -> None:
        other = Segment(runs=[run(20, None, "LOST"), run(50, 60, "FAILURE")])
        found = outcome(other, broken(run(100, 150)), other)
        assert (found.in_flight, found.lost, found.failed, found.failed_later) == (1, 0, 0, 0)

    def test_what_they_said_is_told_the_most_frequent_first(self) -> None:
        said = ["a"] * 2 + ["b"] * 4 + ["c"] * 3 + ["d"]
        runs = [run(120 + k, 130, "FAILURE", error=text) for k, text in enumerate(said)]
        assert outcome(broken(*runs)).errors == (("b", 4), ("c", 3), ("a", 2))
        assert MOST_ERRORS == 3

    def test_a_failure_without_words_is_told_by_its_class_or_status(self) -> None:
        found = outcome(broken(run(90, None, "LOST", error_class="server_died"),
                               run(91, None, "UNFINISHED"), run(100, 150)))  # fmt: skip
        assert sorted(found.errors) == [("UNFINISHED", 1), ("server_died", 1)]


class TestRecovery:
    def test_a_new_run_that_starts_after_it_was_taken_back_ends_it(self) -> None:
        found = outcome(broken(run(50, 200), run(120, 160, started_s=150), run(140, 170)))
        # The one sent at 120 started later than it was taken back, but was sent before.
        assert found.launching_s == pytest.approx(141 - AT_S - LASTS_S)
        assert found.recovered

    def test_the_first_to_start_counts_not_the_first_that_was_sent(self) -> None:
        found = outcome(broken(run(140, 200, started_s=190), run(150, 200, started_s=160)))
        assert found.launching_s == pytest.approx(160 - AT_S - LASTS_S)

    def test_it_may_be_a_run_of_the_next_segment(self) -> None:
        found = outcome(broken(run(100, None, "LOST")), Segment(runs=[run(5, 30)]))
        assert found.launching_s == pytest.approx(PERIOD_S + 6 - AT_S - LASTS_S)

    def test_where_no_run_ever_starts_it_did_not_recover(self) -> None:
        found = outcome(GOOD, broken(run(140, None, "REJECTED"),
                                     run(150, None, "UNFINISHED", started_s=None)))  # fmt: skip
        assert (found.launching_s, found.recovered, found.sent_after) == (None, False, 2)

    def test_where_no_run_was_sent_after_it_nobody_knows(self) -> None:
        found = outcome(GOOD, broken(run(100, None, "LOST"), run(130, None, "REJECTED")))
        assert (found.launching_s, found.recovered, found.sent_after) == (None, None, 0)

    def test_the_first_answered_health_probe_ends_it_too(self) -> None:
        taken_back_s = begin_s(1) + AT_S + LASTS_S
        probes = [taken_back_s - 100, taken_back_s - 1, taken_back_s + 4, taken_back_s + 5]
        assert outcome(broken(), probes=probes).answering_s == pytest.approx(4)

    def test_without_an_answered_probe_it_is_not_known(self) -> None:
        assert outcome(broken(), probes=[begin_s(1) + AT_S - 1]).answering_s is None
        assert outcome(broken()).answering_s is None

    @pytest.mark.parametrize(("second_s", "answering_s"), [(9.0, 9.0), (-1.0, None)])
    def test_of_several_replicas_the_last_one_counts(
        self, second_s: float, answering_s: float | None
    ) -> None:
        taken_back_s = begin_s(1) + AT_S + LASTS_S
        facts = with_probes(
            soak_of([broken()]),
            {SERVER: taken_back_s + 2, "code-server-2": taken_back_s + second_s},
        )
        (found,) = fault_outcomes(facts)
        assert found.answering_s == (None if answering_s is None else pytest.approx(answering_s))


def with_probes(facts: CellFacts, answered: dict[str, float]) -> CellFacts:
    """One answered probe of each replica."""
    samples = [
        Sample(device="probe", source=source, key="probe_s", due_s=at_s, taken_s=at_s, value=0.01)
        for source, at_s in answered.items()
    ]
    return replace(facts, samples=SamplesTable.of(samples))


class TestKills:
    @pytest.mark.parametrize("kind", ["server-kill", "run-kill"])
    def test_are_over_when_they_are_done(self, kind: str) -> None:
        """The recorder's two stamps lie some milliseconds apart; nothing lasted that long."""
        events = (struck(AT_S, kind), mended(AT_S + 0.002, kind))
        found = outcome(broken(run(AT_S + 0.001, 130, started_s=AT_S + 1), events=events))
        assert found.lasted_s == 0
        assert found.launching_s == pytest.approx(1)

    def test_a_server_that_died_of_it_is_told(self) -> None:
        segment = broken(run(100, None, "LOST"), events=(struck(AT_S, "server-kill"),),
                         restarts=1, outcome="aborted", held=False)  # fmt: skip
        found = outcome(segment, replace(GOOD, server=1))
        assert found.server_died
        assert found.lost == 1
        assert found.launching_s == pytest.approx(PERIOD_S + 21 - AT_S)


class TestEvents:
    def test_without_news_of_its_end_it_is_taken_to_have_lasted_no_time(self) -> None:
        found = outcome(broken(run(120, 140), events=CUT[:1]))
        assert (found.lasted_s, found.launching_s) == (0, pytest.approx(13))

    def test_it_may_be_taken_back_after_its_step_was_broken_off(self) -> None:
        """The step ended with its ramp; the fault was mended before the next one began."""
        events = (struck(RAMP_S - 2, "network-cut"), mended(RAMP_S + 3, "network-cut"))
        found = outcome(broken(events=events, held=False, outcome="aborted"), GOOD)
        assert found.struck
        assert found.lasted_s == pytest.approx(5)
        assert found.launching_s == pytest.approx(PERIOD_S + 21 - RAMP_S - 3)

    def test_faults_of_neighbouring_segments_are_not_mixed_up(self) -> None:
        pause = (struck(200.0, "database-pause"), mended(250.0, "database-pause"))
        first, second = fault_outcomes(
            soak_of([broken(run(100, None, "LOST")), broken(run(190, 260), events=pause), GOOD])
        )
        assert (first.kind, first.segment, first.lasted_s, first.lost) == (
            "network-cut", 1, pytest.approx(30), 1,
        )  # fmt: skip
        assert (second.kind, second.segment, second.lasted_s, second.lost) == (
            "database-pause", 2, pytest.approx(50), 0,
        )  # fmt: skip
        assert (first.in_flight, second.in_flight, second.ended) == (1, 1, 1)

    def test_the_first_is_not_taken_back_by_the_seconds_news(self) -> None:
        never = broken(events=CUT[:1])
        first, second = fault_outcomes(soak_of([never, broken(events=CUT), GOOD]))
        assert (first.lasted_s, second.lasted_s) == (0, pytest.approx(30))

    def test_other_events_are_not_its_own(self) -> None:
        died = Event(at_s=AT_S + 1, kind="server_died", source=SERVER)
        assert outcome(broken(events=(*CUT, died))).kind == "network-cut"

    def test_one_that_was_missed_says_why(self) -> None:
        missed = Event(at_s=90, kind="fault_missed", source="run-kill", detail={"why": "no run."})
        found = outcome(GOOD, broken(run(100, None, "LOST"), events=(missed,)))
        assert found == FaultOutcome(
            kind="run-kill", meaning=MEANINGS["run-kill"], segment=2, struck=False, why="no run."
        )

    def test_one_of_which_nothing_is_known_says_so(self) -> None:
        found = outcome(broken(events=()))
        assert (found.kind, found.struck, found.why) == ("", False, "nothing was recorded of it")

    def test_a_step_that_ended_before_its_first_phase_had_no_fault(self) -> None:
        facts = soak_of([broken(), GOOD])
        (warmup, segment, good) = facts.steps
        facts = replace(facts, steps=[warmup, replace(segment, phases=()), good])
        (found,) = fault_outcomes(facts)
        assert not found.struck

    def test_what_was_struck_before_such_a_step_is_still_found(self) -> None:
        facts = soak_of([broken(), GOOD])
        (warmup, segment, good) = facts.steps
        facts = replace(facts, steps=[warmup, segment, replace(good, phases=())])
        (found,) = fault_outcomes(facts)
        assert found.struck
