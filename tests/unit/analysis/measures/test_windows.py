from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from factory import Rung, make_facts, make_step

from harness.analysis.measures.windows import (
    bin_means,
    counted,
    counters,
    end_of,
    ended_within,
    gauges,
    in_flight_at,
    mean_in_flight,
    runs_of_step,
)
from harness.facts.model import Phase, Run, RunStatus, Sample
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit

STEP = make_step(1, Rung(concurrency=1), 1000.0)
HOLD = Phase(name="hold", start_s=1010.0, end_s=1050.0)


def run(sent_s: float, ended_s: float | None, status: RunStatus = "SUCCESS", step: int = 1) -> Run:
    return Run(
        step=step,
        user=0,
        run_id="r",
        intended_s=sent_s,
        sent_s=sent_s,
        accepted_s=sent_s + 1,
        ended_s=ended_s,
        status=status,
    )


@pytest.mark.parametrize(
    ("sent_s", "ended_s", "belongs"),
    [
        (1001, 1009, False),
        (1001, 1010, True),
        (1020, 1030, True),
        (1049.9, 1200, True),
        (1050, 1051, False),
        (1001, 1200, True),
    ],
)
def test_a_run_belongs_to_the_hold_when_it_was_in_flight_in_it(
    sent_s: float, ended_s: float, belongs: bool
) -> None:
    assert bool(runs_of_step([run(sent_s, ended_s)], STEP)) is belongs


def test_a_run_that_never_ended_is_not_forgotten() -> None:
    lost = run(1001, None, "LOST")
    assert runs_of_step([lost], STEP) == [lost]


def test_a_launch_rejected_before_the_hold_does_not_reach_into_it() -> None:
    assert end_of(run(1001, None, "REJECTED")) == 1002
    assert runs_of_step([run(1001, None, "REJECTED")], STEP) == []


def test_runs_of_other_steps_are_ignored() -> None:
    assert runs_of_step([run(1020, 1030, step=2)], STEP) == []


def test_a_step_without_a_hold_is_judged_by_all_its_runs() -> None:
    broken_off = replace(STEP, phases=STEP.phases[:1], outcome="aborted")
    early = run(1001, None, "LOST")
    assert runs_of_step([early], broken_off) == [early]


def test_the_window_can_be_a_part_of_the_hold() -> None:
    early, late = run(1001, 1015), run(1018, 1030)
    part = Phase(name="hold", start_s=1020.0, end_s=1050.0)
    assert runs_of_step([early, late], STEP) == [early, late]
    assert runs_of_step([early, late], STEP, part) == [late]
    assert runs_of_step([late, run(1030, 1040, step=2)], STEP, part) == [late]


def test_goodput_counts_successes_that_ended_inside_end_excluded() -> None:
    runs = [run(1001, 1010), run(1001, 1050), run(1001, 1020, "FAILURE"), run(1040, 1049)]
    assert ended_within(runs, HOLD) == [runs[0], runs[3]]


def test_runs_in_flight_are_counted_at_a_moment() -> None:
    runs = [run(0, 10), run(5, 15), run(8, None, "LOST")]
    assert in_flight_at(runs, np.array([-1.0, 0.0, 9.0, 10.0, 99.0])).tolist() == [0, 1, 3, 2, 1]


def test_mean_in_flight_weighs_runs_by_their_time_inside() -> None:
    window = Phase(name="hold", start_s=0, end_s=10)
    assert mean_in_flight([run(-5, 5), run(5, 99), run(0, None, "LOST")], window) == 2.0


def test_a_counter_is_interpolated_at_the_edges_of_the_window() -> None:
    times, values = np.array([0.0, 4.0, 8.0]), np.array([0.0, 4.0, 16.0])
    growth = counted(times, values, Phase(name="hold", start_s=2, end_s=6))
    assert growth is not None
    assert growth.delta == pytest.approx(8.0)
    assert growth.rate == pytest.approx(2.0)


def test_a_counter_that_falls_began_again_at_zero() -> None:
    times, values = np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, 8.0, 1.0, 2.0])
    growth = counted(times, values, Phase(name="hold", start_s=0, end_s=3))
    assert growth is not None
    assert growth.delta == pytest.approx(5.0)


def test_a_counter_is_not_extrapolated_beyond_its_samples() -> None:
    growth = counted(
        np.array([4.0, 6.0]), np.array([0.0, 2.0]), Phase(name="hold", start_s=0, end_s=10)
    )
    assert growth is not None
    assert growth.covered_s == pytest.approx(2.0)
    assert growth.rate == pytest.approx(1.0)


@pytest.mark.parametrize("times", [[], [1.0], [20.0, 21.0]])
def test_a_counter_without_samples_around_the_window_is_unknown(times: list[float]) -> None:
    window = Phase(name="hold", start_s=0, end_s=10)
    assert counted(np.array(times), np.array(times), window) is None


def test_counters_and_gauges_come_by_source() -> None:
    facts = make_facts([Rung(concurrency=4)], replicas=2)
    hold = facts.steps[0].phase("hold")
    assert hold is not None
    cpu = counters(facts.samples, "cgroup", "cpu_s", window=hold)
    assert set(cpu) == {"code-server-1", "code-server-2"}
    resident = gauges(facts.samples, "processes", "resident_runs", window=hold)
    assert {values.mean() for values in resident.values()} == {2.0}
    assert gauges(facts.samples, "nothing", "at_all", window=hold) == {}


def reading(source: str, at_s: float, value: float) -> Sample:
    return Sample(device="d", source=source, key="k", due_s=at_s, taken_s=at_s, value=value)


def test_a_gauge_is_averaged_in_bins_and_interpolated_where_it_was_not_read() -> None:
    table = SamplesTable.of(
        [reading("a", 0.2, 1.0), reading("a", 0.8, 3.0), reading("a", 2.5, 6.0)]
    )
    means = bin_means(table, "d", "k", edges=np.arange(4.0))
    assert means is not None
    assert means.tolist() == [2.0, 4.0, 6.0]


def test_bins_add_up_all_sources_and_nothing_outside_of_them() -> None:
    table = SamplesTable.of(
        [reading(source, at_s, 2.0) for source in "ab" for at_s in (0.5, 1.5)]
        + [reading("a", 9.0, 100.0)]
    )
    means = bin_means(table, "d", "k", edges=np.arange(3.0))
    assert means is not None
    assert means.tolist() == [4.0, 4.0]
    assert bin_means(table, "d", "else", edges=np.arange(3.0)) is None
    assert bin_means(table, "d", "k", edges=np.arange(20.0, 23.0)) is None
