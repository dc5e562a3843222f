"""Equal cells in rounds judged as one: their steps together, their costs on average."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.findings.document import Findings, exit_code, findings_of
from harness.analysis.findings.rounds import in_rounds, kind_id, pooled, rounds_of
from harness.analysis.findings.types import IssueFinding
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import Profile
from harness.errors import ExitCode

sys.path.append(str(Path(__file__).parent))

from factory import Rung, make_facts

pytestmark = pytest.mark.unit

UNLOADED = Rung(concurrency=1, kind="unloaded")


def measured(*rounds: list[Rung], confidence: float = 0.8) -> Findings:
    """One kind of cell, these rounds of it."""
    campaign = Campaign(
        name="rounds",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
        search=Search(confidence=confidence),
        repetitions=len(rounds),
    )
    facts = [
        make_facts(rungs, id=f"io_n{number}", repetition=number)
        for number, rungs in enumerate(rounds, start=1)
    ]
    return findings_of(campaign, {"host": {"cpus": 2}}, facts)


HOLDS_4 = [UNLOADED, Rung(concurrency=4), Rung(concurrency=8, launch_s=14.0, pool_queue=2.0)]
LOOKS_AT_6 = [UNLOADED, Rung(concurrency=6)]
LOOKS_AT_1 = [UNLOADED]


@pytest.fixture(scope="module")
def three() -> Findings:
    return measured(HOLDS_4, LOOKS_AT_6, LOOKS_AT_1)


def test_a_campaign_without_rounds_stays_as_it_is() -> None:
    facts = make_facts(HOLDS_4, id="io")
    campaign = Campaign(
        name="one",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
    )
    findings = findings_of(campaign, {}, [facts])
    assert not in_rounds(findings)
    assert pooled(findings) is findings


def test_equal_cells_are_one_with_the_id_they_have_in_common(three: Findings) -> None:
    assert in_rounds(three)
    assert list(rounds_of(three)) == ["io"]
    (cell,) = pooled(three).cells
    assert (cell.id, cell.repetition) == ("io", None)
    assert cell.search.ended == "3 rounds together"


def test_an_id_that_ends_like_a_round_is_not_cut_without_one(three: Findings) -> None:
    assert kind_id(replace(three.cells[0], id="odd_n1", repetition=None)) == "odd_n1"


def test_the_capacity_is_what_all_steps_say(three: Findings) -> None:
    (cell,) = pooled(three).cells
    assert cell.capacity.steps == 6
    assert cell.capacity.concurrency == 6  # of the second round, bounded by the first
    assert cell.capacity.first_failing == 8
    assert cell.capacity.status == "bracketed"


def test_no_round_has_to_find_its_capacity_alone(three: Findings) -> None:
    alone = [cell.capacity.status for cell in three.cells]
    assert alone == ["bracketed", "above_max", "above_max"]
    late = [Rung(concurrency=1, kind="unloaded", send_lag_s=3.0)]
    one_void = measured(late, HOLDS_4, HOLDS_4)
    assert exit_code(one_void) == ExitCode.INCONCLUSIVE
    assert exit_code(pooled(one_void)) == ExitCode.PASS
    assert exit_code(pooled(measured(late, late))) == ExitCode.INCONCLUSIVE


def test_steps_keep_their_order_and_repetitions_are_numbered_through(three: Findings) -> None:
    (cell,) = pooled(three).cells
    assert [(s.index, s.concurrency, s.repetition) for s in cell.steps] == [
        (0, 1, 1), (1, 4, 1), (2, 8, 1), (3, 1, 2), (4, 6, 1), (5, 1, 3),
    ]  # fmt: skip


def test_a_doubt_goes_with_its_step(three: Findings) -> None:
    second = three.cells[1]
    doubt = IssueFinding(
        cell=second.id, step=second.steps[1].index, concurrency=6, code="x", severity="warning",
        evidence="e", remedy="r",
    )  # fmt: skip
    whole = replace(doubt, step=None)
    foreign = replace(doubt, cell="gone")
    moved = pooled(replace(three, validity=(doubt, whole, foreign))).validity
    assert [(each.cell, each.step) for each in moved] == [
        ("io", 4), ("io", None), ("gone", doubt.step)
    ]  # fmt: skip


def test_costs_are_means_with_the_interval_of_the_mean(three: Findings) -> None:
    cells = tuple(
        replace(cell, cpu=replace(cell.cpu, launch_cpu_s=value, n=10),
                memory=replace(cell.memory, per_run_mib=mib, base_mib=100.0))
        for cell, value, mib in zip(three.cells, (2.0, 2.2, 2.4), (60.0, None, 70.0), strict=True)
    )  # fmt: skip
    (cell,) = pooled(replace(three, cells=cells)).cells
    assert cell.cpu.launch_cpu_s == pytest.approx(2.2)
    assert cell.cpu.launch_cpu_s_ci == pytest.approx((2.2 - 0.4968, 2.2 + 0.4968), abs=1e-3)
    assert cell.cpu.n == 30
    assert cell.memory.per_run_mib == 65.0
    assert cell.memory.per_run_mib_ci is None  # of two values nobody can tell
    assert cell.memory.base_mib == 100.0


def test_what_nobody_knows_stays_unknown(three: Findings) -> None:
    cells = tuple(
        replace(cell, cpu=replace(cell.cpu, launch_cpu_s=None, idle_cores=None))
        for cell in three.cells
    )
    (cell,) = pooled(replace(three, cells=cells)).cells
    assert (cell.cpu.launch_cpu_s, cell.cpu.launch_cpu_s_ci, cell.cpu.idle_cores) == (None,) * 3


def test_settings_are_those_of_a_round_that_found_the_same(three: Findings) -> None:
    (cell,) = pooled(three).cells
    found = next(each for each in three.cells if each.capacity.concurrency == 6)
    assert cell.recommendation == found.recommendation


def test_where_no_round_found_the_same_there_are_no_settings_and_a_way_to_some(
    three: Findings,
) -> None:
    none = tuple(
        replace(cell, recommendation=replace(cell.recommendation, max_concurrent_runs=None))
        for cell in three.cells
    )
    (cell,) = pooled(replace(three, cells=none)).cells
    assert cell.recommendation.max_concurrent_runs is None
    assert "harness run --preset threshold" in cell.recommendation.why[0]


def test_pooling_twice_is_pooling_once(three: Findings) -> None:
    once = pooled(three)
    assert pooled(once) is once


def test_what_rounds_hold_together_is_found_once_and_kept(three: Findings) -> None:
    assert set(three.rounds) == {"io"}
    assert pooled(three).cells[0].capacity == three.rounds["io"]
    assert pooled(replace(three, rounds={})).cells[0].capacity == three.rounds["io"]
