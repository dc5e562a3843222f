"""Does a configuration hold its own bursts? Findings in, an answer with a way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory_bursts import burst_step, cell_of, filled

from harness.analysis.findings.types import (
    Findings,
    IssueFinding,
    MemoryFinding,
    SloFinding,
    StepFinding,
)
from harness.analysis.inside import Inside
from harness.analysis.validation import Asked, judge_validation

pytestmark = pytest.mark.unit

FULL = {n: Inside(most=10, full_s=30.0, by="samples", pace_s=2.0, run_s=30.0) for n in (1, 2)}
FOUR = {n: Inside(most=4, full_s=0.0, by="runs", pace_s=2.1, run_s=8.2) for n in (1, 2)}
ASKED = Asked(limit=10, memory_mib=2048, max_workers=6, replicas=1)


def measured(*changes: dict[str, Any], memory: MemoryFinding | None = None) -> Findings:
    """A cell with a burst of 10 and, where a second is described, one of 30."""
    steps = [filled(StepFinding, kind="unloaded", concurrency=1, completed=2, verdict="pass")]
    for runs, each in zip((10, 30), changes, strict=False):
        index = len(steps)
        steps.append(burst_step(**{"index": index, "concurrency": runs, "completed": runs, **each}))
    given = {} if memory is None else {"memory": memory}
    return filled(Findings, schema=1, campaign={}, cells=(cell_of(steps=tuple(steps), **given),))


def test_two_bursts_that_pass_hold() -> None:
    answer = judge_validation(measured({}, {}), ASKED, FULL)
    assert answer.answer == "holds"
    assert [each.runs for each in answer.bursts] == [10, 30]
    assert [(each.inside, each.full_s) for each in answer.bursts] == [(10, 30.0), (10, 30.0)]
    assert "the limit of 10 was full for 30 s" in answer.why
    assert (answer.mend, answer.meaning) == ((), ())


def test_a_limit_that_was_never_filled_is_not_held() -> None:
    answer = judge_validation(measured({}, {}), ASKED, FOUR)
    assert answer.answer == "limit never filled"
    assert "at most 4 of 10" in answer.why
    assert "every 2.1 s and lasted 8.2 s" in answer.meaning[0]
    assert "--limit 4" in answer.meaning[-1]
    assert {each.counted_by for each in answer.bursts} == {"runs"}


def test_what_the_full_limit_would_take_is_predicted_where_a_run_s_memory_is_known() -> None:
    memory = MemoryFinding(
        base_mib=200, per_run_mib=150, per_run_mib_ci=None, method=None, points=5,
        peak_base_mib=200, peak_per_run_mib=150, peak_per_run_mib_ci=None,
    )  # fmt: skip
    answer = judge_validation(measured({}, {}, memory=memory), ASKED, FOUR)
    assert "1,700 of 2,048 MiB (83%; predicted)" in answer.meaning[1]


def test_one_burst_that_filled_the_limit_is_enough() -> None:
    answer = judge_validation(measured({}, {}), ASKED, {1: FOUR[1], 2: FULL[2]})
    assert answer.answer == "holds"


def test_nobody_counted_is_not_held_either() -> None:
    assert judge_validation(measured({}, {}), ASKED, {}).answer == "limit never filled"


def test_a_burst_that_broke_needs_no_full_limit_to_say_so() -> None:
    broken = {"verdict": "fail", "broken": ("failed_runs",), "slo": {}}
    answer = judge_validation(measured(broken), ASKED, FOUR)
    assert answer.answer == "does not hold"
    assert "up to 4 inside at once, 10 allowed" in answer.bursts[0].sentence


def test_memory_that_gave_out_asks_for_more_of_it_or_a_lower_limit() -> None:
    memory = MemoryFinding(
        base_mib=200, per_run_mib=250, per_run_mib_ci=None, method=None, points=5,
        peak_base_mib=200, peak_per_run_mib=250, peak_per_run_mib_ci=None,
    )  # fmt: skip
    broken = {
        "verdict": "fail", "broken": ("no_oom",), "oom_kills": 2, "completed": 8, "failed": 2,
        "slo": {"no_oom": filled(SloFinding, observed=2, limit=0, ok=False)},
    }  # fmt: skip
    answer = judge_validation(measured({}, broken, memory=memory), ASKED, FULL)
    assert answer.answer == "does not hold"
    assert answer.first == ("no_oom: 2, limit 0",)
    assert answer.mend == (
        "memory of at least 3,177 MiB a replica (predicted: 200 + 10 × 250 MiB)",
        "or max_concurrent_runs 6 (predicted)",
    )


def test_replicas_share_the_limit() -> None:
    memory = MemoryFinding(
        base_mib=200, per_run_mib=250, per_run_mib_ci=None, method=None, points=5,
        peak_base_mib=None, peak_per_run_mib=None, peak_per_run_mib_ci=None,
    )  # fmt: skip
    broken = {"verdict": "fail", "broken": ("memory_headroom",), "slo": {}}
    asked = replace(ASKED, replicas=2)
    (first, *_) = judge_validation(measured(broken, memory=memory), asked, FULL).mend
    assert "200 + 5 × 250" in first


@pytest.mark.parametrize(
    ("workers", "said"), [(6, "max_workers 14"), (40, "more vCPU, or fewer launches at a time")]
)
def test_lost_health_checks_ask_for_threads_or_for_cpu(workers: int, said: str) -> None:
    broken = {"verdict": "fail", "broken": ("probe_s_p99",), "slo": {}}
    asked = replace(ASKED, max_workers=workers)
    assert said in judge_validation(measured(broken), asked, FULL).mend[0]


@pytest.mark.parametrize("doubt", [{"verdict": "invalid"}, {"completed": 9}])
def test_a_burst_in_doubt_cannot_be_answered(doubt: dict[str, Any]) -> None:
    answer = judge_validation(measured({}, doubt), ASKED, FULL)
    assert answer.answer == "cannot be tested here"


OWN = Inside(
    most=10, full_s=9.0, by="samples", errors=("3 × user_error: ValueError: no",), own=True
)  # fmt: skip


def test_runs_whose_own_code_failed_do_not_blame_the_server() -> None:
    broken = {"verdict": "fail", "broken": ("failed_runs",), "failed": 3, "slo": {}}
    answer = judge_validation(measured(broken), ASKED, {1: OWN})
    assert answer.answer == "does not hold"
    assert answer.first == ("failed with 3 × user_error: ValueError: no",)
    assert (answer.binding, len(answer.mend)) == ("", 1)
    assert answer.mend[0].startswith("the runs' own code")


def test_an_error_of_their_own_beside_a_kill_still_asks_for_memory() -> None:
    broken = {"verdict": "fail", "broken": ("no_oom", "failed_runs"), "oom_kills": 1, "slo": {}}
    answer = judge_validation(measured(broken), ASKED, {1: OWN})
    assert answer.mend[0].startswith("more memory")


def doubted(code: str) -> Findings:
    """Two bursts, the second void for one reason."""
    void = {
        "verdict": "invalid",
        "slo": {"no_oom": filled(SloFinding, observed=0, limit=0, ok=True)},
    }
    issue = filled(
        IssueFinding, step=2, code=code, severity="fatal", evidence="it was not the server"
    )
    return replace(measured({}, void), validity=(issue,))


def test_a_doubt_that_voids_a_burst_is_said_with_its_evidence() -> None:
    answer = judge_validation(doubted("clock_jump"), ASKED, FULL)
    assert answer.answer == "cannot be tested here"
    assert answer.why.startswith("it was not the server")


def test_nothing_measured_is_no_pass() -> None:
    assert (
        judge_validation(filled(Findings, cells=()), ASKED, FULL).answer == "cannot be tested here"
    )
    one = judge_validation(measured({}), ASKED, FULL)
    assert one.answer == "cannot be tested here"
