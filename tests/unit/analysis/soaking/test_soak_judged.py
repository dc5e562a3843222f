"""A soak's answer: what speaks against it, what is too little to tell, and which segments count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factory import START_S, Rung, make_facts
from factory_soak import (
    LOOKS,
    MEMORY,
    MIB,
    PERIOD_S,
    SERVER,
    Key,
    Segment,
    rising,
    run,
    soak_of,
    struck,
)
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.findings.cells import capacity_in
from harness.analysis.judging import judge_cell
from harness.analysis.soaking.judge import judge_soak
from harness.analysis.soaking.types import Growth, Soak
from harness.facts.model import Limits, RunStatus, StepKind
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

HOUR_SEGMENTS = 3600 / PERIOD_S
PG_CONNECTIONS: Key = ("run_queue", "pg_connections", "postgres")
STEADY = [Segment(read={MEMORY: 500.0 * MIB})] * 10


def growth(found: Soak, what: str = "memory", of: str = SERVER) -> Growth:
    (only,) = (each for each in found.growth if (each.what, each.of) == (what, of))
    return only


class TestAnswer:
    def test_without_growth_or_harm_it_is_steady(self) -> None:
        segments = [replace(each, runs=[run(20, 30), run(40, 50)]) for each in STEADY]
        found = judge_soak(soak_of(segments))
        assert (found.answer, found.why) == ("steady", ())
        assert (found.concurrency, found.segments, found.used) == (4, 10, 9)
        assert found.runs == {"SUCCESS": 20}
        assert found.hours == pytest.approx(10 * 310 / 3600)
        assert found.cell == soak_of(STEADY).cell.id

    def test_memory_that_meets_its_limit_within_a_month_does_not_last(self) -> None:
        """2048 MiB are the limit; 5 MiB a segment are 57 an hour."""
        found = judge_soak(soak_of(rising(MEMORY, [(500 + 5 * n) * MIB for n in range(12)])))
        assert growth(found).course == "grows"
        assert found.answer == "does not last"
        hours = (2048 - 555) / (5 * HOUR_SEGMENTS)
        assert found.why == (f"memory of {SERVER} reaches its limit in {hours:.0f} h",)

    def test_memory_that_needs_longer_than_a_month_lasts(self) -> None:
        slow = [(500 + 0.1 * n) * MIB for n in range(12)]
        found = judge_soak(soak_of(rising(MEMORY, slow)))
        assert growth(found).course == "grows"
        assert found.answer == "steady"

    def test_the_limit_is_the_one_in_force(self) -> None:
        slow = [(500 + 0.1 * n) * MIB for n in range(12)]
        small = Limits(cpu_cores=1.0, memory_bytes=520 * MIB)
        found = judge_soak(soak_of(rising(MEMORY, slow), effective_limits=small))
        assert found.answer == "does not last"

    def test_growth_of_what_has_no_limit_is_told_and_speaks_against_nothing(self) -> None:
        handles: Key = ("processes", "server_fds", SERVER)
        more = [Segment(read={MEMORY: 500.0 * MIB, handles: 20.0 + n}) for n in range(12)]
        found = judge_soak(soak_of(more))
        assert growth(found, "file handles").course == "grows"
        assert found.answer == "steady"

    @pytest.mark.parametrize("status", ["FAILURE", "LOST", "UNFINISHED", "REJECTED", "CANCELED"])
    def test_a_run_that_went_wrong_without_a_fault_speaks_against_it(
        self, status: RunStatus
    ) -> None:
        wrong = replace(STEADY[0], runs=[run(20, 30), run(40, None, status)])
        found = judge_soak(soak_of([*STEADY, wrong]))
        assert found.answer == "does not last"
        assert found.why == (f"runs went wrong without a fault: 1 {status.lower()} of 2",)

    def test_runs_of_a_segment_with_a_fault_do_not(self) -> None:
        broken = Segment(
            kind="fault", runs=[run(20, None, "LOST"), run(120, 140)],
            events=[struck(108, "server-kill")],
        )  # fmt: skip
        found = judge_soak(soak_of([*STEADY[:5], broken, *STEADY[:5]]))
        assert (found.answer, found.runs) == ("steady", {})
        assert (found.segments, found.used) == (11, 9)

    def test_a_fault_after_which_no_run_started_speaks_against_it(self) -> None:
        refused = [run(140, None, "REJECTED")]
        broken = Segment(kind="fault", events=[struck(108, "database-pause")], runs=refused)
        found = judge_soak(soak_of([*STEADY, broken]))
        assert found.answer == "does not last"
        assert found.why == ("no run started after database-pause",)

    def test_a_fault_after_which_nobody_tried_cannot_be_told(self) -> None:
        """The last segment, broken off by its fault: nobody is left to launch."""
        broken = Segment(
            kind="fault", events=[struck(108, "server-kill")], runs=[run(100, None, "LOST")],
            outcome="aborted", held=False, restarts=1,
        )  # fmt: skip
        found = judge_soak(soak_of([*STEADY, broken]))
        assert found.answer == "cannot tell"
        assert found.why == (
            "whether runs start again after server-kill is not known: none was sent after it",
        )

    def test_a_fault_that_did_not_strike_speaks_against_nothing(self) -> None:
        found = judge_soak(soak_of([*STEADY, Segment(kind="fault")]))
        assert found.answer == "steady"
        assert [fault.struck for fault in found.faults] == [False]

    def test_all_that_speaks_against_it_is_told(self) -> None:
        leaking = rising(MEMORY, [(500 + 5 * n) * MIB for n in range(12)])
        wrong = replace(leaking[-1], runs=[run(20, 30, "FAILURE")])
        refused = [run(140, None, "REJECTED")]
        broken = Segment(kind="fault", events=[struck(108, "run-kill")], runs=refused)
        assert len(judge_soak(soak_of([*leaking, wrong, broken])).why) == 3

    @pytest.mark.parametrize(("segments", "answer"), [(5, "cannot tell"), (6, "steady")])
    def test_five_warm_segments_are_needed(self, segments: int, answer: str) -> None:
        found = judge_soak(soak_of(STEADY[:segments]))
        assert found.answer == answer
        if answer == "cannot tell":
            assert found.why == ("4 segments of one server without a fault; 5 are needed",)
            assert growth(found).course == "not known"

    def test_without_a_reading_nothing_is_known(self) -> None:
        assert judge_soak(soak_of([Segment()] * 12)).answer == "cannot tell"

    def test_of_a_soak_without_a_segment_nothing_is_known(self) -> None:
        found = judge_soak(soak_of([]))
        assert (found.answer, found.segments, found.hours) == ("cannot tell", 0, 0)
        assert found.storage is None

    def test_growth_that_may_go_on_or_not_cannot_be_told(self) -> None:
        restless = [530, 500, 560, 520, 590, 540, 610, 560, 650, 570, 660, 580, 640, 600, 690, 610]
        found = judge_soak(soak_of(rising(MEMORY, [each * MIB for each in restless])))
        assert growth(found).course == "unclear"
        assert found.answer == "cannot tell"
        assert found.why == (
            f"memory of {SERVER} grew; whether it still does, its second half by itself cannot "
            "tell: a longer soak will",
        )


WORKING_SET: Key = ("cgroup", "working_set_bytes", SERVER)
USAGE: Key = ("cgroup", "usage_bytes", SERVER)
SHMEM: Key = ("cgroup", "shmem_bytes", SERVER)
UNLIMITED = Limits(cpu_cores=None, memory_bytes=None)


class TestMemorySeen:
    """`steady` is said of a server whose memory was seen, with its limit."""

    LAUNCHES = (run(20, 30), run(40, 50))

    def test_launch_times_alone_do_not_make_it_steady(self) -> None:
        found = judge_soak(soak_of([Segment(runs=self.LAUNCHES)] * 10))
        assert growth(found, "launch, median", "runs").course == "steady"
        assert found.answer == "cannot tell"
        assert found.why == ("the server's memory was not seen",)

    def test_nor_do_the_probes_of_a_server_that_tells_no_memory(self) -> None:
        facts = soak_of(
            [Segment(runs=self.LAUNCHES)] * 10, probes=[START_S],
            detail={"unavailable": {"cgroup": "it runs in no container"}},
        )  # fmt: skip
        assert judge_soak(facts).why == (
            f"memory of {SERVER} was not seen: it runs in no container",
        )

    def test_usage_with_its_page_cache_is_not_memory(self) -> None:
        found = judge_soak(soak_of([Segment(read={USAGE: 500.0 * MIB})] * 10))
        assert found.answer == "cannot tell"
        assert found.why[0].startswith(f"memory of {SERVER} was not seen apart from its page cache")

    def test_where_nothing_better_is_read_it_is_the_working_set(self) -> None:
        told = [Segment(read={WORKING_SET: (500 + 5 * n) * MIB}) for n in range(12)]
        found = judge_soak(soak_of(told, target="external"))
        assert found.answer == "does not last"
        assert growth(found).last == pytest.approx(552.5)
        same = [Segment(read={WORKING_SET: 500.0 * MIB})] * 10
        assert judge_soak(soak_of(same, target="external")).answer == "steady"

    def test_where_both_are_read_it_is_not(self) -> None:
        both = [Segment(read={MEMORY: 500.0 * MIB, WORKING_SET: (600 + 5 * n) * MIB})
                for n in range(12)]  # fmt: skip
        found = judge_soak(soak_of(both))
        assert growth(found).course == "steady"
        assert found.answer == "steady"

    @pytest.mark.parametrize(
        ("limits", "enforced"),
        [(None, False), (UNLIMITED, True), (replace(UNLIMITED, memory_bytes=2048 * MIB), False)],
    )
    def test_without_a_limit_in_force_it_cannot_be_told(
        self, limits: Limits | None, enforced: bool
    ) -> None:
        facts = soak_of(STEADY, effective_limits=limits, limits_enforced=enforced)
        found = judge_soak(facts)
        assert found.answer == "cannot tell"
        assert found.why == (
            "the server's memory limit is not known: nobody can tell whether it is met",
        )
        assert growth(found).reach is None

    def test_every_server_is_to_be_seen(self) -> None:
        other: Key = ("probe", "probe_s", "code-server-2")
        segments = [Segment(read={MEMORY: 500.0 * MIB, other: 0.01})] * 10
        found = judge_soak(soak_of(segments, replicas=2))
        assert found.answer == "cannot tell"
        assert found.why == ("memory of code-server-2 was not seen",)
        assert judge_soak(soak_of(STEADY, replicas=2)).answer == "cannot tell"

    def test_harm_that_was_seen_is_told_all_the_same(self) -> None:
        wrong = Segment(runs=[run(20, None, "LOST")])
        assert judge_soak(soak_of([wrong] * 10)).answer == "does not last"

    def test_files_in_memory_count_against_the_limit(self) -> None:
        filling = [Segment(read={MEMORY: 500.0 * MIB, SHMEM: 5.0 * n * MIB}) for n in range(12)]
        found = judge_soak(soak_of(filling))
        assert growth(found).course == "grows"
        assert growth(found).last == pytest.approx(552.5)
        assert found.answer == "does not last"


class TestSegmentsThatCount:
    def test_the_life_of_the_longest_serving_server_alone_is_looked_at(self) -> None:
        """A fresh server begins lower: taken together it would hide the leak, or look like one."""
        first = rising(MEMORY, [500.0 * MIB] * 4)
        second = rising(MEMORY, [(300 + 10 * n) * MIB for n in range(9)], server=1)
        found = judge_soak(soak_of([*first, *second]))
        assert found.used == 8
        assert growth(found).course == "grows"
        slope = growth(found).per_hour
        assert slope is not None
        assert slope.value == pytest.approx(10 * HOUR_SEGMENTS)
        assert slope.n == 8

    def test_what_outlives_the_server_is_looked_at_over_all_of_them(self) -> None:
        first = [Segment(read={PG_CONNECTIONS: 10.0 + n}) for n in range(6)]
        second = [Segment(read={PG_CONNECTIONS: 16.0 + n}, server=1) for n in range(6)]
        slope = growth(judge_soak(soak_of([*first, *second])), "database connections",
                       "postgres").per_hour  # fmt: skip
        assert slope is not None
        assert slope.n == 10

    def test_segments_that_broke_off_or_had_a_fault_are_not_looked_at(self) -> None:
        high = {MEMORY: 1900.0 * MIB}
        odd = [
            Segment(read=high, outcome="aborted"),
            Segment(read=high, kind="fault", events=[struck(108, "run-kill")]),
            Segment(read=high, held=False),
        ]
        found = judge_soak(soak_of([*STEADY[:5], *odd, *STEADY[:5]]))
        assert growth(found).course == "steady"
        assert growth(found).last == pytest.approx(500)
        assert found.used == 9

    def test_of_every_segment_it_is_the_median_and_the_peak_counts_for_the_limit(self) -> None:
        leaking = [
            Segment(read={MEMORY: (500 + 5 * n) * MIB}, peaks={MEMORY: (600 + 5 * n) * MIB})
            for n in range(12)
        ]
        found = growth(judge_soak(soak_of(leaking)))
        assert LOOKS > 2
        assert found.last == pytest.approx(552.5)
        assert found.reach is not None
        assert found.reach.hours == pytest.approx((2048 - 655) / (5 * HOUR_SEGMENTS))

    def test_each_replica_is_a_thing_of_its_own(self) -> None:
        other: Key = ("cgroup", "anon_bytes", "code-server-2")
        segments = [
            Segment(read={MEMORY: 500.0 * MIB, other: (500 + 5 * n) * MIB}) for n in range(12)
        ]
        found = judge_soak(soak_of(segments))
        assert growth(found).course == "steady"
        assert growth(found, of="code-server-2").course == "grows"

    def test_launches_that_become_slower_are_seen(self) -> None:
        slower = [
            Segment(runs=[run(20 + k, 60 + k, started_s=20 + k + 1 + n / 10) for k in range(5)])
            for n in range(12)
        ]
        found = growth(judge_soak(soak_of(slower)), "launch, median", "runs")
        assert found.course == "grows"
        assert found.last == pytest.approx(2.05)


@given(
    levels=st.lists(st.floats(50, 2000), max_size=25),
    lives=st.lists(st.integers(0, 3), min_size=25, max_size=25),
)
def test_whatever_was_read_there_is_an_answer(levels: list[float], lives: list[int]) -> None:
    segments = [
        Segment(read={MEMORY: level * MIB}, server=server)
        for level, server in zip(levels, lives, strict=False)
    ]
    found = judge_soak(soak_of(segments))
    assert (found.answer == "steady") == (found.why == ())
    assert found.used <= found.segments == len(levels)


class TestCampaignFindings:
    """What the other judgements make of a step in which something was broken on purpose."""

    SOUND = (Rung(concurrency=1, kind="unloaded"), Rung(concurrency=4))

    def facts(self, last: Rung) -> CellFacts:
        return make_facts([*self.SOUND, last])

    @pytest.mark.parametrize(
        ("kind", "failing", "status"), [("load", 8, "bracketed"), ("fault", None, "above_max")]
    )
    def test_its_failure_is_no_failure_of_the_load(
        self, kind: StepKind, failing: int | None, status: str
    ) -> None:
        judged = judge_cell(self.facts(Rung(concurrency=8, kind=kind, launch_s=30.0)))
        assert judged.steps[-1].verdict == "fail"
        found = capacity_in(judged, confidence=0.5)
        assert (found.first_failing, found.status) == (failing, status)

    @pytest.mark.parametrize(("kind", "held"), [("load", 8), ("fault", 4)])
    def test_nor_is_its_passing_a_proof(self, kind: StepKind, held: int) -> None:
        found = capacity_in(judge_cell(self.facts(Rung(concurrency=8, kind=kind))), confidence=0.5)
        assert found.concurrency == held

    def test_its_doubts_are_no_doubts_about_the_cell(self) -> None:
        full = Rung(concurrency=4, host_cores=2.0)
        with_load = judge_cell(self.facts(full), host_cpus=2.0)
        with_fault = judge_cell(self.facts(replace(full, kind="fault")), host_cpus=2.0)
        assert [issue.code for issue in with_load.issues] == ["host_full"]
        assert with_fault.issues == ()
