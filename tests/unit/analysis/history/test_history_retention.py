"""Whose facts may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from factory_history import entry

from harness.analysis.history.retention import DAY_S, expired
from harness.analysis.history.types import Entry

pytestmark = pytest.mark.unit


def gone_by(
    entries: Sequence[Entry], *, age_days: float, keep_days: float, kept: Sequence[str] = ()
) -> list[Entry]:
    """Those whose facts go, so many days after the last began."""
    now_s = max(each.started_s for each in entries) + age_days * DAY_S
    names = expired(entries, now_s=now_s, keep_days=keep_days, kept=kept)
    return [next(each for each in entries if each.folder == name) for name in names]


def test_old_ones_go_oldest_first() -> None:
    entries = [entry(night) for night in range(10)]
    assert gone_by(entries, age_days=0, keep_days=5) == entries[:4]


def test_the_newest_of_each_name_stays_however_old() -> None:
    entries = [entry(0, campaign="quick"), entry(1), entry(2)]
    assert gone_by(entries, age_days=1000, keep_days=5) == [entries[1]]


def test_a_newer_one_without_figures_does_not_count_as_the_newest() -> None:
    entries = [entry(0), entry(1), entry(2, None, problem="damaged")]
    assert gone_by(entries, age_days=1000, keep_days=5) == [entries[0]]


def test_kept_ones_stay() -> None:
    entries = [entry(night) for night in range(4)]
    kept = [entries[1].folder]
    assert gone_by(entries, age_days=9, keep_days=0, kept=kept) == [entries[0], entries[2]]


@pytest.mark.parametrize("change", [{"problem": "without findings.json"}, {"gone": True}])
def test_what_could_not_be_judged_again_stays_and_what_is_gone_is_left_out(
    change: dict[str, object],
) -> None:
    entries = [replace(entry(0), **change), entry(1), entry(2)]
    assert gone_by(entries, age_days=9, keep_days=0) == [entries[1]]


def test_one_exactly_that_old_stays() -> None:
    entries = [entry(0), entry(1)]
    assert gone_by(entries, age_days=4, keep_days=5) == []
    assert gone_by(entries, age_days=4.001, keep_days=5) == [entries[0]]
