from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory import ALL_SLOS, BASE_MIB, Rung
from factory_workers import UNLOADED, cell_with, measured, plan_of

from harness.analysis.workers.groups import MeasuredCell
from harness.analysis.workers.rule import WorkerFinding, worker_findings
from harness.campaign.plan import Queue, Sensors
from harness.facts.dagster_versions import STEPS_VARIABLE

pytestmark = pytest.mark.unit

GOOD = Rung(concurrency=8)
SLOW = Rung(concurrency=8, launch_s=14.0, pool_queue=3.0)
OOM = Rung(concurrency=8, step={"oom_kills": 1})
FULL = Rung(concurrency=8, peak_mib=1900)
TIMID = Rung(concurrency=8, launch_s=130.0, hold_s=300.0, pool_queue=3.0)


def only(found: tuple[WorkerFinding, ...]) -> WorkerFinding:
    assert len(found) == 1
    return found[0]


def compared(**rungs: Rung) -> WorkerFinding:
    """The finding of cells w1, w2 … that differ in workers, each with one rung."""
    cells = [cell_with(int(name[1:]), [rung]) for name, rung in rungs.items()]
    return only(worker_findings(cells))


def said(finding: WorkerFinding) -> str:
    return " ".join(finding.evidence)


def test_the_smallest_that_holds_and_the_largest_that_is_safe() -> None:
    found = compared(w2=SLOW, w4=GOOD, w8=GOOD, w16=OOM)
    assert (found.smallest, found.largest_safe) == (4, 8)
    assert found.setting == "max_workers"
    assert found.concurrency == 8
    assert [each.value for each in found.results] == [2, 4, 8, 16]
    assert found.cells == ("w2", "w4", "w8", "w16")
    assert "4 workers held every objective, the fewest" in said(found)
    assert "8 workers were the most that were safe: 16 were not safe (OOM kills: 1)" in said(found)


def test_values_ascend_whatever_the_order_of_the_cells() -> None:
    found = worker_findings([cell_with(8, [GOOD]), cell_with(2, [SLOW]), cell_with(4, [GOOD])])
    assert [each.value for each in only(found).results] == [2, 4, 8]
    assert only(found).smallest == 4


@pytest.mark.parametrize(
    ("rung", "why"),
    [
        (OOM, "OOM kills: 1"),
        (Rung(concurrency=8, step={"restarts": 2}), "servers that died: 2"),
        (FULL, "memory peaked at 93% of the limit"),
        (TIMID, "a launch took 65 s"),
    ],
)
def test_what_is_not_safe(rung: Rung, why: str) -> None:
    found = compared(w4=GOOD, w8=rung)
    assert found.results[1].safe is False
    assert found.results[1].why == why
    assert found.largest_safe == 4


def test_a_launch_that_was_given_up_is_not_safe() -> None:
    facts, _, _ = cell_with(8, [GOOD])
    runs = [replace(run, error_class="start_deadline", status="FAILURE") for run in facts.runs]
    found = only(worker_findings([cell_with(4, [GOOD]), measured(replace(facts, runs=runs))]))
    assert found.results[1].safe is False
    assert "launches given up" in found.results[1].why


def test_few_workers_that_keep_launches_waiting_do_not_make_more_of_them_unsafe() -> None:
    found = compared(w1=TIMID, w4=GOOD, w8=GOOD, w16=OOM)
    assert found.largest_safe == 8


def test_a_safe_number_above_an_unsafe_one_was_lucky() -> None:
    assert compared(w4=GOOD, w8=OOM, w16=GOOD).largest_safe == 4


def test_a_failing_number_above_the_smallest_is_told() -> None:
    assert "4 workers held every objective, the fewest that did; 8 did not" in said(
        compared(w4=GOOD, w8=SLOW)
    )


def test_none_may_hold_and_none_may_be_safe() -> None:
    found = compared(w4=OOM, w8=OOM)
    assert (found.smallest, found.largest_safe) == (None, None)
    assert "None of 4, 8 workers held every objective" in said(found)
    assert "No number of workers was shown to be safe (4 workers: OOM kills: 1" in said(found)


def test_all_may_be_safe() -> None:
    assert "8 workers were safe, the most that were tried" in said(compared(w4=GOOD, w8=GOOD))


@pytest.mark.parametrize(
    ("cell", "rung", "why"),
    [
        ({"limits_enforced": False, "effective_limits": None}, GOOD, "memory against its limit"),
        ({}, Rung(concurrency=8, send_lag_s=3.0), "in doubt"),
    ],
)
def test_what_is_not_known_is_not_safe(cell: dict[str, Any], rung: Rung, why: str) -> None:
    found = only(worker_findings([cell_with(w, [rung], **cell) for w in (4, 8)]))
    assert found.largest_safe is None
    assert found.smallest is None
    assert [each.safe for each in found.results] == [None, None]
    assert why in found.results[0].why
    assert why in said(found)


def test_without_launch_stamps_safety_is_not_known() -> None:
    facts, _, _ = cell_with(8, [GOOD])
    runs = [replace(run, process_started_s=None) for run in facts.runs]
    found = only(worker_findings([cell_with(4, [GOOD]), measured(replace(facts, runs=runs))]))
    assert found.results[1].safe is None
    assert found.largest_safe == 4
    assert "8 were not shown to be safe (how long launches took is not known)" in said(found)


def test_the_campaigns_own_memory_objective_is_the_safe_limit() -> None:
    slos = {**ALL_SLOS, "memory_headroom": 0.4}
    found = only(worker_findings([cell_with(w, [GOOD], slos=slos) for w in (4, 8)]))
    assert found.largest_safe is None


def test_without_a_memory_objective_nine_tenths_are_safe() -> None:
    slos = {name: limit for name, limit in ALL_SLOS.items() if name != "memory_headroom"}
    cells = [cell_with(4, [GOOD], slos=slos), cell_with(8, [FULL], slos=slos)]
    assert only(worker_findings(cells)).largest_safe == 4


def test_cells_are_compared_at_the_highest_load_they_share() -> None:
    found = only(
        worker_findings(
            [
                cell_with(4, [Rung(concurrency=2), Rung(concurrency=4)]),
                cell_with(8, [Rung(concurrency=2), Rung(concurrency=4), OOM]),
            ]
        )
    )
    assert found.concurrency == 4
    assert found.largest_safe == 8


def test_cells_without_a_load_in_common_are_not_compared() -> None:
    found = compared(w4=Rung(concurrency=2), w8=GOOD)
    assert found.concurrency is None
    assert found.results == ()
    assert (found.smallest, found.largest_safe) == (None, None)
    assert "cannot be compared" in said(found)


def test_repetitions_vote_and_their_worst_counts() -> None:
    again = replace(GOOD, repetition=2, peak_mib=1000)
    third = replace(SLOW, repetition=3)
    found = only(worker_findings([cell_with(4, [GOOD, again, third]), cell_with(8, [GOOD])]))
    four = found.results[0]
    assert four.repetitions == 3
    assert four.verdict == "pass"
    assert four.broken == ()
    assert four.launch_p95_s == pytest.approx(14.0)
    assert four.memory_peak_mib == 1000
    assert four.storm_mib == pytest.approx(1000 - BASE_MIB)


def test_a_tie_of_repetitions_is_a_failure_and_names_what_broke() -> None:
    found = only(
        worker_findings([cell_with(4, [GOOD, replace(SLOW, repetition=2)]), cell_with(8, [GOOD])])
    )
    assert found.results[0].verdict == "fail"
    assert "launch_s_p95" in found.results[0].broken
    assert found.smallest == 8


def test_an_oom_kill_in_one_repetition_is_enough() -> None:
    cells = [cell_with(4, [GOOD, replace(OOM, repetition=2), GOOD]), cell_with(8, [GOOD])]
    assert only(worker_findings(cells)).results[0].safe is False


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "2vcpu-4gb"},
        {"workload": "cpu"},
        {"params": {"requests": 8}},
        {"dagster": "1.12.0"},
        {"replicas": 2},
        {"feed": "queued"},
        {"target": "process"},
        {"max_concurrent_runs": 6},
        {"executor": "multiprocess"},
        {"sensors": {"count": 1, "tick_s": 1, "interval_s": 10}},
    ],
)
def test_cells_that_differ_in_more_than_workers_are_not_compared(changes: dict[str, Any]) -> None:
    cells = [cell_with(4, [GOOD]), cell_with(8, [GOOD], **changes)]
    assert worker_findings(cells) == ()


def test_equal_workers_are_no_comparison() -> None:
    assert worker_findings([cell_with(4, [GOOD]), cell_with(4, [GOOD], id="again")]) == ()


def test_each_set_of_alike_cells_has_its_finding() -> None:
    cells = [cell_with(w, [GOOD], workload=work) for work in ("io", "cpu") for w in (4, 8)]
    found = worker_findings(cells)
    assert [each.workload for each in found] == ["io", "cpu"]


def test_the_fit_is_over_all_their_steps_but_those_that_waited() -> None:
    rungs = [Rung(concurrency=n, launch_s=2.0) for n in (2, 4, 8)]
    waited = [Rung(concurrency=n, launch_s=2.0, pool_queue=2.0) for n in (2, 4, 8)]
    found = only(worker_findings([cell_with(2, waited), cell_with(8, rungs)]))
    assert found.fit is not None
    assert found.fit.points == 2 + 3  # both unloaded steps and the three that did not wait
    assert found.fit.waiting == 3
    assert "3 more left out because requests waited" in said(found)


def test_steps_that_are_invalid_or_broke_off_are_not_fitted() -> None:
    odd = [
        Rung(concurrency=2, send_lag_s=3.0),
        Rung(concurrency=4, step={"outcome": "aborted", "restarts": 1}),
    ]
    found = only(worker_findings([cell_with(4, odd), cell_with(8, odd)]))
    assert found.fit is not None
    assert found.fit.points == 2


def test_without_enough_steps_the_fit_says_so() -> None:
    cells = [cell_with(w, [GOOD], busy=None) for w in (4, 8)]
    assert "not fitted: not enough: 0 of the 4 steps" in said(only(worker_findings(cells)))


def test_other_sensors_tell_what_a_tick_holds() -> None:
    sensors = {"count": 6, "tick_s": 5, "interval_s": 10, "mode": "block"}
    rungs = [Rung(concurrency=n, launch_s=n / 4) for n in (2, 4, 8)]
    # Without sensors 1 busy, with 3 ticks under way 4.
    cells = [
        cell_with(4, rungs, busy=1.0),
        cell_with(8, rungs, busy=1.0),
        cell_with(4, rungs, busy=4.0, sensors=sensors, id="s4"),
        cell_with(8, rungs, busy=4.0, sensors=sensors, id="s8"),
    ]
    for found in worker_findings(cells):
        assert found.fit is not None
        assert found.fit.sensors is not None
        assert found.fit.sensors.value == pytest.approx(1.0)
        assert "1.00 (1.00 to 1.00) × sensor ticks" in said(found)


def executor_cell(name: str, rung: Rung, **cell: Any) -> MeasuredCell:
    return cell_with(6, [rung], id=name, workload=name, executor="multiprocess", **cell)


def executor_plans(*settings: str, **changes: Any) -> dict[str, Any]:
    return {
        f"io-{each}": plan_of(
            f"io-{each}",
            module="io",
            executor="multiprocess",
            environment={STEPS_VARIABLE: each} if each != "unset" else {},
            **changes,
        )
        for each in settings
    }


def test_the_executors_steps_at_once_are_compared_the_same_way() -> None:
    cells = [executor_cell("io-1", SLOW), executor_cell("io-2", GOOD), executor_cell("io-8", OOM)]
    found = only(worker_findings(cells, plans=executor_plans("1", "2", "8")))
    assert found.setting == "steps_at_once"
    assert (found.smallest, found.largest_safe) == (2, 2)
    assert found.fit is None
    assert "1 step at once" in said(found)
    assert "2 steps at once held every objective" in said(found)


def test_an_unset_executor_takes_the_machines_cpus() -> None:
    cells = [executor_cell("io-1", GOOD), executor_cell("io-unset", GOOD)]
    plans = executor_plans("1", "unset")
    assert [e.value for e in only(worker_findings(cells, plans=plans, host_cpus=16)).results] == [
        1,
        16,
    ]
    assert worker_findings(cells, plans=plans) == ()


def test_without_plans_the_executor_is_not_compared() -> None:
    assert worker_findings([executor_cell("io-1", GOOD), executor_cell("io-2", GOOD)]) == ()


def test_another_variable_makes_cells_incomparable() -> None:
    plans = {
        "io-1": plan_of("io-1", module="io", environment={"BALLAST": "1"}),
        "io-2": plan_of("io-2", 8, module="io", environment={"BALLAST": "2"}),
    }
    cells = [cell_with(6, [GOOD], id="io-1"), cell_with(8, [GOOD], id="io-2")]
    assert worker_findings(cells, plans=plans) == ()


def test_one_workload_under_two_names_is_compared_where_the_plan_says_so() -> None:
    plans = {"a": plan_of("io-few", 4, module="io"), "b": plan_of("io-many", 8, module="io")}
    cells = [
        cell_with(4, [GOOD], id="a", workload="io-few"),
        cell_with(8, [GOOD], id="b", workload="io-many"),
    ]
    assert worker_findings(cells) == ()
    assert only(worker_findings(cells, plans=plans)).smallest == 4


@pytest.mark.parametrize("queue", [Queue(dequeue_threads=4), Queue(dequeue_interval_s=1)])
def test_another_queue_makes_cells_incomparable(queue: Queue) -> None:
    plans = {"w4": plan_of("io", 4), "w8": plan_of("io", 8, queue=queue)}
    assert worker_findings([cell_with(4, [GOOD]), cell_with(8, [GOOD])], plans=plans) == ()


def test_the_same_work_with_and_without_sensors_is_one_work_for_the_fit() -> None:
    sensors = Sensors(count=6, tick_s=5, interval_s=10)
    rungs = [Rung(concurrency=n, launch_s=n / 4) for n in (2, 4, 8)]
    plans = {
        "w4": plan_of("io", 4),
        "w8": plan_of("io", 8),
        "s4": plan_of("io-sensors", 4, module="io", sensors=sensors),
    }
    cells = [
        cell_with(4, rungs, busy=1.0),
        cell_with(8, rungs, busy=1.0),
        cell_with(4, rungs, busy=4.0, sensors=sensors.model_dump(), id="s4", workload="io-sensors"),
    ]
    found = only(worker_findings(cells, plans=plans))
    assert found.cells == ("w4", "w8")
    assert found.fit is not None
    assert found.fit.sensors is not None


def test_the_row_of_a_number_has_its_figures() -> None:
    row = compared(w1=Rung(concurrency=8, launch_s=2.0), w4=GOOD).evidence[0]
    assert row.startswith("At 8 runs, 1 worker: pass, ")
    assert "launches/s, launch p95 2.0 s, probe p99 10 ms, memory peak 920 MiB" in row
    assert "2.0 workers busy, 0.0 requests waiting" in row


def test_a_row_without_figures_says_what_is_not_known() -> None:
    facts, _, _ = cell_with(4, [GOOD], busy=None)
    runs = [replace(run, process_started_s=None) for run in facts.runs]
    cell = measured(replace(facts, runs=runs))
    row = only(worker_findings([cell, cell_with(8, [GOOD])])).evidence[0]
    assert "launch rate not known" in row
    assert "busy" not in row


def test_an_unloaded_step_is_no_load_to_compare_at() -> None:
    found = only(
        worker_findings([measured(replace_workers(w)) for w in (4, 8)]),
    )
    assert found.concurrency is None


def replace_workers(workers: int) -> Any:
    facts, _, _ = cell_with(workers, [])
    assert facts.steps[0].concurrency == UNLOADED.concurrency
    return facts


def test_cells_that_differ_in_workers_and_steps_at_once_are_not_compared() -> None:
    cells = [executor_cell("io-1", GOOD), cell_with(
        8, [GOOD], id="io-2", workload="io-2", executor="multiprocess"
    )]  # fmt: skip
    assert worker_findings(cells, plans=executor_plans("1", "2")) == ()
