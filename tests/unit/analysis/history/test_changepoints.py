"""What is found in series whose truth is known, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.history.changepoints import find_changes

pytestmark = pytest.mark.unit

NOISE = 0.03
TENTH = float(np.log(1.10))


def noisy(seed: int, points: int, sd: float = NOISE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sd, points)


def places(logs: np.ndarray) -> list[int]:
    return [split.at for split in find_changes(logs).splits]


def test_stationary_noise_shows_a_change_in_at_most_one_series_of_a_hundred() -> None:
    assert sum(bool(places(noisy(seed, 100))) for seed in range(500)) <= 5


def test_a_tenth_more_is_found_within_three_points() -> None:
    found = 0
    for seed in range(300):
        logs, at = noisy(seed, 100), 10 + seed % 80
        logs[at:] += TENTH
        found += any(abs(place - at) <= 3 for place in places(logs))
    assert found >= 0.95 * 300


def test_a_tenth_less_is_found_too() -> None:
    logs = noisy(1, 60)
    logs[30:] -= TENTH
    (place,) = places(logs)
    assert abs(place - 30) <= 3


def test_levels_are_told_with_their_scatter() -> None:
    logs = noisy(2, 400)
    logs[200:] += TENTH
    found = find_changes(logs)
    assert [(s.start, s.end) for s in found.stretches] == [(0, 200), (200, 400)]
    first, second = (stretch.level for stretch in found.stretches)
    assert second - first == pytest.approx(TENTH, abs=0.01)
    assert found.sd == pytest.approx(NOISE, rel=0.1)
    assert found.splits[0].p < 1e-9


def test_two_changes_that_undo_one_another_are_both_told() -> None:
    logs = noisy(3, 90)
    logs[30:60] += TENTH
    up, down = places(logs)
    assert abs(up - 30) <= 3
    assert abs(down - 60) <= 3


@pytest.mark.parametrize("bad", [1, 2])
@pytest.mark.parametrize("at", [0, 1, 40, 97])
def test_one_or_two_bad_nights_are_no_change(bad: int, at: int) -> None:
    logs = noisy(4, 99)
    logs[at : at + bad] += 0.5
    found = find_changes(logs)
    assert found.splits == ()
    assert found.stretches[0].outliers[:bad] == tuple(range(at, min(at + bad, 99)))


def test_a_few_percent_of_bad_nights_are_no_change() -> None:
    found = 0
    for seed in range(200):
        logs = noisy(seed, 100)
        bad = np.random.default_rng(seed + 1000).choice(33, 3, replace=False) * 3
        logs[bad] += 0.4
        found += bool(places(logs))
    assert found <= 2


def test_three_of_a_new_level_are_enough_where_it_is_clear() -> None:
    logs = noisy(5, 40)
    logs[37:] += 0.3
    assert places(logs) == [37]
    logs[39] = logs[38] = 0.0
    assert places(logs) == []


def test_a_change_below_two_percent_is_not_told_however_sure() -> None:
    logs = noisy(6, 400, sd=0.001)
    logs[200:] += np.log(1.015)
    assert places(logs) == []
    logs[200:] += np.log(1.01)
    assert places(logs) == [200]


def test_a_large_change_is_not_taken_for_a_drift() -> None:
    for seed in range(20):
        logs = noisy(seed, 20)
        logs[15:] += 1.0
        assert 15 in places(logs)


def test_equal_values_prove_no_precision() -> None:
    logs = np.zeros(30)
    assert find_changes(logs).sd > 0
    assert places(logs) == []
    logs[15:] = np.log(5 / 4)
    assert places(logs) == [15]


def test_a_drift_is_not_told_as_a_stairway() -> None:
    shown = 0
    for seed in range(100):
        steps, logs = noisy(seed, 100), np.zeros(100)
        for night in range(1, 100):
            logs[night] = 0.3 * logs[night - 1] + steps[night]
        shown += bool(places(logs))
    assert shown <= 10


def test_fewer_than_ten_points_are_refused() -> None:
    with pytest.raises(ValueError, match="9 points, 10 needed"):
        find_changes([0.0] * 9)
    assert find_changes([0.0] * 10).splits == ()


@settings(max_examples=50)
@given(st.lists(st.floats(-5, 5), min_size=10, max_size=60))
def test_stretches_cover_every_series_once(logs: list[float]) -> None:
    found = find_changes(logs)
    bounds = [(stretch.start, stretch.end) for stretch in found.stretches]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == len(logs)
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]
    assert [split.at for split in found.splits] == [start for start, _ in bounds[1:]]
    assert all(end - start >= 3 for start, end in bounds)
    assert np.isfinite([stretch.level for stretch in found.stretches]).all()
