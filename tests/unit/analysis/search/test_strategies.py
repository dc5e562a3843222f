"""Every search finds the truth on every grid, and says why it does what it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.capacity import capacity_of
from harness.analysis.search.adaptive import adaptive
from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe
from harness.analysis.search.bisect import bisect
from harness.analysis.search.ladder import ladder
from harness.analysis.search.strategies import search_for
from harness.campaign.loading import load_campaign

pytestmark = pytest.mark.unit

Oracle = Callable[[int], Observation]

GRIDS = st.lists(st.integers(2, 120), min_size=1, max_size=20, unique=True).map(
    lambda rest: (1, *sorted(rest))
)


def bare(capacity: int) -> Oracle:
    """A server that holds or breaks and gives no margin."""

    def ask(concurrency: int) -> Observation:
        held = concurrency <= capacity
        return Observation(
            concurrency=concurrency, verdict="pass" if held else "fail", bare_ok=held
        )

    return ask


def smooth(capacity: int, *, slope: float = 1.0) -> Oracle:
    """A server whose margin grows with ln N and meets its limit just above its capacity."""

    def ask(concurrency: int) -> Observation:
        margin = slope * math.log(concurrency / (capacity + 0.5))
        return Observation(
            concurrency=concurrency,
            verdict="fail" if margin > 0 else "pass",
            margins={"slowdown_p95": margin},
        )

    return ask


def explore(search: NextProbe, oracle: Oracle, *, limit: int = 400) -> list[Observation]:
    seen: list[Observation] = []
    for _ in range(limit):
        order = search(seen)
        if isinstance(order, Finished):
            return seen
        seen.append(oracle(order.concurrency))
    raise AssertionError("the search did not end")


def best(grid: Sequence[int], capacity: int) -> int:
    return max((n for n in grid if n <= capacity), default=0)


class TestEverySearchFindsTheOraclesAnswer:
    @settings(max_examples=60, deadline=None)
    @given(grid=GRIDS, capacity=st.integers(0, 130))
    def test_adaptive_without_margins(self, grid: tuple[int, ...], capacity: int) -> None:
        seen = explore(adaptive(Aim(grid=grid, max_steps=200)), bare(capacity))
        assert (capacity_of(seen).concurrency or 0) == best(grid, capacity)

    @settings(max_examples=60, deadline=None)
    @given(grid=GRIDS, capacity=st.integers(0, 130), slope=st.sampled_from([0.6, 1.0, 2.0]))
    def test_adaptive_with_margins(
        self, grid: tuple[int, ...], capacity: int, slope: float
    ) -> None:
        aim = Aim(grid=grid, max_steps=200)
        seen = explore(adaptive(aim), smooth(capacity, slope=slope))
        assert (capacity_of(seen).concurrency or 0) == best(grid, capacity)

    @given(grid=GRIDS, capacity=st.integers(0, 130))
    def test_bisect(self, grid: tuple[int, ...], capacity: int) -> None:
        seen = explore(bisect(Aim(grid=grid, max_steps=200)), bare(capacity))
        held = [each.concurrency for each in seen if each.verdict == "pass"]
        failed = [each.concurrency for each in seen if each.verdict == "fail"]
        above = [n for n in grid if n > capacity]
        assert max(held, default=0) == best(grid, capacity)
        assert min(failed, default=None) == (above[0] if above else None)
        assert len(seen) <= 2 + math.ceil(math.log2(len(grid) + 1))

    @given(grid=GRIDS, capacity=st.integers(0, 130), repetitions=st.integers(1, 3))
    def test_ladder(self, grid: tuple[int, ...], capacity: int, repetitions: int) -> None:
        seen = explore(ladder(Aim(grid=grid), repetitions=repetitions), bare(capacity))
        held = [each.concurrency for each in seen if each.verdict == "pass"]
        assert max(held, default=0) == best(grid, capacity)
        assert all(held.count(n) == repetitions for n in set(held))


class TestAdaptive:
    def test_begins_with_a_run_alone(self) -> None:
        first = adaptive(Aim(grid=(1, 2, 4)))([])
        assert first == Probe(concurrency=1, reason="first: what a run takes with no other")

    def test_leaps_as_far_as_the_margin_allows(self) -> None:
        seen = [smooth(23)(1)]
        order = adaptive(Aim(grid=tuple(range(1, 65))))(seen)
        assert isinstance(order, Probe)
        assert order.concurrency == 3
        assert "slowdown_p95 was at 4% of its limit at 1" in order.reason

    def test_takes_a_models_guess_after_the_first_step(self) -> None:
        order = adaptive(Aim(grid=tuple(range(1, 65)), guess=22))([smooth(23)(1)])
        assert order == Probe(concurrency=22, reason="the model expects 22")

    def test_does_not_leap_beyond_what_a_larger_server_held(self) -> None:
        order = adaptive(Aim(grid=tuple(range(1, 65)), at_most=9))([smooth(30)(1), smooth(30)(6)])
        assert isinstance(order, Probe)
        assert order.concurrency == 9
        assert "larger server" in order.reason

    @pytest.mark.parametrize("guess", [1, 5, 22, 64])
    def test_a_wrong_guess_costs_steps_but_not_the_answer(self, guess: int) -> None:
        aim = Aim(grid=tuple(range(1, 65)), guess=guess, max_steps=60)
        assert capacity_of(explore(adaptive(aim), smooth(23))).concurrency == 23

    def test_repeats_at_both_sides_of_the_boundary(self) -> None:
        seen = explore(adaptive(Aim(grid=tuple(range(1, 65)), max_steps=60)), smooth(23))
        tried = [each.concurrency for each in seen]
        assert tried.count(23) >= 2
        assert tried.count(24) >= 2

    def test_every_step_at_the_boundary_says_what_is_believed(self) -> None:
        oracle = smooth(5)
        order = adaptive(Aim(grid=(1, 2, 4, 5, 6, 8)))([oracle(1), oracle(4), oracle(8)])
        assert isinstance(order, Probe)
        assert "the threshold lies at" in order.reason
        assert "holds with P = " in order.reason

    def test_what_failed_by_a_hair_is_tried_again_before_it_is_the_answer(self) -> None:
        """As measured: 4 broke its limit by 0.9 % and was believed to hold with P = 0.93."""
        margins = {1: -1.28, 5: 0.32, 3: -0.58, 4: 0.009}
        seen = [
            Observation(
                concurrency=n, verdict="fail" if m > 0 else "pass", margins={"launch_s_p95": m}
            )
            for n, m in margins.items()
        ]
        order = adaptive(Aim(grid=tuple(range(1, 25)), confidence=0.8))(seen)
        assert isinstance(order, Probe)
        assert order.concurrency == 4

    def test_the_last_step_goes_to_what_can_be_shipped(self) -> None:
        grid = tuple(range(1, 65))
        seen = [smooth(23)(n) for n in (1, 40, 25)]
        order = adaptive(Aim(grid=grid, confidence=0.8, max_steps=4))(seen)
        assert isinstance(order, Probe)
        assert order.reason.startswith("last step: ")
        assert 15 < order.concurrency <= 23
        found = capacity_of([*seen, smooth(23)(order.concurrency)], confidence=0.8)
        assert found.concurrency == order.concurrency
        assert found.confirmed

    def test_the_last_step_goes_on_where_the_best_answer_was_tried(self) -> None:
        seen = [smooth(23)(n) for n in (1, 24, 23)]
        order = adaptive(Aim(grid=(1, 2, 23, 24), confidence=0.8, max_steps=4))(seen)
        assert isinstance(order, Finished) or not order.reason.startswith("last step")

    def test_stops_when_its_steps_are_spent(self) -> None:
        seen = explore(adaptive(Aim(grid=tuple(range(1, 65)), max_steps=5)), smooth(23))
        assert len(seen) == 5
        end = adaptive(Aim(grid=tuple(range(1, 65)), max_steps=5))(seen)
        assert isinstance(end, Finished)
        assert end.reason.startswith("5 steps are spent; the threshold lies at")

    def test_a_server_beyond_the_grid_ends_at_the_grids_top(self) -> None:
        aim = Aim(grid=(1, 2, 4, 8), max_steps=50)
        seen = explore(adaptive(aim), smooth(100))
        assert max(each.concurrency for each in seen) == 8
        assert capacity_of(seen).status == "above_max"

    def test_steps_that_could_not_be_judged_are_tried_once_more_then_given_up(self) -> None:
        void = Observation(concurrency=1, verdict="invalid")
        search = adaptive(Aim(grid=(1, 2)))
        assert isinstance(search([void]), Probe)
        assert search([void, void]) == Finished(reason="no step could be judged")

    def test_wanting_to_be_surer_never_takes_fewer_steps(self) -> None:
        def steps(confidence: float) -> int:
            aim = Aim(grid=tuple(range(1, 65)), confidence=confidence, max_steps=100)
            return len(explore(adaptive(aim), smooth(23)))

        counts = [steps(confidence) for confidence in (0.7, 0.9, 0.99)]
        assert counts == sorted(counts)


class TestLadder:
    def test_stops_after_so_many_failing_rungs(self) -> None:
        aim = Aim(grid=(1, 2, 3, 4, 5, 6))
        seen = explore(ladder(aim, stop_after_failures=2), bare(3))
        assert [each.concurrency for each in seen] == [1, 2, 3, 4, 5]

    def test_names_the_failing_rungs(self) -> None:
        oracle = bare(1)
        end = ladder(Aim(grid=(1, 2, 3)))([oracle(1), oracle(2)])
        assert end == Finished(reason="the ladder stops: an SLO broke at 2")

    def test_repetitions_of_one_rung_count_once(self) -> None:
        oracle = bare(1)
        search = ladder(Aim(grid=(1, 2, 3)), repetitions=2, stop_after_failures=2)
        assert isinstance(search([oracle(1), oracle(1), oracle(2), oracle(2)]), Probe)


CAMPAIGN = """
name: x
profiles: 1vcpu-2gb
workloads: [{{name: io}}]
search: {search}
"""


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("{strategy: ladder, concurrencies: [2, 4]}", [1, 2, 4]),
        ("{strategy: bisect, highest: 4}", [1, 3, 4]),
    ],
)
def test_a_campaign_names_its_search(search: str, expected: list[int]) -> None:
    campaign = load_campaign(CAMPAIGN.format(search=search), source="test", overrides=[])
    (cell,) = campaign.cells()
    seen = explore(search_for(campaign, cell), bare(100))
    assert [each.concurrency for each in seen] == expected
