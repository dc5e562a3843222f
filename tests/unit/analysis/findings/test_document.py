from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from factory import (
    BASE_MIB,
    LAUNCH_CPU_S,
    PER_RUN_MIB,
    WORK_CPU_S,
    Rung,
    make_cell,
    make_facts,
)

from harness.analysis.findings.document import METHOD, CellFinding, Findings, exit_code, findings_of
from harness.analysis.judging import judge_cell, judge_step
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import Profile
from harness.errors import ExitCode
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

Make = Callable[..., CellFacts]
ENVIRONMENT = {"host": {"cpus": 2}}
CAMPAIGN = Campaign(
    name="synthetic",
    profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
    workloads=(Workload(name="io"),),
    search=Search(confidence=0.9),  # one step a concurrency: not enough for more
)


def find(*cells: CellFacts) -> Findings:
    return findings_of(CAMPAIGN, ENVIRONMENT, cells)


def first(facts: CellFacts) -> CellFinding:
    return find(facts).cells[0]


def test_a_healthy_ladder_is_not_bracketed_and_passes(healthy: CellFacts) -> None:
    findings = find(healthy)
    cell = findings.cells[0]
    assert findings.method == METHOD
    assert findings.validity == ()
    assert (cell.capacity.status, cell.capacity.concurrency) == ("above_max", 8)
    assert cell.throughput_runs_per_s == pytest.approx(8 / 5, rel=0.05)
    assert exit_code(findings) is ExitCode.PASS


def test_findings_hold_the_truth_the_cell_was_made_of(healthy: CellFacts) -> None:
    cell = first(healthy)
    assert cell.memory.base_mib == pytest.approx(BASE_MIB)
    assert cell.memory.per_run_mib == pytest.approx(PER_RUN_MIB)
    assert cell.cpu.launch_cpu_s == pytest.approx(LAUNCH_CPU_S, rel=0.1)
    assert cell.cpu.run_cpu_s == pytest.approx(WORK_CPU_S)
    assert cell.run_s == pytest.approx(4.0)
    assert cell.recommendation.max_concurrent_runs == 8
    assert [step.concurrency for step in cell.steps] == [1, 2, 4, 8]


def test_a_stated_run_length_is_quoted(healthy: CellFacts) -> None:
    assert first(replace(healthy, cell=make_cell(run_s=3.0))).run_s == 3.0


def test_a_broken_objective_brackets_the_capacity_and_names_the_limit(with_last: Make) -> None:
    findings = find(with_last(launch_s=12.0, pool_queue=2.0, cpu_cores=0.3))
    capacity = findings.cells[0].capacity
    assert (capacity.concurrency, capacity.first_failing) == (4, 8)
    assert (capacity.low or 0) <= 4 <= (capacity.high or 0) < 8
    assert (capacity.binding, capacity.broken_slo) == ("worker_pool", "launch_s_p95")
    assert exit_code(findings) is ExitCode.PASS


def test_a_saturated_feeder_leaves_no_capacity(with_last: Make) -> None:
    findings = find(with_last(launch_s=12.0, cpu_cores=0.3, support_cores=0.95))
    capacity = findings.cells[0].capacity
    assert (capacity.status, capacity.concurrency) == ("invalid", None)
    assert capacity.binding == "control_plane"
    assert findings.cells[0].recommendation.max_workers is None
    assert exit_code(findings) is ExitCode.INCONCLUSIVE


def test_a_server_that_cannot_hold_its_lowest_rung_is_a_breach(healthy: CellFacts) -> None:
    broken = make_facts([Rung(concurrency=1, kind="unloaded", step={"oom_kills": 1})])
    assert first(broken).capacity.status == "below_min"
    assert exit_code(find(broken)) is ExitCode.BREACH
    void = make_facts([Rung(concurrency=1, kind="unloaded", send_lag_s=2.0)])
    assert exit_code(find(void, broken)) is ExitCode.BREACH


def test_an_invalid_cell_beside_a_good_one_is_inconclusive(healthy: CellFacts) -> None:
    void = make_facts([Rung(concurrency=1, kind="unloaded", send_lag_s=2.0)])
    assert exit_code(find(healthy)) is ExitCode.PASS
    assert exit_code(find(healthy, void)) is ExitCode.INCONCLUSIVE


def test_a_step_the_generator_could_not_feed_leaves_no_capacity(with_last: Make) -> None:
    findings = find(with_last(send_lag_s=2.0))
    capacity = findings.cells[0].capacity
    assert (capacity.status, capacity.low, capacity.binding) == ("invalid", 4, "control_plane")
    assert "launches were sent" in " ".join(capacity.evidence)
    assert exit_code(findings) is ExitCode.INCONCLUSIVE


def test_a_void_step_that_could_move_the_answer_is_inconclusive(with_last: Make) -> None:
    findings = find(with_last(step={"outcome": "aborted", "outcome_detail": "broken off"}))
    assert findings.cells[0].capacity.concurrency == 4
    assert exit_code(findings) is ExitCode.INCONCLUSIVE


def test_a_void_step_above_the_first_failure_changes_nothing() -> None:
    facts = make_facts(
        [
            Rung(concurrency=1, kind="unloaded"),
            Rung(concurrency=4, launch_s=12.0),
            Rung(concurrency=8, send_lag_s=2.0),
        ]
    )
    assert exit_code(find(facts)) is ExitCode.PASS


def test_nothing_measured_is_inconclusive() -> None:
    assert exit_code(find()) is ExitCode.INCONCLUSIVE
    empty = CellFacts(
        cell=make_cell(sealed=False), steps=[], runs=[], samples=SamplesTable.of(), events=[]
    )
    assert first(empty).capacity.status == "invalid"
    assert exit_code(find(empty)) is ExitCode.INCONCLUSIVE


def test_unenforced_limits_leave_the_campaign_inconclusive(with_last: Make) -> None:
    findings = find(with_last({"limits_enforced": False, "effective_limits": None}))
    assert {step.verdict for step in findings.cells[0].steps} == {"inconclusive"}
    assert exit_code(findings) is ExitCode.INCONCLUSIVE


def test_doubts_say_where_they_apply(with_last: Make) -> None:
    facts = with_last({"overcommitted": True}, send_lag_s=2.0)
    whole, step = find(facts).validity
    assert (whole.code, whole.step, whole.concurrency) == ("overcommitted", None, None)
    assert (step.code, step.step, step.concurrency) == ("generator_late", 3, 8)
    assert step.cell == facts.cell.id


@pytest.mark.parametrize(
    "truth",
    [
        {},
        {"late_status": "LOST", "late_every": 2},
        {"late_status": "UNFINISHED", "late_every": 1},
        {"silent": ("cgroup", "pool", "probe", "processes", "host", "support")},
        {"probes_lost": 40},
    ],
)
def test_every_number_is_finite_or_absent(truth: dict[str, object], with_last: Make) -> None:
    json.dumps(asdict(find(with_last(**truth))), allow_nan=False)


def test_repetitions_decide_together() -> None:
    facts = make_facts(
        [
            Rung(concurrency=1, kind="unloaded"),
            Rung(concurrency=4),
            Rung(concurrency=4, repetition=2, launch_s=12.0),
            Rung(concurrency=4, repetition=3),
        ]
    )
    cell = first(facts)
    assert [step.verdict for step in cell.steps] == ["pass", "pass", "fail", "pass"]
    assert cell.capacity.concurrency == 4
    assert cell.throughput_runs_per_s == pytest.approx(0.8, rel=0.1), "of the passing ones"


def verdict(facts: CellFacts) -> str | None:
    judged = judge_step(facts, 2)
    return judged.verdict if judged else None


def test_the_live_verdict_knows_of_no_later_step(with_last: Make) -> None:
    facts = with_last(launch_s=12.0)
    sofar = replace(facts, steps=facts.steps[:2], runs=[run for run in facts.runs if run.step <= 2])
    assert verdict(facts) == verdict(sofar) == "pass"
    moved = replace(
        facts,
        steps=[replace(facts.steps[0], index=9), *facts.steps[1:]],
        runs=[replace(run, step=9) if run.step == 1 else run for run in facts.runs],
    )
    assert verdict(moved) == "inconclusive", "the slowdown is not known yet"
    assert judge_cell(moved).unloaded_s is not None
