from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from factory import Rung, make_cell
from factory_workers import cell_with
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.analysis.advice.recommendation import Background, Recommendation, recommend
from harness.analysis.capacity import Capacity
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.resources import Resources
from harness.analysis.workers.rule import WorkerFinding, worker_findings
from harness.facts.dagster_versions import STEPS_VARIABLE
from harness.facts.model import Cell

pytestmark = pytest.mark.unit

BRACKETED = Capacity(
    concurrency=8,
    low=7,
    high=10,
    first_failing=12,
    status="bracketed",
    broken_slo="launch_s_p95",
    probability=0.962,
    confirmed=True,
)
COSTS = Resources(
    base_bytes=None,
    per_run=None,
    idle_cpu_cores=0.02,
    launch_cpu_s=2.0,
    run_cpu_s=0.5,
    completed=20,
)
BUSY = Rung(concurrency=8, launch_s=4.0, exec_s=1.0, hold_s=100.0)


def at(rung: Rung, **cell: Any) -> StepSummary:
    _, judged, _ = cell_with(6, [rung], **cell)
    return judged.steps[-1].summary


def why(found: Recommendation) -> str:
    return " ".join(found.why)


def others(*values: int, smallest: int | None, largest_safe: int | None) -> WorkerFinding:
    results = []
    for value in values:
        cells = [cell_with(w, [Rung(concurrency=8)]) for w in (value, value + 1)]
        results.append(worker_findings(cells)[0].results[0])
    return WorkerFinding(
        setting="max_workers",
        cells=(),
        profile="1vcpu-2gb",
        workload="io",
        dagster="1.13.27",
        concurrency=8,
        results=tuple(results),
        smallest=smallest,
        largest_safe=largest_safe,
        fit=None,
        evidence=(),
    )


def test_few_launches_need_no_more_than_the_least() -> None:
    found = recommend(make_cell(), BRACKETED, at(Rung(concurrency=8, exec_s=60.0, hold_s=200.0)))
    assert found.max_workers == 4
    assert found.max_concurrent_runs == 8
    assert found.replicas == 1


def test_workers_are_the_launches_at_once_and_three_more() -> None:
    # 8 runs of 1 s, each launch holding a worker for half of 4 s: 8 / 5 × 2 = 3.2 busy.
    found = recommend(make_cell(), BRACKETED, at(BUSY))
    assert found.max_workers == 4 + 3
    assert "3 more serve polls" in why(found)
    assert "sensors" not in why(found)


def test_sensors_hold_workers_too() -> None:
    sensors = {"count": 6, "tick_s": 5, "interval_s": 10, "mode": "block"}
    found = recommend(make_cell(sensors=sensors), BRACKETED, at(BUSY))
    assert found.max_workers == math.ceil(3.2 + 3) + 3
    assert "sensors 3.0 more" in why(found)


@settings(deadline=None)
@given(count=st.integers(1, 200), tick_s=st.floats(0, 600), interval_s=st.integers(1, 3600))
def test_more_sensors_never_take_workers_away(count: int, tick_s: float, interval_s: int) -> None:
    sensors = {"count": count, "tick_s": tick_s, "interval_s": interval_s, "mode": "block"}
    with_them = recommend(make_cell(sensors=sensors), BRACKETED, at(BUSY)).max_workers
    assert with_them is not None
    assert 7 <= with_them <= 7 + count + 1


def test_launches_spread_over_the_replicas() -> None:
    found = recommend(make_cell(replicas=2), BRACKETED, at(BUSY, replicas=2))
    assert found.max_workers == 2 + 3
    assert found.max_concurrent_runs == 8
    assert found.replicas == 2


def test_a_setting_that_was_not_measured_is_called_predicted() -> None:
    summary = at(Rung(concurrency=8))
    assert "predicted" in why(recommend(make_cell(max_workers=6), BRACKETED, summary))
    workers = recommend(make_cell(max_workers=6), BRACKETED, summary).max_workers
    same = recommend(make_cell(max_workers=workers), BRACKETED, summary)
    assert "predicted" not in why(same)


@pytest.mark.parametrize(
    ("smallest", "largest_safe", "workers", "word"),
    [
        (4, 16, 7, ""),
        (None, None, 7, ""),
        (8, 16, 8, "fewer than 8 workers did not hold"),
        (2, 4, 4, "no more than 4 workers were shown to be safe"),
        # Nothing holds and is safe at once: a failed objective costs less than a lost server.
        (16, 8, 8, "no more than 8 workers were shown to be safe"),
    ],
)
def test_what_was_seen_with_other_workers_corrects_the_rule(
    smallest: int | None, largest_safe: int | None, workers: int, word: str
) -> None:
    seen = others(4, 8, 16, smallest=smallest, largest_safe=largest_safe)
    found = recommend(make_cell(), BRACKETED, at(BUSY), background=Background(workers=seen))
    assert found.max_workers == workers
    assert word in why(found)


def test_where_no_more_were_tried_the_rule_is_not_held_back() -> None:
    seen = others(2, 4, smallest=None, largest_safe=4)
    found = recommend(make_cell(), BRACKETED, at(BUSY), background=Background(workers=seen))
    assert found.max_workers == 7
    assert "7 is predicted" in why(found)


def test_workers_another_cell_was_measured_with_are_not_called_predicted() -> None:
    seen = others(4, 8, smallest=8, largest_safe=8)
    background = Background(workers=seen)
    found = recommend(make_cell(max_workers=4), BRACKETED, at(BUSY), background=background)
    assert found.max_workers == 8
    assert "predicted" not in why(found)
    between = Background(workers=others(4, 8, smallest=4, largest_safe=8))
    found = recommend(make_cell(max_workers=4), BRACKETED, at(BUSY), background=between)
    assert "7 is predicted" in why(found)


def test_the_words_tell_what_broke_where_and_how_sure_it_is() -> None:
    said = why(recommend(make_cell(), BRACKETED, at(Rung(concurrency=8))))
    assert "12 was too many (launch_s_p95 broke)" in said
    assert "8 concurrent runs on 1 replica of 1vcpu-2gb" in said
    assert "with a probability of 96 %" in said
    assert "not confirmed" not in said


@pytest.mark.parametrize(
    ("probability", "said"),
    [(0.9999, "more than 99 %"), (1.0, "more than 99 %"), (0.959, "95 %"), (0.99, "more than 99")],
)
def test_a_probability_is_never_rounded_up(probability: float, said: str) -> None:
    capacity = replace(BRACKETED, probability=probability)
    assert said in why(recommend(make_cell(), capacity, None))


def test_an_answer_that_is_not_confirmed_is_called_so() -> None:
    capacity = replace(BRACKETED, confirmed=False, probability=0.7)
    assert "probability of 70 %: not confirmed" in why(recommend(make_cell(), capacity, None))


def test_without_a_probability_none_is_made_up() -> None:
    said = why(recommend(make_cell(), replace(BRACKETED, probability=None), None))
    assert "probability" not in said


def test_an_open_end_says_that_more_may_fit() -> None:
    capacity = replace(BRACKETED, status="above_max", first_failing=None, high=None)
    assert "the highest tried; more may fit" in why(recommend(make_cell(), capacity, None))


@pytest.mark.parametrize("status", ["invalid", "below_min"])
def test_without_a_capacity_nothing_is_recommended_and_why_is_said(status: Any) -> None:
    none = None if status == "invalid" else 0
    capacity = replace(BRACKETED, status=status, concurrency=none)
    found = recommend(make_cell(), capacity, None)
    assert (found.max_workers, found.max_concurrent_runs, found.replicas) == (None, None, None)
    assert found.headroom is None
    assert found.paste == ()
    assert found.why[0].startswith("No setting")


def test_an_invalid_capacity_gives_no_setting_whatever_its_number() -> None:
    found = recommend(make_cell(), replace(BRACKETED, status="invalid"), at(BUSY))
    assert found.max_concurrent_runs is None


def test_without_launch_phases_the_workers_stay_unknown() -> None:
    found = recommend(make_cell(), BRACKETED, None)
    assert found.max_workers is None
    assert found.max_concurrent_runs == 8
    assert "not known" in why(found)
    assert not any("MAX_WORKERS" in line for line in found.paste)


@settings(deadline=None)
@given(wanted=st.integers(1, 2000), concurrency=st.integers(1, 200), measured=st.integers(1, 8))
def test_as_many_replicas_as_it_takes_and_not_one_more(
    wanted: int, concurrency: int, measured: int
) -> None:
    capacity = replace(BRACKETED, concurrency=concurrency)
    cell = make_cell(replicas=measured)
    found = recommend(cell, capacity, None, background=Background(runs_wanted=wanted))
    assert found.replicas is not None
    assert found.max_concurrent_runs is not None
    each = concurrency / measured
    assert found.replicas * each >= wanted - 1e-9
    assert (found.replicas - 1) * each < wanted
    # The setting never promises more than that many measured servers held.
    assert found.max_concurrent_runs <= found.replicas * each + 1e-9


def test_replicas_beyond_the_measured_are_predicted_and_the_setting_is_of_all_of_them() -> None:
    found = recommend(make_cell(), BRACKETED, None, background=Background(runs_wanted=20))
    assert (found.replicas, found.max_concurrent_runs) == (3, 24)
    assert "3 replicas, predicted from 1" in why(found)
    assert "by chance" in why(found)
    assert "    max_concurrent_runs: 24" in found.paste


def test_wanting_what_was_measured_predicts_nothing() -> None:
    found = recommend(make_cell(), BRACKETED, None, background=Background(runs_wanted=8))
    assert (found.replicas, found.max_concurrent_runs) == (1, 8)
    assert "predicted from" not in why(found)


def test_wanting_no_run_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        recommend(make_cell(), BRACKETED, None, background=Background(runs_wanted=0))


def headroom(cell: Cell | None = None, rung: Rung | None = None, costs: Any = COSTS) -> Any:
    measured = cell or make_cell()
    summary = at(
        rung or Rung(concurrency=8, peak_mib=1536, cpu_cores=0.75),
        limits_enforced=measured.limits_enforced,
    )
    return recommend(measured, BRACKETED, summary, background=Background(resources=costs)).headroom


def test_headroom_is_what_is_left_of_memory_cpu_and_launches() -> None:
    left = headroom()
    assert left.memory_mib == pytest.approx(512)
    assert left.memory_ratio == pytest.approx(0.25)
    assert left.cpu_cores == pytest.approx(0.25, abs=0.01)
    assert left.launches_per_s == pytest.approx(0.25 / 2.5, abs=0.005)
    assert left.text.startswith("At 8: 512 MiB of 2 GiB memory are left (25%); 0.25 cores of CPU")
    assert "0.10 more launches/s (predicted)" in left.text


def test_nothing_left_is_zero_not_less() -> None:
    left = headroom(rung=Rung(concurrency=8, peak_mib=2100, cpu_cores=1.2))
    assert (left.memory_mib, left.cpu_cores, left.launches_per_s) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "costs", [None, replace(COSTS, launch_cpu_s=None), replace(COSTS, run_cpu_s=None)]
)
def test_without_the_costs_of_a_run_no_launches_are_promised(costs: Any) -> None:
    left = headroom(costs=costs)
    assert left.launches_per_s is None
    assert "launches" not in left.text


def test_without_enforced_limits_there_is_nothing_to_be_left_of() -> None:
    left = headroom(make_cell(limits_enforced=False))
    assert (left.memory_mib, left.memory_ratio, left.cpu_cores) == (None, None, None)
    assert left.text == "At 8: memory left is not known; CPU left is not known."


def test_without_a_step_there_is_no_headroom() -> None:
    assert recommend(make_cell(), BRACKETED, None).headroom is None


def test_the_lines_can_be_pasted_as_they_are() -> None:
    assert recommend(make_cell(), BRACKETED, at(BUSY)).paste == (
        "# environment of the code server",
        "DAGSTER_GRPC_MAX_WORKERS=7",
        "# dagster.yaml",
        "concurrency:",
        "  runs:",
        "    max_concurrent_runs: 8",
    )


def test_from_1_10_on_the_limit_is_among_the_concurrency_settings() -> None:
    paste = recommend(make_cell(dagster="1.10.0"), BRACKETED, at(BUSY)).paste
    assert paste[-3:] == ("concurrency:", "  runs:", "    max_concurrent_runs: 8")


@pytest.mark.parametrize("dagster", ["1.9.13", "1.6.0"])
def test_before_1_10_the_limit_is_the_run_queues(dagster: str) -> None:
    paste = recommend(make_cell(dagster=dagster), BRACKETED, at(BUSY)).paste
    assert paste[-2:] == ("run_queue:", "  max_concurrent_runs: 8")
    assert "DAGSTER_GRPC_MAX_WORKERS=7" in paste


def test_before_1_6_the_workers_need_another_variable() -> None:
    paste = recommend(make_cell(dagster="1.5.14"), BRACKETED, at(BUSY)).paste
    assert "DAGSTER_CLI_API_GRPC_MAX_WORKERS=7" in paste
    assert "DAGSTER_GRPC_MAX_WORKERS=7" not in paste


def test_the_executors_setting_is_the_one_that_was_measured() -> None:
    background = Background(steps_at_once=2)
    paste = recommend(make_cell(), BRACKETED, None, background=background).paste
    assert paste[:2] == ("# environment of the code server", f"{STEPS_VARIABLE}=2")


def test_several_servers_are_all_meant() -> None:
    paste = recommend(make_cell(replicas=2), BRACKETED, at(BUSY, replicas=2)).paste
    assert paste[0] == "# environment of each of the 2 code servers"


@pytest.mark.parametrize("dagster", ["1.13.27", "1.9.0"])
def test_what_dagster_reads_loads_as_the_recommended_number(dagster: str) -> None:
    lines = recommend(make_cell(dagster=dagster), BRACKETED, None).paste
    read = YAML(typ="safe").load("\n".join(lines))
    runs = read["run_queue"] if "run_queue" in read else read["concurrency"]["runs"]
    assert runs == {"max_concurrent_runs": 8}
