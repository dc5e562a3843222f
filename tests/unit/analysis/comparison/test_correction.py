"""Holm's correction: what it promises, and against a count of all cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.comparison.correction import holm

pytestmark = pytest.mark.unit

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_a_known_case() -> None:
    adjusted = [each.p for each in holm([0.01, 0.04, 0.03, 0.005])]
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # What comes last is held back by the one before it: 0.06 ÷ 0.04.
    factors = [each.factor for each in holm([0.01, 0.04, 0.03, 0.005])]
    assert factors == pytest.approx([3, 1.5, 2, 4])


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_the_factor_is_what_a_chance_is_multiplied_by(chances: list[float]) -> None:
    for plain, found in zip(chances, holm(chances), strict=True):
        assert found.p == pytest.approx(min(1.0, plain * found.factor))


def test_nothing_to_correct() -> None:
    assert holm([]) == []
    assert [each.p for each in holm([0.3])] == [0.3]


@given(CHANCES)
def test_it_is_between_the_plain_p_and_bonferroni_and_keeps_the_order(chances: list[float]) -> None:
    adjusted = [each.p for each in holm(chances)]
    for plain, corrected in zip(chances, adjusted, strict=True):
        assert plain <= corrected <= min(1.0, len(chances) * plain) + 1e-12
    order = np.argsort(chances, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


@given(CHANCES, st.floats(0.1, 10))
def test_equal_weights_change_nothing(chances: list[float], weight: float) -> None:
    weighted = holm(chances, [weight] * len(chances))
    assert [e.p for e in weighted] == pytest.approx([e.p for e in holm(chances)])


def test_a_weight_buys_a_larger_part() -> None:
    plain, favoured = holm([0.01, 0.01, 0.01])[0].p, holm([0.01, 0.01, 0.01], [5, 1, 1])[0].p
    assert (plain, favoured) == pytest.approx((0.03, 0.014))


@pytest.mark.parametrize("weights", [None, [5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
def test_one_false_finding_or_more_is_as_rare_as_promised(weights: list[float] | None) -> None:
    rng = np.random.default_rng(5)
    trials = 4000
    false = sum(
        min(each.p for each in holm(rng.uniform(size=8).tolist(), weights)) <= 0.05
        for _ in range(trials)
    )
    assert 0.04 < false / trials < 0.06
