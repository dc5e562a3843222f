"""The index gives what the table gives, and asks it once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from factory import Rung, make_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.measures.indexed import Indexed
from harness.facts.model import Sample
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit

MOMENTS = st.one_of(st.none(), st.integers(-2, 22).map(float))


class Counting:
    """A table that counts what it is asked."""

    def __init__(self, table: SamplesTable) -> None:
        self.table, self.asked = table, 0

    def __getattr__(self, name: str) -> Any:
        self.asked += 1
        return getattr(self.table, name)


@settings(max_examples=100, deadline=None)
@given(
    taken=st.lists(st.integers(0, 20).map(float), max_size=30),
    source=st.sampled_from([None, "a", "b", "nobody"]),
    start_s=MOMENTS,
    end_s=MOMENTS,
)
def test_a_window_of_a_series_is_the_one_of_the_table(
    taken: list[float], source: str | None, start_s: float | None, end_s: float | None
) -> None:
    table = SamplesTable.of(
        Sample(device="d", source="ab"[n % 2], key="k", due_s=at_s, taken_s=at_s, value=float(n))
        for n, at_s in enumerate(taken)
    )
    expected = table.series("d", "k", source=source, start_s=start_s, end_s=end_s)
    found = Indexed(table).series("d", "k", source=source, start_s=start_s, end_s=end_s)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_sources_and_lateness_are_those_of_the_table() -> None:
    table = make_facts([Rung(concurrency=2)], replicas=2).samples
    indexed = Indexed(table)
    assert indexed.sources("cgroup", "cpu_s") == table.sources("cgroup", "cpu_s")
    np.testing.assert_array_equal(indexed.lateness_s("cgroup"), table.lateness_s("cgroup"))


def test_series_of_one_key_are_kept_apart_by_their_source() -> None:
    table = make_facts([Rung(concurrency=2)], replicas=2).samples
    indexed = Indexed(table)
    for source in (None, "code-server-1", "code-server-2", None):
        found, expected = (
            each.series("cgroup", "cpu_s", source=source) for each in (indexed, table)
        )
        np.testing.assert_array_equal(found, expected)


def test_the_table_is_asked_once_for_each_series() -> None:
    counting = Counting(make_facts([Rung(concurrency=2)]).samples)
    indexed = Indexed(counting)
    for end_s in range(5):
        indexed.series("cgroup", "cpu_s", end_s=float(end_s))
        indexed.sources("cgroup", "cpu_s")
        indexed.lateness_s("cgroup")
    assert counting.asked == 3
