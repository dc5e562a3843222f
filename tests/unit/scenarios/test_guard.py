from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory_bursts import CELL_ID, burst_step, campaign_of, cell_of, findings_of_bursts

from harness.campaign.plan import Slos
from harness.scenarios.guard import GuardVerdict, guard_campaign, judge_guard

pytestmark = pytest.mark.unit

CAMPAIGN = guard_campaign(campaign_of(), cell_of())
LOST = {"verdict": "fail", "oom_kills": 2, "restarts": 1, "lost": 14, "completed": 4}


def judged(limited: dict[str, Any] | None, free: dict[str, Any] | None) -> GuardVerdict:
    steps = [None if each is None else burst_step(**each) for each in (limited, free)]
    return judge_guard(findings_of_bursts(CAMPAIGN, *steps), CELL_ID, "folder")


def test_two_cells_that_differ_in_the_limit_alone() -> None:
    limited, free = CAMPAIGN.cells()
    assert (limited.max_concurrent_runs, free.max_concurrent_runs) == (6, None)
    assert limited.model_copy(update={"max_concurrent_runs": None}) == free


def test_the_server_is_the_measured_one_not_the_recommended_one() -> None:
    assert {cell.max_workers for cell in CAMPAIGN.cells()} == {6}


def test_only_what_may_not_happen_is_an_objective_and_not_one_run_may_be_lost() -> None:
    on = {name: limit for name, limit in CAMPAIGN.slos.model_dump().items() if limit is not None}
    assert on == {"no_oom": 0, "failed_runs": 0}
    assert set(Slos.model_fields) == set(CAMPAIGN.slos.model_dump())


def test_a_limit_that_saves_what_is_lost_without_it_is_proven() -> None:
    found = judged({}, LOST)
    assert found.passed is True
    assert found.with_limit is not None
    assert found.without_limit is not None
    assert (found.with_limit.passed, found.with_limit.harm) == (True, "")
    assert found.with_limit.max_concurrent_runs == 6
    assert (found.without_limit.passed, found.without_limit.lost) == (False, 14)
    assert found.sentence == (
        "The limit guards: with max_concurrent_runs 6, 18 runs at once all passed; without it, "
        "OOM kills: 2, server deaths: 1, lost runs: 14."
    )
    assert found.evidence == (
        "with the limit: 18 of 18 runs ended, 0 failed, 0 lost, 0 still going; most in the queue: "
        "12; memory peak: not known; 0 OOM kills, 0 server deaths",
        "without it: 4 of 18 runs ended, 0 failed, 14 lost, 0 still going; most in the queue: 12; "
        "memory peak: not known; 2 OOM kills, 1 server deaths",
    )


@pytest.mark.parametrize("harm", [{"oom_kills": 1}, {"restarts": 1}, {"lost": 1}, {"failed": 1}])
def test_any_harm_without_the_limit_is_proof(harm: dict[str, int]) -> None:
    assert judged({}, {"verdict": "fail", **harm}).passed is True


def test_a_limit_that_was_not_needed_proves_nothing() -> None:
    found = judged({}, {})
    assert found.passed is None
    assert "The limit was not needed" in found.sentence


def test_runs_still_going_without_the_limit_are_no_harm() -> None:
    found = judged({}, {"completed": 10, "unfinished": 8})
    assert found.passed is None
    assert "8 of 18 runs were still going" in found.sentence


@pytest.mark.parametrize(
    ("broke", "what"),
    [
        ({"oom_kills": 1, "broken": ("no_oom",)}, "OOM kills: 1"),
        ({"failed": 3, "broken": ("failed_runs",)}, "failed runs: 3"),
        ({"broken": ("failed_runs",)}, "broke failed_runs"),
    ],
)
def test_a_limit_that_does_not_save_is_said_to_fail(broke: dict[str, Any], what: str) -> None:
    found = judged({"verdict": "fail", **broke}, LOST)
    assert found.passed is False
    assert "does not guard" in found.sentence
    assert what in found.sentence


@pytest.mark.parametrize(
    ("limited", "free"),
    [
        ({"verdict": "invalid"}, LOST),
        ({"verdict": "inconclusive"}, LOST),
        ({"completed": 17, "unfinished": 1}, LOST),
        ({"completed": 17}, LOST),
        ({}, {**LOST, "verdict": "invalid"}),
    ],
)
def test_a_doubt_proves_nothing(limited: dict[str, Any], free: dict[str, Any]) -> None:
    found = judged(limited, free)
    assert found.passed is None
    assert found.sentence.startswith("Not proven")
    assert "in doubt" in found.sentence


def test_the_doubtful_burst_is_named() -> None:
    limited, free = (cell.id for cell in CAMPAIGN.cells())
    assert judged({"verdict": "invalid"}, LOST).sentence.endswith(f" at {limited}.")
    assert judged({}, {**LOST, "verdict": "invalid"}).sentence.endswith(f" at {free}.")


def test_a_burst_that_was_not_measured_proves_nothing() -> None:
    assert judged(None, LOST).sentence == ("Not proven: the burst with the limit was not measured.")
    assert judged({}, None).sentence == (
        "Not proven: the burst without the limit was not measured."
    )
    assert judged(None, None).passed is None


def test_a_campaign_that_broke_off_before_its_second_cell_proves_nothing() -> None:
    findings = findings_of_bursts(CAMPAIGN, burst_step(), burst_step(**LOST))
    assert judge_guard(replace(findings, cells=findings.cells[:1]), CELL_ID).passed is not True
