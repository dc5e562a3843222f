from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from factory import BASE_MIB, PER_RUN_MIB, Rung, make_cell
from factory_workers import cell_with, measured

from harness.analysis.workers.groups import MeasuredCell
from harness.analysis.workers.points import WorkerPoint, point_of, sensing
from harness.analysis.workers.rule import fit_of
from harness.facts.store import read_results

pytestmark = pytest.mark.unit

BASELINES = Path(__file__).parents[4] / "results" / "baselines"


def last(cell: MeasuredCell) -> WorkerPoint:
    record, judged, _ = cell
    return point_of(record, judged.steps[-1])


def test_launches_under_way_are_rate_times_hold() -> None:
    # 8 runs of 5 s each, each launch holding a worker for half of 2 s.
    point = last(cell_with(6, [Rung(concurrency=8, launch_s=2.0, exec_s=3.0, hold_s=100.0)]))
    assert point.launch_rate_per_s == pytest.approx(8 / 5, rel=0.02)
    assert point.launch_hold_s == pytest.approx(1.0)
    assert point.launching == pytest.approx(8 / 5, rel=0.02)
    assert point.slowest_start_s == pytest.approx(1.0)


def test_of_several_replicas_one_is_meant() -> None:
    rung = Rung(concurrency=8, launch_s=2.0, exec_s=3.0, hold_s=100.0)
    alone, two = last(cell_with(6, [rung])), last(cell_with(6, [rung], replicas=2))
    assert alone.launching is not None
    assert two.launching == pytest.approx(alone.launching / 2)
    assert two.launch_rate_per_s == alone.launch_rate_per_s


def test_a_burst_has_the_rate_of_the_time_it_took() -> None:
    burst = Rung(concurrency=8, launch_s=4.0, step={"load_model": "burst"}, hold_s=40.0)
    point = last(cell_with(6, [burst]))
    assert point.launches == 8
    assert point.launch_rate_per_s == pytest.approx(8 / 2.0)
    assert point.launching == pytest.approx(8 * 2.0 / 40.0)


def test_only_launches_of_the_window_count_and_a_launch_at_its_edge_counts_in_part() -> None:
    # One launch holds a worker from 3 s before the hold to 7 s within; another ended before it.
    facts, _, _ = cell_with(6, [Rung(concurrency=1, launch_s=1.0, hold_s=50.0)])
    step = facts.steps[-1]
    hold = step.phase("hold")
    assert hold is not None
    first = next(run for run in facts.runs if run.step == step.index)
    odd = replace(
        first,
        sent_s=hold.start_s - 5,
        dequeued_s=hold.start_s - 3,
        process_started_s=hold.start_s + 7,
    )
    before = replace(first, dequeued_s=hold.start_s - 9, process_started_s=hold.start_s - 8)
    point = last(measured(replace(facts, runs=[odd, before])))
    assert point.launches == 1
    assert point.launching == pytest.approx(7 / 50)
    assert point.slowest_start_s == pytest.approx(10)


def test_a_clock_that_went_back_is_no_negative_hold() -> None:
    facts, _, _ = cell_with(6, [Rung(concurrency=4)])
    runs = [replace(run, process_started_s=(run.dequeued_s or 0) - 1) for run in facts.runs]
    point = last(measured(replace(facts, runs=runs)))
    assert point.launch_hold_s == 0
    assert point.slowest_start_s == 0


def test_without_stamps_nothing_is_known_of_launches() -> None:
    facts, _, _ = cell_with(6, [Rung(concurrency=4)])
    runs = [replace(run, dequeued_s=None) for run in facts.runs]
    point = last(measured(replace(facts, runs=runs)))
    assert (point.launches, point.launch_rate_per_s, point.launching) == (0, None, None)
    assert (point.launch_hold_s, point.slowest_start_s) == (None, None)


def test_without_the_pool_device_busy_workers_are_not_known() -> None:
    point = last(cell_with(6, [Rung(concurrency=4)], busy=None))
    assert point.pool_busy is None


def test_the_pool_memory_and_failures_of_the_step_are_told() -> None:
    rung = Rung(concurrency=4, pool_queue=1.5, probe_s=0.3, launch_s=2.0, late_status="FAILURE")
    facts, _, _ = cell_with(6, [rung], busy=3.0)
    runs = [
        replace(run, error_class="start_deadline") if run.status == "FAILURE" else run
        for run in facts.runs
    ]
    failed = sum(run.status == "FAILURE" for run in runs)
    point = last(measured(replace(facts, runs=runs)))
    assert failed > 0
    assert point.start_deadlines == failed
    assert (point.pool_busy, point.pool_queue) == (pytest.approx(3.0), pytest.approx(1.5))
    assert point.memory_peak_mib == BASE_MIB + 4 * PER_RUN_MIB
    assert point.launch_p95_s == pytest.approx(2.0)
    assert point.probe_p99_s == pytest.approx(0.3)
    assert point.verdict == "fail"
    assert "pool_queue" in point.broken


@pytest.mark.parametrize(
    ("sensors", "replicas", "ticks"),
    [
        (None, 1, 0.0),
        ({"count": 4, "tick_s": 5, "interval_s": 30, "mode": "block"}, 1, 4 * 5 / 30),
        ({"count": 4, "tick_s": 5, "interval_s": 30, "mode": "block"}, 2, 2 * 5 / 30),
        # A tick longer than the interval is followed by the next at once, never by two.
        ({"count": 4, "tick_s": 60, "interval_s": 30, "mode": "block"}, 1, 4.0),
        ({"count": 4, "tick_s": 0, "interval_s": 1, "mode": "burn"}, 1, 0.0),
    ],
)
def test_sensor_ticks_under_way_by_plan(
    sensors: dict[str, object] | None, replicas: int, ticks: float
) -> None:
    assert sensing(make_cell(sensors=sensors, replicas=replicas)) == pytest.approx(ticks)


@pytest.mark.parametrize("name", ["quick-compose", "quick-process"])
def test_in_the_baselines_busy_workers_are_the_launches_under_way(name: str) -> None:
    # No sensors there, and polls are short: one worker a launch, as the sizing rule says.
    cells = [measured(facts) for facts in read_results(BASELINES / name).cells]
    fit = fit_of(cells)
    assert fit.points >= 7
    assert fit.launches is not None
    assert fit.polls is not None
    assert 0.9 < fit.launches.value < 1.1
    assert fit.polls.value < 0.2
