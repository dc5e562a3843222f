from __future__ import annotations

import pytest
from factory import Rung, make_cell, make_facts

from harness.analysis.capacity import Trial, capacity_of
from harness.analysis.steps import StepSummary, summarise
from harness.analysis.workers import recommend

pytestmark = pytest.mark.unit


def at(rung: Rung, **cell: object) -> StepSummary:
    facts = make_facts([rung], **cell)
    return summarise(
        facts.cell, facts.steps[0], runs=facts.runs, samples=facts.samples, unloaded_s=None
    )


BRACKETED = capacity_of(
    [
        Trial(concurrency=8, verdict="pass"),
        Trial(concurrency=12, verdict="fail", broken=("launch_s_p95",)),
    ]
)


def test_few_launches_need_no_more_than_the_least() -> None:
    found = recommend(make_cell(), BRACKETED, at(Rung(concurrency=8, exec_s=60.0, hold_s=200.0)))
    assert found.max_workers == 4
    assert found.max_concurrent_runs == 8
    assert found.replicas == 1


def test_workers_are_the_launches_at_once_and_three_more() -> None:
    # 8 runs of 1 s, each launch holding a worker for half of 4 s: 8 / 5 × 2 = 3.2 busy.
    found = recommend(
        make_cell(), BRACKETED, at(Rung(concurrency=8, launch_s=4.0, exec_s=1.0, hold_s=100.0))
    )
    assert found.max_workers == 4 + 3
    assert any("3 more serve polls" in why for why in found.why)


def test_a_setting_that_was_not_measured_is_called_predicted() -> None:
    found = recommend(make_cell(max_workers=6), BRACKETED, at(Rung(concurrency=8)))
    assert any("predicted" in why for why in found.why)
    same = recommend(make_cell(max_workers=found.max_workers), BRACKETED, at(Rung(concurrency=8)))
    assert not any("predicted" in why for why in same.why)


def test_launches_spread_over_the_replicas() -> None:
    rung = Rung(concurrency=8, launch_s=4.0, exec_s=1.0, hold_s=100.0)
    found = recommend(make_cell(replicas=2), BRACKETED, at(rung, replicas=2))
    assert found.max_workers == 2 + 3
    assert found.max_concurrent_runs == 8


def test_the_words_tell_what_broke_and_where() -> None:
    why = " ".join(recommend(make_cell(), BRACKETED, at(Rung(concurrency=8))).why)
    assert "12 was too many (launch_s_p95 broke)" in why
    assert "1vcpu-2gb" in why


@pytest.mark.parametrize(
    "trials",
    [
        [Trial(concurrency=1, verdict="invalid")],
        [Trial(concurrency=1, verdict="fail", broken=("no_oom",))],
    ],
)
def test_without_a_capacity_nothing_is_recommended_and_why_is_said(trials: list[Trial]) -> None:
    found = recommend(make_cell(), capacity_of(trials), None)
    assert (found.max_workers, found.max_concurrent_runs, found.replicas) == (None, None, None)
    assert found.why


def test_without_launch_phases_the_workers_stay_unknown() -> None:
    found = recommend(make_cell(), BRACKETED, None)
    assert found.max_workers is None
    assert found.max_concurrent_runs == 8
