from __future__ import annotations

import math
from dataclasses import replace

import pytest
from factory import MIB, Rung, make_cell, make_facts

from harness.analysis.measures.steady_state import steady_of
from harness.analysis.measures.steps import (
    StepSummary,
    measured_steps,
    summarise,
    unloaded_response_s,
)
from harness.facts.model import Limits, Phase
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit


def summary_of(facts: CellFacts, index: int = 1, **unloaded_s: float) -> StepSummary:
    step = next(step for step in facts.steps if step.index == index)
    alone = unloaded_s or {"load": 5.0}
    return summarise(facts.cell, step, runs=facts.runs, samples=facts.samples, unloaded_s=alone)


def test_durations_are_those_the_runs_went_through() -> None:
    times = summary_of(make_facts([Rung(concurrency=4, launch_s=2.0, exec_s=6.0)])).times
    assert times.response_s.p50 is not None
    assert times.response_s.p50.value == pytest.approx(8.0)
    assert times.launch_s.p95 is not None
    assert times.launch_s.p95.value == pytest.approx(2.0)
    assert times.exec_s.p50 is not None
    assert times.exec_s.p50.value == pytest.approx(6.0)
    assert times.slowdown_p95 is not None
    assert times.slowdown_p95.value == pytest.approx(8.0 / 5.0)


def test_response_time_counts_from_the_intended_start() -> None:
    times = summary_of(make_facts([Rung(concurrency=2, send_lag_s=3.0)])).times
    assert times.response_s.p50 is not None
    assert times.response_s.p50.value == pytest.approx(8.0)
    assert times.launch_s.p50 is not None
    assert times.launch_s.p50.value == pytest.approx(1.0)
    assert times.send_lag_p95_s == pytest.approx(3.0)


def test_the_parts_of_a_launch_are_kept_apart() -> None:
    phases = summary_of(make_facts([Rung(concurrency=2, launch_s=2.0)])).times.phases
    assert phases.accept_s == pytest.approx(1.2)
    assert phases.queue_s is None, "the direct feed has no queue"
    assert phases.spawn_s == pytest.approx(1.0)
    assert phases.import_s == pytest.approx(0.8)
    assert phases.first_step_s == pytest.approx(0.1)


def test_a_run_that_never_started_makes_its_percentile_unbounded_and_says_so() -> None:
    facts = make_facts([Rung(concurrency=4, late_status="LOST", late_every=4)])
    launch = summary_of(facts).times.launch_s
    assert launch.p95 is not None
    assert math.isinf(launch.p95.value)
    assert "never started" in launch.note


def test_a_quick_failure_is_not_a_quick_answer() -> None:
    facts = make_facts([Rung(concurrency=4, late_status="FAILURE", late_every=4)])
    summary = summary_of(facts)
    assert summary.times.response_s.p95 is not None
    assert math.isinf(summary.times.response_s.p95.value)
    assert summary.counts.failed > 0
    assert summary.counts.lost == 0


def test_runs_are_counted_by_how_they_ended() -> None:
    facts = make_facts([Rung(concurrency=2)])
    first, second, third, fourth = facts.runs[2:6]
    changed = [
        replace(first, status="FAILURE"),
        replace(second, status="REJECTED"),
        replace(third, status="LOST"),
        replace(fourth, status="UNFINISHED"),
    ]
    facts = replace(facts, runs=changed)
    counts = summary_of(facts).counts
    assert (counts.completed, counts.failed, counts.lost, counts.unfinished) == (2, 2, 1, 1)


def test_throughput_is_successes_in_the_hold_per_second() -> None:
    summary = summary_of(make_facts([Rung(concurrency=5)]))
    assert summary.throughput_runs_per_s == pytest.approx(1.0, rel=0.05)
    assert summary.mean_in_flight == pytest.approx(5.0, rel=0.02)


def test_memory_is_the_kernels_peak_against_the_enforced_limit() -> None:
    server = summary_of(make_facts([Rung(concurrency=2, peak_mib=1024)])).server
    assert server.memory_peak_bytes == 1024 * MIB
    assert server.memory_peak_ratio == pytest.approx(0.5)
    assert server.peak_source == "kernel"


def test_without_a_kernel_peak_the_highest_sample_stands_in_and_says_so() -> None:
    facts = make_facts([Rung(concurrency=2, step={"kernel_peak_bytes": None})])
    server = summary_of(facts).server
    assert server.peak_source == "samples"
    assert server.memory_peak_bytes == pytest.approx(320 * MIB * 1.1)


def test_ratios_need_an_enforced_limit() -> None:
    facts = make_facts([Rung(concurrency=2)], limits_enforced=False, effective_limits=None)
    server = summary_of(facts).server
    assert server.memory_peak_bytes is not None
    assert server.memory_peak_ratio is None
    assert server.cpu_ratio is None


def test_cpu_is_the_growth_of_the_counter_over_the_hold() -> None:
    facts = make_facts([Rung(concurrency=4, cpu_cores=0.6, throttled_ratio=0.25)])
    summary = summary_of(facts)
    assert summary.server.cpu_cores == pytest.approx(0.6)
    assert summary.server.cpu_ratio == pytest.approx(0.6)
    assert summary.server.throttled_ratio == pytest.approx(0.25)
    assert summary.throughput_runs_per_s is not None
    assert summary.server.cpu_s_per_run == pytest.approx(0.6 / summary.throughput_runs_per_s)


def test_cpu_of_replicas_adds_up_but_the_ratio_is_of_the_worst() -> None:
    limits = Limits(cpu_cores=0.5, memory_bytes=1024 * MIB)
    facts = make_facts([Rung(concurrency=4, cpu_cores=0.8)], replicas=2, effective_limits=limits)
    server = summary_of(facts).server
    assert server.cpu_cores == pytest.approx(0.8)
    assert server.cpu_ratio == pytest.approx(0.8)


def test_queues_probes_and_helpers_are_read_from_their_devices() -> None:
    rung = Rung(concurrency=4, pool_queue=3, probe_s=0.2, probes_lost=2, support_cores=0.7)
    summary = summary_of(make_facts([rung]))
    assert summary.queues.pool_median == 3
    assert summary.queues.run_queue_max == 0
    assert summary.probes.lost == 2
    assert summary.probes.sent == 40
    assert summary.probes.p99 is not None
    assert not summary.probes.p99.enough
    assert summary.support_cpu_cores["webserver"] == pytest.approx(0.7)
    assert summary.host_cpu_cores == pytest.approx(1.0)


def test_what_was_not_measured_is_unknown_and_not_zero() -> None:
    silent = ("cgroup", "pool", "probe", "run_queue", "support", "host")
    summary = summary_of(make_facts([Rung(concurrency=4, silent=silent)]))
    assert summary.server.cpu_cores is None
    assert summary.server.throttled_ratio is None
    assert summary.queues.pool_median is None
    assert summary.queues.run_queue_max is None
    assert summary.probes.p99 is None
    assert summary.support_cpu_cores == {}
    assert summary.host_cpu_cores is None


def test_a_step_without_a_hold_has_counts_but_no_rates() -> None:
    facts = make_facts([Rung(concurrency=4)])
    step = facts.steps[0]
    step = replace(step, phases=step.phases[:1], outcome="aborted", oom_kills=1)
    summary = summarise(make_cell(), step, runs=facts.runs, samples=facts.samples, unloaded_s=None)
    assert summary.hold is None
    assert summary.steady is None
    assert summary.throughput_runs_per_s is None
    assert summary.counts.completed == len(facts.runs)
    assert summary.server.oom_kills == 1


def test_an_oom_kill_the_conductor_missed_is_seen_in_the_kernels_counter() -> None:
    facts = make_facts([Rung(concurrency=4)])
    frame = facts.samples.frame
    late = frame["taken_s"].median()
    killed = (frame["key"] == "oom_kills") & (frame["taken_s"] > late)
    frame = frame.with_columns(value=frame["value"] + killed.cast(float))
    facts = replace(facts, samples=type(facts.samples)(frame))
    assert summary_of(facts).server.oom_kills == 1


def test_unloaded_response_comes_from_unloaded_steps_alone() -> None:
    facts = make_facts([Rung(concurrency=1, kind="unloaded"), Rung(concurrency=8, launch_s=9)])
    assert unloaded_response_s(facts.steps, facts.runs) == {"load": pytest.approx(5.0)}
    assert unloaded_response_s(facts.steps[1:], facts.runs) == {}


def test_each_job_has_its_own_unloaded_response() -> None:
    facts = make_facts([Rung(concurrency=1, kind="unloaded", exec_s={"quick": 1.0, "slow": 9.0})])
    assert unloaded_response_s(facts.steps, facts.runs) == {
        "quick": pytest.approx(2.0),
        "slow": pytest.approx(10.0),
    }


def test_a_job_that_mostly_failed_alone_has_no_unloaded_response() -> None:
    facts = make_facts([Rung(concurrency=1, kind="unloaded", exec_s={"quick": 1.0, "slow": 9.0})])
    runs = [replace(run, status="FAILURE") if run.job == "slow" else run for run in facts.runs]
    assert set(unloaded_response_s(facts.steps, runs)) == {"quick"}


def test_a_run_is_as_slow_as_it_is_against_its_own_job() -> None:
    facts = make_facts([Rung(concurrency=4, exec_s={"quick": 1.0, "slow": 9.0})])
    slowdown = summary_of(facts, quick=1.0, slow=10.0).times.slowdown_p95
    assert slowdown is not None
    assert slowdown.value == pytest.approx(2.0), "of the quick ones; the slow ones are as alone"


def test_a_job_that_was_never_alone_leaves_the_slowdown_unknown_and_is_named() -> None:
    facts = make_facts([Rung(concurrency=4, exec_s={"quick": 1.0, "slow": 9.0})])
    times = summary_of(facts, quick=2.0).times
    assert times.slowdown_p95 is None
    assert "slow" in times.slowdown_note
    assert "quick" not in times.slowdown_note


def test_the_unloaded_response_is_of_the_judged_window() -> None:
    facts = make_facts([Rung(concurrency=1, kind="unloaded")])
    hold = facts.steps[0].phase("hold")
    assert hold is not None
    early = [
        replace(run, intended_s=run.intended_s - 60) if run.sent_s < hold.start_s + 20 else run
        for run in facts.runs
    ]
    late = Phase(name="hold", start_s=hold.start_s + 30, end_s=hold.end_s)
    assert unloaded_response_s(facts.steps, early)["load"] > 60
    found = unloaded_response_s(facts.steps, early, windows={1: late})
    assert found == {"load": pytest.approx(5.0)}


def test_everything_is_measured_over_the_window_given() -> None:
    facts = make_facts([Rung(concurrency=4, pool_growth_per_s=1.0, probes_lost=5)])
    step = facts.steps[0]
    steady = steady_of(step, runs=facts.runs, samples=facts.samples, warmup=30.0)
    summary = summarise(
        facts.cell, step, runs=facts.runs, samples=facts.samples, unloaded_s={}, steady=steady
    )
    whole = summary_of(facts)
    assert summary.hold is not None
    assert summary.hold.end_s - summary.hold.start_s == pytest.approx(10.0)
    assert summary.counts.completed < whole.counts.completed
    assert summary.throughput_runs_per_s == pytest.approx(0.8, abs=0.2)
    assert summary.mean_in_flight == pytest.approx(4.0, rel=0.02)
    assert summary.queues.pool_median == pytest.approx(35.0, abs=1.0)
    assert (whole.probes.lost, summary.probes.lost) == (5, 0)
    assert summary.server.cpu_cores == pytest.approx(whole.server.cpu_cores)


def test_warm_up_is_not_measured() -> None:
    facts = make_facts([Rung(concurrency=1, kind="warmup"), Rung(concurrency=2)])
    assert [step.index for step in measured_steps(facts.steps)] == [2]
    assert unloaded_response_s(facts.steps, facts.runs) == {}
