"""Samples as series."""

from __future__ import annotations

import numpy as np
import pytest

from harness.facts.model import Sample
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit


def sample(taken_s: float, value: float, source: str = "r0", key: str = "usage") -> Sample:
    return Sample(
        device="cgroup", source=source, key=key, due_s=taken_s - 0.25, taken_s=taken_s, value=value
    )


TABLE = SamplesTable.of(
    [
        sample(3, 30),
        sample(1, 10),
        sample(2, 20),
        sample(2.5, 99, source="r1"),
        sample(1, 7, key="pids"),
    ]
)


def test_a_series_ascends_in_time_whatever_the_order_of_writing() -> None:
    times, values = TABLE.series("cgroup", "usage", "r0")
    np.testing.assert_array_equal(times, [1, 2, 3])
    np.testing.assert_array_equal(values, [10, 20, 30])


def test_without_a_source_all_sources_are_one_series() -> None:
    _, values = TABLE.series("cgroup", "usage")
    np.testing.assert_array_equal(values, [10, 20, 99, 30])


def test_a_window_includes_its_start_and_not_its_end() -> None:
    times, _ = TABLE.series("cgroup", "usage", "r0", start_s=1, end_s=3)
    np.testing.assert_array_equal(times, [1, 2])


def test_a_window_may_start_at_zero() -> None:
    table = SamplesTable.of([sample(-1, 1), sample(0, 2), sample(1, 3)])
    _, values = table.series("cgroup", "usage", start_s=0, end_s=1)
    np.testing.assert_array_equal(values, [2])


def test_what_was_never_read_is_an_empty_series_of_floats() -> None:
    times, values = TABLE.series("pool", "queue")
    assert (times.size, values.size) == (0, 0)
    assert times.dtype == values.dtype == np.float64


def test_the_table_says_what_it_holds() -> None:
    assert TABLE.devices() == ("cgroup",)
    assert TABLE.keys("cgroup") == ("pids", "usage")
    assert TABLE.sources("cgroup", "usage") == ("r0", "r1")
    assert TABLE.sources("cgroup", "nothing") == ()
    assert len(TABLE) == 5
    assert len(SamplesTable.of()) == 0


def test_samples_can_be_walked_through() -> None:
    assert next(iter(TABLE)) == sample(3, 30)


def test_lateness_is_counted_once_a_look() -> None:
    # The look at 1 s read two keys.
    np.testing.assert_allclose(TABLE.lateness_s("cgroup"), [0.25] * 4)


def test_a_hundred_thousand_samples_are_cut_to_a_window() -> None:
    table = SamplesTable.of(sample(float(second), second) for second in range(100_000))
    times, _ = table.series("cgroup", "usage", "r0", start_s=500, end_s=600)
    np.testing.assert_array_equal(times, np.arange(500, 600))
