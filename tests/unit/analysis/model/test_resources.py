from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from factory import (
    BASE_MIB,
    IDLE_CORES,
    LAUNCH_CPU_S,
    MIB,
    PER_RUN_MIB,
    WORK_CPU_S,
    Rung,
    make_facts,
)
from factory_model import make_summary
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.judging import judge_cell
from harness.analysis.measures.steps import ServerUse, StepSummary
from harness.analysis.model.cpu_cost import interval_of
from harness.analysis.model.memory_cost import peak_per_run
from harness.analysis.model.resources import Resources, resources_of, slope
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit


def resources(facts: CellFacts) -> Resources:
    summaries = [step.summary for step in judge_cell(facts).steps]
    return resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)


def test_memory_of_a_run_is_the_slope_that_is_there(healthy: CellFacts) -> None:
    found = resources(healthy)
    assert found.base_bytes == pytest.approx(BASE_MIB * MIB)
    assert found.per_run is not None
    assert found.per_run.bytes_per_run == pytest.approx(PER_RUN_MIB * MIB)
    assert found.per_run.method == "anon_vs_resident"
    assert found.per_run.points == 1 + len(healthy.steps), "the idle server is a point too"


def test_memory_is_of_one_replica(healthy: CellFacts) -> None:
    facts = make_facts([Rung(concurrency=n) for n in (2, 4, 8)], replicas=2)
    found = resources(facts)
    assert found.base_bytes == pytest.approx(BASE_MIB * MIB)
    assert found.per_run is not None
    assert found.per_run.bytes_per_run == pytest.approx(PER_RUN_MIB * MIB)


def test_without_the_processes_the_peaks_stand_in_and_say_so() -> None:
    rungs = [Rung(concurrency=n, silent=("processes",)) for n in (1, 4, 8)]
    found = resources(make_facts(rungs))
    assert found.per_run is not None
    assert found.per_run.method == "peak_vs_concurrency"
    assert found.per_run.bytes_per_run == pytest.approx(PER_RUN_MIB * MIB)


def test_one_concurrency_has_a_slope_only_against_the_idle_server() -> None:
    found = resources(make_facts([Rung(concurrency=4)])).per_run
    assert found is not None
    assert found.bytes_per_run == pytest.approx(PER_RUN_MIB * MIB)
    assert found.ci_bytes is None, "two points make a line, not an interval"
    assert resources(make_facts([Rung(concurrency=4)], idle_start_s=None)).per_run is None


def test_the_memory_of_a_run_is_judged_at_its_height_not_while_it_imports() -> None:
    """Runs that are still importing are resident and small: means would hide the slope."""
    facts = make_facts([Rung(concurrency=n) for n in (2, 6)])
    hold = facts.steps[-1].phase("hold")
    assert hold is not None
    frame = facts.samples.frame
    early = (frame["taken_s"] < hold.start_s + 20).to_numpy()
    anon = (frame["key"] == "anon_bytes").to_numpy()
    half = np.where(early & anon, BASE_MIB * MIB, frame["value"].to_numpy())
    importing = SamplesTable(frame.with_columns(value=pl.Series(half)))
    found = resources(replace(facts, samples=importing)).per_run
    assert found is not None
    assert found.bytes_per_run > 0.8 * PER_RUN_MIB * MIB


def test_cpu_of_launching_is_what_idling_and_work_leave(healthy: CellFacts) -> None:
    found = resources(healthy)
    assert found.idle_cpu_cores == pytest.approx(IDLE_CORES)
    assert found.run_cpu_s == pytest.approx(WORK_CPU_S)
    assert found.launch_cpu_s == pytest.approx(LAUNCH_CPU_S, rel=0.01)
    assert found.completed > 50


def test_launching_cannot_be_told_from_work_that_was_not_reported(healthy: CellFacts) -> None:
    runs = [replace(run, work_cpu_s=None) for run in healthy.runs]
    found = resources(replace(healthy, runs=runs))
    assert found.run_cpu_s is None
    assert found.launch_cpu_s is None


def test_the_work_of_a_launch_is_told_in_bare_starts_of_the_same_seconds() -> None:
    """A minute in which everything takes twice the CPU makes a launch no dearer."""
    rungs = [Rung(concurrency=2, bare_start_s=0.02), Rung(concurrency=2, bare_start_s=0.04)]
    found = resources(make_facts(rungs))
    quick, slow = found.launch_work.values()
    assert quick == pytest.approx(LAUNCH_CPU_S / 0.02, rel=0.02)
    assert slow == pytest.approx(quick / 2, rel=0.02)


def test_without_the_machines_pace_the_work_of_a_launch_is_unknown(healthy: CellFacts) -> None:
    assert resources(healthy).launch_work == {}


def test_without_an_idle_window_the_base_is_unknown() -> None:
    facts = make_facts([Rung(concurrency=n) for n in (1, 2)], idle_start_s=None)
    found = resources(facts)
    assert found.base_bytes is None
    assert found.idle_cpu_cores is None
    assert found.launch_cpu_s is not None


@given(
    true=st.floats(min_value=1, max_value=1e9),
    base=st.floats(min_value=0, max_value=1e9),
    xs=st.lists(st.integers(0, 100), min_size=3, max_size=12, unique=True),
)
def test_points_on_a_line_give_its_slope(true: float, base: float, xs: list[int]) -> None:
    found = slope([(float(x), base + true * x) for x in xs], "anon_vs_resident")
    assert found is not None
    assert found.bytes_per_run == pytest.approx(true, rel=1e-4, abs=1e-3)


def test_the_interval_widens_with_the_scatter_and_holds_the_slope() -> None:
    narrow = slope([(1, 11.0), (2, 19.0), (4, 41.0), (8, 79.0)], "anon_vs_resident")
    wide = slope([(1, 31.0), (2, 1.0), (4, 61.0), (8, 59.0)], "anon_vs_resident")
    assert narrow is not None
    assert wide is not None
    assert narrow.ci_bytes is not None
    assert wide.ci_bytes is not None
    assert narrow.ci_bytes[0] < 10.0 < narrow.ci_bytes[1]
    assert wide.ci_bytes[1] - wide.ci_bytes[0] > 3 * (narrow.ci_bytes[1] - narrow.ci_bytes[0])


@pytest.mark.parametrize("points", [[(1, 10.0), (2, 20.0)], [(0, 1.0), (1, 10.0), (2, 20.0)]])
def test_up_to_three_points_have_a_slope_but_no_interval(
    points: list[tuple[float, float]],
) -> None:
    found = slope(points, "anon_vs_resident")
    assert found is not None
    assert found.ci_bytes is None


def test_the_line_says_where_it_meets_no_runs() -> None:
    found = slope([(1, 11.0), (2, 21.0), (4, 41.0)], "anon_vs_resident")
    assert found is not None
    assert found.at_zero_bytes == pytest.approx(1.0)


def test_the_peak_of_a_run_in_flight_has_a_slope_of_its_own(healthy: CellFacts) -> None:
    peak = resources(healthy).peak
    assert peak is not None
    assert peak.method == "peak_vs_concurrency"
    assert peak.points == 1 + len(healthy.steps), "the idle server is a point too"
    assert peak.bytes_per_run == pytest.approx(PER_RUN_MIB * MIB, rel=0.02)
    assert peak.at_zero_bytes == pytest.approx(BASE_MIB * MIB, rel=0.1)


def test_a_peak_that_met_the_limit_or_arrivals_that_followed_nothing_are_no_point() -> None:
    def point(runs: int, peak_mib: float, **server: Any) -> StepSummary:
        use = ServerUse(memory_peak_bytes=peak_mib * MIB, **server)
        return make_summary(runs, server=use)

    good = [point(1, 220), point(4, 520)]
    killed = [point(8, 600, oom_kills=1), point(9, 600, restarts=1)]
    arriving = make_summary(20, server=ServerUse(memory_peak_bytes=300.0 * MIB))
    arriving = replace(arriving, step=replace(arriving.step, load_model="poisson"))
    facts = make_facts([])
    found = peak_per_run(facts.cell, [*good, *killed, arriving], samples=facts.samples, idle=None)
    assert found is not None
    assert found.points == 2
    assert found.bytes_per_run == pytest.approx(100 * MIB)


def test_the_last_run_of_the_warm_up_is_not_taken_for_idling(healthy: CellFacts) -> None:
    """It is on its way out for the first second of the idle window, on a full core."""
    start_s = healthy.cell.idle_start_s
    assert start_s is not None
    frame = healthy.samples.frame
    cpu = ((frame["key"] == "cpu_s") & (frame["device"] == "cgroup")).to_numpy()
    since_s = np.clip(frame["taken_s"].to_numpy() - start_s, 0.0, 0.9)
    leaving = np.where(cpu, frame["value"].to_numpy() + since_s, frame["value"].to_numpy())
    samples = SamplesTable(frame.with_columns(value=pl.Series(leaving)))
    found = resources(replace(healthy, samples=samples))
    assert found.idle_cpu_cores == pytest.approx(IDLE_CORES, rel=0.02)


def test_the_cpu_of_a_run_says_on_how_much_it_rests(healthy: CellFacts) -> None:
    found = resources(healthy)
    assert found.cpu_steps == len(healthy.steps)
    assert found.run_cpu_n > 50
    assert found.launch_cpu_s is not None
    assert found.launch_cpu_s_ci is not None
    assert found.launch_cpu_s_ci[0] <= found.launch_cpu_s <= found.launch_cpu_s_ci[1]
    assert found.run_cpu_s_ci == pytest.approx((WORK_CPU_S, WORK_CPU_S))


def test_two_steps_give_no_interval() -> None:
    found = resources(make_facts([Rung(concurrency=n) for n in (2, 4)]))
    assert found.launch_cpu_s is not None
    assert found.launch_cpu_s_ci is None
    assert found.run_cpu_s_ci is None


def test_the_interval_of_equal_steps_is_that_of_student() -> None:
    """Three steps of 10 runs, 1, 2 and 3: 2 ± 4.303 · 1 ⁄ √3."""
    found = interval_of(2.0, [(1.0, 10), (2.0, 10), (3.0, 10), (None, 0)])
    assert found is not None
    assert found == pytest.approx((0.0, 2 + 4.303 / 3**0.5), rel=1e-3)
    near = interval_of(2.0, [(1.9, 10), (2.0, 10), (2.1, 10)])
    assert near == pytest.approx((2 - 0.4303 / 3**0.5, 2 + 0.4303 / 3**0.5), rel=1e-3)


def test_a_step_of_few_runs_has_little_weight_in_the_interval() -> None:
    heavy = interval_of(2.0, [(2.0, 50), (2.1, 50), (1.9, 50), (4.0, 50)])
    light = interval_of(2.0, [(2.0, 50), (2.1, 50), (1.9, 50), (4.0, 2)])
    assert heavy is not None
    assert light is not None
    assert light[1] - light[0] < 0.3 * (heavy[1] - heavy[0])


def test_the_cost_of_a_mean_that_is_not_known_has_no_interval() -> None:
    assert interval_of(None, [(1.0, 10), (2.0, 10), (3.0, 10)]) is None
