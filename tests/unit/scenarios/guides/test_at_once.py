"""How many there were at once."""

from __future__ import annotations

from math import inf

import pytest
from factory_queued_runs import queued_run
from hypothesis import given
from hypothesis import strategies as st

from harness.scenarios.guides.at_once import Peak, first_steps, in_progress, peak, waiting

pytestmark = pytest.mark.unit


def test_the_most_at_once_is_told_with_the_moment_it_began() -> None:
    assert peak([(0, 10), (2, 4), (3, 9), (5, 6)]) == Peak(most=3, at_s=3)


def test_one_that_begins_as_another_ends_is_not_beside_it() -> None:
    assert peak([(0, 5), (5, 9), (9, 12)]).most == 1


def test_nothing_is_none_at_once() -> None:
    assert peak([]) == Peak()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=12))
def test_the_peak_is_what_counting_at_every_moment_finds(given_: list[tuple[int, int]]) -> None:
    spans = [(begin, begin + lasting) for begin, lasting in given_]
    counted = max((sum(b <= at < e for b, e in spans) for at in range(30)), default=0)
    assert peak(spans).most == counted


def test_a_run_is_in_progress_from_the_queue_to_its_end() -> None:
    runs = [queued_run("g", 1, 4), queued_run("g", 2, None), queued_run("g", None, None)]
    assert in_progress([run.values for run in runs]) == [(1, 4), (2, inf)]
    assert first_steps([run.values for run in runs]) == [(2, 4), (3, inf)]


def test_those_wait_that_are_queued_and_neither_taken_nor_cancelled() -> None:
    runs = [
        queued_run("g", 1, 9), queued_run("g", 6, 9), queued_run("g", None, None),
        queued_run("g", None, 4), queued_run("g", 8, 9, enqueued=7),
    ]  # fmt: skip
    assert waiting([run.values for run in runs], 5) == 2
