"""How equal cells scatter, whatever their versions and rounds have in common."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.history.rounds import averages, ratios, scatter, tidy

pytestmark = pytest.mark.unit

UNKNOWN = float("nan")


def table(*versions: list[float]) -> np.ndarray:
    """One metric: a row of rounds for each version."""
    return np.array(versions, dtype=float)[:, :, None]


def test_means_count_the_rounds_that_are_known() -> None:
    found = averages(np.array([[1.0], [3.0], [UNKNOWN]]))
    assert (found.means.tolist(), found.rounds.tolist()) == ([2.0], [2])


def test_what_no_round_has_is_not_known() -> None:
    found = averages(np.array([[UNKNOWN], [UNKNOWN]]))
    assert np.isnan(found.means).all()
    assert found.rounds.tolist() == [0]


def test_ratios_are_taken_within_rounds() -> None:
    found = ratios(np.array([[1.0], [5.0]]), np.array([[0.5], [4.5]]))
    assert (found.means.tolist(), found.rounds.tolist()) == ([0.5], [2])


@given(
    st.integers(2, 4), st.integers(2, 6), st.integers(0, 10_000),
    st.floats(-3, 3), st.floats(-3, 3),
)  # fmt: skip
def test_what_versions_and_rounds_have_in_common_is_no_scatter(
    versions: int, rounds: int, seed: int, version_effect: float, round_effect: float
) -> None:
    logs = np.random.default_rng(seed).normal(0, 0.05, (versions, rounds, 3))
    moved = logs.copy()
    moved[0] += version_effect
    moved[:, 1] += round_effect
    before, after = scatter(logs), scatter(moved)
    assert after.sd == pytest.approx(before.sd, abs=1e-9)
    assert set(after.free) == {(versions - 1) * (rounds - 1)}


def test_one_version_scatters_around_its_mean() -> None:
    found = scatter(table([0.0, 0.1, 0.2]))
    assert found.sd.tolist() == pytest.approx([0.1])
    assert found.free.tolist() == [2]


def test_counts_that_happen_to_agree_prove_nothing_finer_than_their_grain() -> None:
    """Eight runs a hold in every round: each may be off by half a run."""
    agreeing = table([0.3, 0.3, 0.3], [0.4, 0.4, 0.4])
    assert scatter(agreeing).sd.tolist() == pytest.approx([0.0], abs=1e-12)
    found = scatter(agreeing, np.full_like(agreeing, 0.12))
    assert found.sd.tolist() == pytest.approx([0.12 / math.sqrt(12)])


def test_noise_beyond_the_grain_is_told_as_it_is() -> None:
    logs = table([0.0, 0.3, 0.6])
    found = scatter(logs, np.full_like(logs, 0.12))
    assert found.sd.tolist() == pytest.approx(scatter(logs).sd.tolist())


def test_a_round_that_one_version_lacks_counts_for_none() -> None:
    whole = scatter(table([0.0, 0.1, 9.0], [0.2, 0.5, UNKNOWN]))
    assert whole.sd == pytest.approx(scatter(table([0.0, 0.1], [0.2, 0.5])).sd)
    assert whole.free.tolist() == [1]


def test_a_version_without_the_metric_does_not_hide_the_others() -> None:
    lacking = [UNKNOWN] * 3
    found = scatter(table([0.0, 0.1, 0.2], lacking))
    assert found.sd.tolist() == pytest.approx([0.1])
    assert found.free.tolist() == [2]


@pytest.mark.parametrize("logs", [table([0.3]), table([0.3], [0.4]), table([UNKNOWN, UNKNOWN])])
def test_where_there_is_one_round_nothing_is_known(logs: np.ndarray) -> None:
    found = scatter(logs)
    assert np.isnan(found.sd).all()
    assert found.free.tolist() == [0]


def test_scatter_finds_the_noise_it_was_made_with() -> None:
    logs = np.random.default_rng(3).normal(0, 0.04, (2, 2000, 1))
    assert scatter(logs).sd.tolist() == pytest.approx([0.04], rel=0.05)


@given(st.floats(1e-6, 1e9))
def test_nine_digits_are_kept_and_short_to_write(value: float) -> None:
    (short,) = tidy(np.array([value])).tolist()
    assert short == pytest.approx(value, rel=1e-8)
    assert len(re.sub(r"e.*|[.]", "", repr(short)).strip("0")) <= 9


def test_zero_and_unknown_stay() -> None:
    zero, unknown = tidy(np.array([0.0, UNKNOWN])).tolist()
    assert zero == 0
    assert np.isnan(unknown)
