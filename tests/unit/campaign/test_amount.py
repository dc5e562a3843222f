"""How many runs a campaign can launch at most."""

from __future__ import annotations

import pytest
from campaign_text import MINIMAL, load

from harness.campaign.amount import most_runs, peak_of

pytestmark = pytest.mark.unit

TIMES = "step={ramp_s: 0, settle_s: 0, hold_s: 10}"


def test_a_ladder_sends_at_each_rung_as_many_as_fit_into_its_time() -> None:
    plan = load(
        MINIMAL, TIMES, "warmup_runs=2", "load.run_s=5",
        "search={strategy: ladder, concurrencies: [1, 3]}",
    )  # fmt: skip
    assert most_runs(plan) == 2 + 1 * 2 + 3 * 2
    assert peak_of(plan) == 3


def test_a_search_is_counted_as_if_every_step_were_the_highest() -> None:
    plan = load(
        MINIMAL, TIMES, "warmup_runs=0", "load.run_s=10",
        "search={strategy: bisect, highest: 4, max_steps: 3}",
    )  # fmt: skip
    assert most_runs(plan) == 1 + 4 + 4


def test_runs_of_unknown_length_are_taken_to_last_a_second() -> None:
    plan = load(MINIMAL, TIMES, "warmup_runs=0", "search={strategy: ladder, concurrencies: [2]}")
    assert most_runs(plan) == 10 + 20


def test_a_burst_sends_each_run_once() -> None:
    plan = load(
        MINIMAL, "load=burst", "warmup_runs=0", "search={strategy: ladder, concurrencies: [30]}"
    )
    assert peak_of(plan) == 30
    assert most_runs(plan) >= 30
