"""RSS of a run at work: read where processes were looked at, not known elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.analysis.measures.grown_run import grown_run_bytes
from harness.facts.model import Phase, Sample
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit

HOLD = Phase(name="hold", start_s=0, end_s=100)


def looks(counts: Iterable[float], rss: Iterable[float], source: str = "a") -> list[Sample]:
    made = []
    for at_s, (count, size) in enumerate(zip(counts, rss, strict=True)):
        for key, value in (("resident_runs", count), ("runs_rss_bytes", size)):
            made.append(
                Sample(device="processes", source=source, key=key, due_s=at_s, taken_s=at_s,
                       value=value)
            )  # fmt: skip
    return made


def grown(samples: list[Sample]) -> float | None:
    return grown_run_bytes(SamplesTable.of(samples), HOLD)


def test_runs_that_still_import_do_not_make_it_smaller() -> None:
    # Of ten looks three see one of the two runs while it is small.
    assert grown(looks([2] * 10, [200] * 7 + [120] * 3)) == 100


def test_looks_without_a_run_say_nothing() -> None:
    assert grown(looks([0, 1, 0, 1], [0, 100, 0, 100])) == 100
    assert grown(looks([0, 0], [0, 0])) is None


def test_without_processes_it_is_not_known() -> None:
    assert grown([]) is None


def test_replicas_count_by_their_own_runs() -> None:
    both = looks([1] * 10, [100] * 10) + looks([4] * 10, [400] * 10, source="b")
    assert grown(both) == 100
