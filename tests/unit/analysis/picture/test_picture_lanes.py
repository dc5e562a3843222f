"""Runs as a timeline: rows show how many were in flight, and what matters is never left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import factory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.measures.windows import end_of
from harness.analysis.picture.canvas import Canvas
from harness.analysis.picture.lanes import lanes_of
from harness.analysis.picture.types import Lanes
from harness.facts.model import Run, RunStatus
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit

AT_S = factory.START_S
CANVAS = Canvas(samples=SamplesTable.of(), origin_s=AT_S, points=100)
STEP = factory.make_step(3, factory.Rung(concurrency=4), AT_S)
END_S = STEP.phases[-1].end_s - AT_S
COLUMNS = (
    "lane", "intended_s", "sent_s", "process_started_s", "started_s", "ended_s", "status", "job"
)  # fmt: skip


def run(sent_s: float, ended_s: float | None, status: RunStatus = "SUCCESS") -> Run:
    return Run(
        step=3, user=0, run_id="x", intended_s=AT_S + sent_s - 0.5, sent_s=AT_S + sent_s,
        accepted_s=AT_S + sent_s + 0.25, status=status,
        ended_s=None if ended_s is None else AT_S + ended_s,
    )  # fmt: skip


def lanes(runs: list[Run], most: int = 1000) -> Lanes:
    return lanes_of(STEP, runs, CANVAS, most=most)


@st.composite
def many(draw: st.DrawFn) -> list[Run]:
    """Runs that overlap, some of which did not succeed or never ended."""
    times = st.integers(0, 4000).map(lambda hundredth: hundredth / 100)
    statuses = st.sampled_from(["SUCCESS"] * 6 + ["FAILURE", "LOST", "UNFINISHED", "REJECTED"])
    runs = []
    for sent_s, length_s, status in draw(st.lists(st.tuples(times, times, statuses), max_size=60)):
        ends = status in ("SUCCESS", "FAILURE")
        runs.append(run(sent_s, sent_s + length_s if ends else None, status))
    return runs


def test_a_run_takes_the_lowest_row_that_is_free_when_it_is_sent() -> None:
    found = lanes([run(1, 5), run(2, 3), run(3, 9), run(4, 6), run(5, 7)])
    assert found.lane == (0, 1, 1, 2, 0)
    assert found.sent_s == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_a_run_without_an_end_keeps_its_row_to_the_end_of_the_step() -> None:
    found = lanes([run(1, None, "LOST"), run(2, 3), run(4, 5)])
    assert found.lane == (0, 1, 1)
    assert found.ended_s[0] is None


def test_a_rejected_launch_ended_when_it_was_answered() -> None:
    found = lanes([run(1, None, "REJECTED"), run(2, 3)])
    assert found.lane == (0, 0)
    assert found.ended_s[0] == 1.25


def test_runs_are_in_order_of_their_intended_start() -> None:
    late = replace(run(8, 9), intended_s=AT_S + 1)
    assert lanes([run(3, 4), late]).sent_s == (8.0, 3.0)


@given(many())
def test_no_row_holds_two_runs_at_once_and_the_rows_are_no_more_than_needed(
    runs: list[Run],
) -> None:
    found = lanes(runs)
    assert {len(getattr(found, column)) for column in COLUMNS} == {len(runs)}
    assert found.omitted == 0
    ends = [END_S if end is None else end for end in found.ended_s]
    columns = (found.sent_s, ends, found.lane)
    for row in set(found.lane):
        own = sorted((s, e) for s, e, at in zip(*columns, strict=True) if at == row)
        assert all(before[1] <= after[0] for before, after in pairwise(own))
    in_flight = [
        sum(s <= moment < e or s == moment for s, e in zip(found.sent_s, ends, strict=True))
        for moment in found.sent_s
    ]
    assert max(found.lane, default=-1) < max(in_flight, default=0)


@given(many(), st.integers(0, 50))
def test_what_did_not_succeed_and_the_slowest_stay(runs: list[Run], most: int) -> None:
    found = lanes(runs, most)
    bad = sum(each.status != "SUCCESS" for each in runs)
    assert sum(status != "SUCCESS" for status in found.status) == bad
    assert len(found.lane) + found.omitted == len(runs)
    assert len(found.lane) <= max(most, bad + 1)
    well = [end_of(each) - each.intended_s for each in runs if each.status == "SUCCESS"]
    shown = [
        end - intended
        for end, intended, status in zip(found.ended_s, found.intended_s, found.status, strict=True)
        if status == "SUCCESS" and end is not None
    ]
    assert max(shown, default=0.0) == pytest.approx(max(well, default=0.0), abs=0.02)


def test_rows_show_how_many_were_in_flight_although_most_are_left_out() -> None:
    runs = [run(sent_s / 10, sent_s / 10 + 5) for sent_s in range(200)]
    found = lanes(runs, most=20)
    assert len(found.lane) == 20
    assert found.omitted == 180
    whole = lanes(runs)
    places = [whole.sent_s.index(sent_s) for sent_s in found.sent_s]
    assert [whole.lane[place] for place in places] == list(found.lane)


def test_what_is_left_is_spread_over_the_step() -> None:
    runs = [run(sent_s / 10, sent_s / 10 + 5) for sent_s in range(200)]
    spaces = np.diff(lanes(runs, most=40).sent_s)
    assert spaces.max() <= 1.0


def test_times_are_told_to_the_hundredth_of_a_second_and_none_is_made_up() -> None:
    own = replace(run(1.23456, 4.56789), process_started_s=None, started_s=AT_S + 2.34567)
    found = lanes([own])
    assert (found.sent_s, found.process_started_s) == ((1.23,), (None,))
    assert (found.started_s, found.ended_s) == ((2.35,), (4.57,))
