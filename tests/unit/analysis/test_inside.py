"""How many runs of a burst were in the server at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factory import Rung, make_cell, make_step

from harness.analysis.inside import FULL_S, inside_of
from harness.facts.model import Run, Sample
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

STEP = make_step(1, Rung(concurrency=6), 1000.0)


def run(started_s: float, ended_s: float | None) -> Run:
    return Run(
        step=1, user=0, run_id="r", intended_s=1000.0, sent_s=1000.0, accepted_s=1001.0,
        started_s=started_s, ended_s=ended_s, status="SUCCESS" if ended_s else "LOST",
    )  # fmt: skip


def facts(runs: list[Run], samples: list[Sample] | None = None) -> CellFacts:
    table = SamplesTable.of(samples or [])
    return CellFacts(cell=make_cell(), steps=[STEP], runs=runs, samples=table, events=[])


def resident(*counts: int, source: str = "a", from_s: float = 1000.0) -> list[Sample]:
    return [
        Sample(device="processes", source=source, key="resident_runs",
               due_s=from_s + n, taken_s=from_s + n, value=float(count))
        for n, count in enumerate(counts)
    ]  # fmt: skip


def test_runs_that_start_two_seconds_apart_and_last_nine_are_five_at_once() -> None:
    runs = [run(1002 + 2 * n, 1011 + 2 * n) for n in range(6)]
    found = inside_of(facts(runs), STEP, 6)
    assert found is not None
    assert (found.most, found.by, found.filled) == (5, "runs", False)
    assert (found.pace_s, found.run_s) == (2.0, 9.0)


def test_launches_in_clusters_are_as_far_apart_as_filling_takes() -> None:
    starts = [1002 + 5.3 * cluster + 0.1 * n for cluster in range(3) for n in range(4)]
    found = inside_of(facts([run(start, start + 9) for start in starts]), STEP, 12)
    assert found is not None
    assert found.pace_s == pytest.approx((2 * 5.3 + 0.3) / 11)


def test_only_the_starts_that_could_fill_the_limit_count_for_the_pace() -> None:
    starts = [1002, 1003, 1004, 1060]
    found = inside_of(facts([run(start, start + 50) for start in starts]), STEP, 3)
    assert found is not None
    assert found.pace_s == 1.0


def test_one_start_has_no_pace() -> None:
    found = inside_of(facts([run(1002, 1030)]), STEP, 4)
    assert found is not None
    assert found.pace_s is None


def test_a_limit_is_filled_once_it_was_full_for_some_seconds() -> None:
    for last_s, filled in ((FULL_S + 5, True), (FULL_S - 3, False)):
        runs = [run(1002, 1010 + last_s) for _ in range(3)] + [run(1010, 1010 + last_s)]
        found = inside_of(facts(runs), STEP, 4)
        assert found is not None
        assert found.filled is filled


def test_run_processes_count_more_than_what_runs_say() -> None:
    found = inside_of(facts([], resident(*[0, 1, 3, *[4] * 20])), STEP, 4)
    assert found is not None
    assert (found.most, found.by, found.filled) == (4, "samples", True)


def test_a_limit_is_not_full_of_processes_whose_runs_have_ended() -> None:
    """They outlive their runs; Dagster counts runs, from when it takes them on."""
    runs = [run(1002, 1030) for _ in range(3)]
    found = inside_of(facts(runs, resident(*[4] * 30)), STEP, 4)
    assert found is not None
    assert (found.most, found.filled) == (4, False)
    launched = replace(run(1020, 1030), dequeued_s=1003.0)
    found = inside_of(facts([*runs, launched], resident(*[4] * 30)), STEP, 4)
    assert found is not None
    assert (found.most, found.filled) == (4, True)


def test_replicas_are_counted_together() -> None:
    two = resident(*[2] * 30, source="a") + resident(*[3] * 30, source="b", from_s=1000.3)
    found = inside_of(facts([], two), STEP, 5)
    assert found is not None
    assert found.most == 5


def test_a_run_that_never_ended_stays_inside() -> None:
    found = inside_of(facts([run(1002, None)]), STEP, 1)
    assert found is not None
    assert (found.most, found.filled, found.run_s) == (1, True, None)


@pytest.mark.parametrize(("other", "own"), [("user_error", True), ("oom_sigkill", False)])
def test_what_runs_failed_with_is_told_the_most_common_first(other: str, own: bool) -> None:
    failed = replace(
        run(1002, 1010), status="FAILURE", error_class="user_error", error="ValueError: no\nat …"
    )
    last = replace(failed, error_class=other, error=None)
    found = inside_of(facts([run(1002, 1010), failed, failed, last]), STEP, 4)
    assert found is not None
    assert found.errors == ("2 × user_error: ValueError: no", f"1 × {other}")
    assert found.own is own


def test_where_nothing_failed_nothing_is_its_own_fault() -> None:
    found = inside_of(facts([run(1002, 1010)]), STEP, 1)
    assert found is not None
    assert (found.errors, found.own) == ((), False)


def test_a_burst_that_never_began_is_not_known() -> None:
    assert inside_of(facts([]), replace(STEP, phases=()), 4) is None
