"""Do stamps of several processes fit one clock?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from factory_validity import (
    cell_doubts,
    doubts,
    found,
    hold_of_last,
    moved_clock,
    rebuilt,
    sound,
    with_arrivals,
    with_runs,
    with_step,
)

from harness.facts.model import Phase, Run
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit


def early_stamp(first: str, second: str, by_s: float) -> Callable[[int, Run], Run]:
    """The second of two stamps this much before the first."""

    def change(_: int, run: Run) -> Run:
        return replace(run, **{second: getattr(run, first) - by_s})

    return change


def watched(**truth: Any) -> CellFacts:
    """A sound cell whose host device tells its load at every look, as the real one does."""
    facts = sound(**truth)
    frame = facts.samples.frame
    seen = frame.filter((pl.col("device") == "host") & (pl.col("key") == "cpu_used_cores"))
    return rebuilt(facts, frame=pl.concat([frame, seen.with_columns(key=pl.lit("load1"))]))


ORDER = [
    ("intended_s", "sent_s"),
    ("sent_s", "accepted_s"),
    ("dequeued_s", "process_started_s"),
    ("process_started_s", "started_s"),
    ("started_s", "first_step_s"),
    ("first_step_s", "ended_s"),
]


@pytest.mark.parametrize(("first", "second"), ORDER)
@pytest.mark.parametrize(("by_s", "severities"), [(0.04, []), (0.06, ["fatal"])])
def test_stamps_out_of_order_are_found(
    first: str, second: str, by_s: float, severities: list[str]
) -> None:
    facts = with_runs(sound(), early_stamp(first, second, by_s))
    assert found(doubts(facts), "clock_disorder") == severities


@pytest.mark.parametrize("name", ["enqueued_s", "dequeued_s"])
def test_no_server_hears_of_a_run_before_it_was_sent(name: str) -> None:
    def early(_: int, run: Run) -> Run:
        changes: dict[str, Any] = {name: run.sent_s - 0.1}
        return replace(run, **changes)

    (issue,) = [i for i in doubts(with_runs(sound(), early)) if i.code == "clock_disorder"]
    assert f"{name[:-2]} before sent by 100 ms" in issue.evidence


def test_a_missing_stamp_does_not_hide_the_order_of_its_neighbours() -> None:
    def change(_: int, run: Run) -> Run:
        assert run.started_s is not None
        return replace(run, process_started_s=None, dequeued_s=run.started_s + 0.1)

    assert found(doubts(with_runs(sound(), change)), "clock_disorder") == ["fatal"]


@pytest.mark.parametrize(("wrong", "severities"), [(2, ["warning"]), (3, ["fatal"])])
def test_one_run_in_a_hundred_out_of_order_is_told_and_more_are_fatal(
    wrong: int, severities: list[str]
) -> None:
    change = early_stamp("sent_s", "started_s", 0.06)
    facts = with_arrivals(sound(), [k / 5 for k in range(200)])
    facts = with_runs(facts, lambda k, run: change(k, run) if k < wrong else run)
    assert found(doubts(facts), "clock_disorder") == severities


@pytest.mark.parametrize(("after_s", "severities"), [(14.0, []), (16.0, ["fatal"])])
def test_a_run_cannot_end_after_its_event_log_was_read(
    after_s: float, severities: list[str]
) -> None:
    facts = sound()
    end_s = facts.steps[-1].phases[-1].end_s

    def late(_: int, run: Run) -> Run:
        return replace(run, ended_s=end_s + after_s)

    assert found(doubts(with_runs(facts, late, every=10)), "clock_disorder") == severities


def test_a_start_graphql_invented_for_a_failed_run_is_not_believed() -> None:
    def invented(_: int, run: Run) -> Run:
        return replace(run, status="FAILURE", process_started_s=None, started_s=run.sent_s - 100)

    assert found(doubts(with_runs(sound(), invented)), "clock_disorder") == []


@pytest.mark.parametrize(
    ("by_s", "severities"),
    [
        (0.09, []),
        (0.15, ["warning"]),  # 3 % of 5 s
        (0.4, ["fatal"]),
        (-0.4, ["fatal"]),
        (-3.003, ["fatal"]),
        (10.3, ["fatal"]),
    ],
)
@pytest.mark.parametrize("device", ["host", "processes"])
def test_a_clock_set_during_a_step_is_found(
    device: str, by_s: float, severities: list[str]
) -> None:
    silent = ("host",) if device == "processes" else ()
    facts = moved_clock(watched(silent=silent), device, by_s=by_s, after_s=20.5)
    assert found(doubts(facts), "clock_jump") == severities


def test_the_evidence_of_a_jump_says_when_how_far_and_under_how_many_runs() -> None:
    facts = moved_clock(watched(), "host", by_s=0.4, after_s=20.5)
    (issue,) = [i for i in doubts(facts) if i.code == "clock_jump"]
    assert "+0.40 s, 31 s into the step, under 8 of 80 runs" in issue.evidence


def test_a_clock_set_back_while_a_look_was_taken_is_found() -> None:
    facts = watched()
    last_s = hold_of_last(facts).end_s + 8.5
    back = pl.when((pl.col("device") == "host") & (pl.col("due_s") > last_s)).then(0.3)
    frame = facts.samples.frame.with_columns(taken_s=pl.col("taken_s") - back.otherwise(0.0))
    (issue,) = [i for i in doubts(rebuilt(facts, frame=frame)) if i.code == "clock_jump"]
    assert issue.severity == "warning", "nothing ran any more"


def test_one_look_whose_thread_had_to_wait_is_no_jump() -> None:
    facts = moved_clock(watched(), "host", by_s=0.4, after_s=20.5, until_s=21.5)
    assert found(doubts(facts), "clock_jump") == []


def test_looks_that_were_missed_or_failed_are_no_jump() -> None:
    facts = watched()
    start_s = hold_of_last(facts).start_s
    host = pl.col("device") == "host"
    gap = pl.col("due_s").is_between(start_s + 10.5, start_s + 14.5)
    silent = facts.samples.frame.filter(~(host & gap))
    told = facts.samples.frame.filter(host & gap & (pl.col("key") == "load1"))
    told = told.with_columns(key=pl.lit("errors"), source=pl.lit("observer"))
    for frame in (silent, pl.concat([silent, told])):
        assert found(doubts(rebuilt(facts, frame=frame)), "clock_jump") == []


@pytest.mark.parametrize("key", ["missed", "errors"])
def test_a_jump_beside_looks_that_went_wrong_is_still_found(key: str) -> None:
    facts = watched()
    start_s = hold_of_last(facts).start_s
    at = (pl.col("device") == "host") & pl.col("due_s").is_between(start_s + 4.5, start_s + 5.5)
    told = facts.samples.frame.filter(at & (pl.col("key") == "load1")).with_columns(
        key=pl.lit(key), source=pl.lit("observer"), taken_s=pl.col("taken_s") + 0.001
    )
    facts = rebuilt(facts, frame=pl.concat([facts.samples.frame, told]))
    assert found(doubts(facts), "clock_jump") == []
    assert found(doubts(moved_clock(facts, "host", by_s=0.4, after_s=20.5)), "clock_jump") == [
        "fatal"
    ]


def test_phases_follow_each_other() -> None:
    facts = sound()
    ramp, settle, hold, drain = facts.steps[-1].phases

    def phases(*changed: Phase) -> list[str]:
        return found(doubts(with_step(facts, phases=changed)), "phases_overlap")

    assert phases(ramp, settle, hold, drain) == []
    assert phases(ramp, replace(settle, end_s=hold.start_s + 0.04), hold, drain) == []
    assert phases(ramp, replace(settle, end_s=hold.start_s + 1), hold, drain) == ["fatal"]
    assert phases(ramp, settle, hold, replace(drain, end_s=drain.start_s - 1)) == ["fatal"]


def test_steps_follow_each_other() -> None:
    facts = sound()
    first, last = facts.steps
    moved_s = last.phases[0].start_s - first.phases[-1].end_s + 1

    def earlier(by_s: float) -> CellFacts:
        moved = [replace(p, start_s=p.start_s - by_s, end_s=p.end_s - by_s) for p in last.phases]
        return with_step(facts, phases=tuple(moved))

    assert found(cell_doubts(earlier(moved_s - 1)), "phases_overlap") == []
    assert found(cell_doubts(earlier(moved_s)), "phases_overlap") == ["fatal"]


@pytest.mark.parametrize(("uncertainty_s", "severities"), [(0.0, ["fatal"]), (0.02, [])])
def test_stamps_moved_from_another_host_may_be_wrong_by_what_is_known(
    uncertainty_s: float, severities: list[str]
) -> None:
    detail = {"clock": {"measured": True, "offset_s": 3.0, "uncertainty_s": uncertainty_s}}
    facts = with_runs(sound({"detail": detail}), early_stamp("started_s", "first_step_s", 0.06))
    assert found(doubts(facts), "clock_disorder") == severities


SURE = {"measured": True, "offset_s": 0.0, "uncertainty_s": 0.001}
UNSURE = {"measured": True, "offset_s": 0.0, "uncertainty_s": 0.7}
NONE = {"measured": False, "offset_s": 0.0, "uncertainty_s": None, "why": "no Date header"}


@pytest.mark.parametrize(
    ("target", "clock", "said"),
    [
        ("external", SURE, ""),
        ("external", UNSURE, "is known to ± 700 ms"),
        ("external", NONE, "was not measured"),
        ("external", None, "was not measured"),  # of results from before it was
        ("compose", NONE, ""),
    ],
)
def test_times_that_rest_on_two_clocks_are_as_sure_as_their_difference(
    target: str, clock: dict[str, Any] | None, said: str
) -> None:
    detail = {} if clock is None else {"clock": clock}
    issues = cell_doubts(sound({"target": target, "detail": detail}))
    told = [issue.evidence for issue in issues if issue.code == "clock_unsure"]
    assert len(told) == bool(said)
    assert all(said in words for words in told)


def test_a_clock_that_was_not_measured_makes_no_stamp_out_of_order_right() -> None:
    facts = sound({"target": "external", "detail": {"clock": NONE}})
    early = with_runs(facts, early_stamp("started_s", "first_step_s", 0.06))
    assert found(doubts(early), "clock_disorder") == ["fatal"]
