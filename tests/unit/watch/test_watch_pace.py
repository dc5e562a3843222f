"""How much of a campaign is left: expected, then corrected by what cells really took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rig.protocols import Expectation
from harness.watch.pace import Pace

pytestmark = pytest.mark.unit


def cell(name: str, expected_s: float = 100.0, longest_s: float = 1000.0) -> Expectation:
    return Expectation(cell_id=name, expected_s=expected_s, longest_s=longest_s)


def begun(*cells: Expectation) -> Pace:
    return Pace().campaign_started(cells, 0.0)


def test_before_a_campaign_nobody_knows() -> None:
    assert Pace().left_s(5.0) is None
    assert Pace().share(5.0) == 0.0


def test_at_first_what_is_left_is_what_was_expected() -> None:
    pace = begun(cell("a"), cell("b", 50.0))
    assert pace.left_s(0.0) == 150.0
    assert pace.cell_started("a", 0.0).left_s(30.0) == 120.0


def test_a_slow_cell_makes_the_others_slow_too() -> None:
    pace = begun(cell("a"), cell("b"), cell("c")).cell_started("a", 0.0).cell_done(150.0)
    assert pace.left_s(150.0) == pytest.approx(300.0)
    assert pace.share(150.0) == pytest.approx(1 / 3)


def test_a_cell_that_failed_at_once_does_not_make_the_others_free() -> None:
    pace = begun(cell("a"), cell("b")).cell_started("a", 0.0).cell_done(0.1)
    assert pace.left_s(0.1) == 25.0


def test_no_cell_takes_longer_than_its_longest() -> None:
    pace = begun(cell("a"), cell("b", longest_s=120.0)).cell_started("a", 0.0).cell_done(300.0)
    assert pace.left_s(300.0) == 120.0


def test_an_overdue_cell_takes_at_least_the_step_under_way() -> None:
    pace = begun(cell("a")).cell_started("a", 0.0)
    assert pace.left_s(130.0, step_left_s=12.0) == 12.0
    assert pace.left_s(130.0) == 0.0


def test_a_cell_nobody_announced_is_not_reckoned_with() -> None:
    pace = begun(cell("a")).cell_started("x", 0.0)
    assert pace.cell_done(50.0).left_s(50.0) == 100.0


@given(
    st.lists(st.tuples(st.floats(1, 1e4), st.floats(0, 1e5)), min_size=1, max_size=5),
    st.floats(0, 1e5),
)
def test_the_share_is_a_share_and_time_left_is_never_negative(
    cells: list[tuple[float, float]], gone_s: float
) -> None:
    pace = begun(*(cell(str(i), expected, expected * 2) for i, (expected, _) in enumerate(cells)))
    now_s = 0.0
    for index, (_, took_s) in enumerate(cells[:-1]):
        pace = pace.cell_started(str(index), now_s)
        now_s += took_s
        pace = pace.cell_done(now_s)
    pace = pace.cell_started(str(len(cells) - 1), now_s)
    left_s = pace.left_s(now_s + gone_s)
    assert left_s is not None
    assert left_s >= 0
    assert 0 <= pace.share(now_s + gone_s) <= 1
