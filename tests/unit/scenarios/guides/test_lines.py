"""A straight line through a few points."""

from __future__ import annotations

import pytest

from harness.scenarios.guides.lines import line

pytestmark = pytest.mark.unit


def test_points_on_a_line_give_it_back() -> None:
    found = line([(2, 300.0), (6, 700.0), (12, 1300.0)])
    assert found is not None
    assert (found.slope, found.at_zero, found.n) == (pytest.approx(100), pytest.approx(100), 3)
    assert found.r2 == pytest.approx(1)


def test_what_bends_is_less_of_a_line() -> None:
    found = line([(0, 0.0), (1, 1.0), (2, 1.0)])
    assert found is not None
    assert found.r2 == pytest.approx(0.75)


@pytest.mark.parametrize("points", [[(1, 2.0), (3, 4.0)], [(1, 5.0), (2, 5.0), (3, 5.0)]])
def test_two_points_or_a_level_have_no_fit_to_speak_of(points: list[tuple[float, float]]) -> None:
    found = line(points)
    assert found is not None
    assert found.r2 is None


@pytest.mark.parametrize("points", [[], [(3, 1.0)], [(3, 1.0), (3, 2.0)]])
def test_one_size_has_no_line(points: list[tuple[float, float]]) -> None:
    assert line(points) is None
