from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.measures.percentiles import median, percentile

pytestmark = pytest.mark.unit

VALUES = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=300)


@given(values=VALUES, percent=st.integers(1, 99))
def test_a_percentile_equals_an_independent_nearest_rank(values: list[float], percent: int) -> None:
    oracle = np.percentile(values, percent, method="inverted_cdf")
    found = percentile(values, percent)
    assert found is not None
    # numpy computes the rank in floating point: it may land one rank off at an exact multiple.
    if len(values) * percent % 100:
        assert found.value == oracle
    assert sum(v <= found.value for v in values) * 100 >= percent * len(values)
    assert sum(v < found.value for v in values) * 100 < percent * len(values)


@given(values=VALUES, percent=st.integers(1, 99))
def test_a_percentile_is_a_value_that_was_seen(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found is not None
    assert found.value in values
    assert found.n == len(values)


@pytest.mark.parametrize(("percent", "needed"), [(50, 1), (95, 20), (99, 100)])
def test_a_percentile_says_when_its_sample_is_too_small(percent: int, needed: int) -> None:
    enough = percentile(range(needed), percent)
    assert enough is not None
    assert enough.enough
    if needed > 1:
        few = percentile(range(needed - 1), percent)
        assert few is not None
        assert not few.enough
        assert few.value == needed - 2, "the maximum: an estimate from above"
        assert enough.value < needed - 1


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 95) is None
    assert median([]) is None


def test_what_never_happened_is_larger_than_everything() -> None:
    found = percentile([1.0, 2.0, math.inf], 95)
    assert found is not None
    assert math.isinf(found.value)
    assert found.finite is None
    assert median([1.0, 2.0, math.inf]) == 2.0
    assert median([1.0, math.inf, math.inf]) is None


def test_a_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        percentile([1.0, math.nan], 50)


@pytest.mark.parametrize("percent", [0, 100])
def test_a_percentile_out_of_range_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="1 to 99"):
        percentile([1.0], percent)
