"""Cells made so that one limit gives way: the answer names it, and why not the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from factory import Rung, make_facts
from factory_binding import (
    evidence_of,
    resources,
    said,
    with_a_quick_front,
    with_readings,
    with_runs,
    without,
)

from harness.analysis.binding import LIMITS, binding_at, binding_of
from harness.analysis.judging import judge_cell
from harness.analysis.model.resources import Resources
from harness.facts.model import Event, Run
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

Make = Callable[..., CellFacts]
SLOW = {"launch_s": 12.0}
QUEUED = {**SLOW, "pool_queue": 2.0}
LAUNCHING, WORKING = resources(1.0, 0.1), resources(1.0, 9.0)
UNKNOWN = resources(None, None)


@pytest.fixture
def with_last(with_last: Make) -> Make:
    """The shared one, with a webserver that is quick however slow the server."""
    return lambda *given, **truth: with_a_quick_front(with_last(*given, **truth))


@pytest.mark.parametrize(
    ("truth", "costs", "limit", "strength"),
    [
        ({"step": {"oom_kills": 2}}, LAUNCHING, "memory", "clear"),
        ({"peak_mib": 2000.0}, LAUNCHING, "memory", "clear"),
        ({**SLOW, "peak_mib": 2000.0, "cpu_cores": 1.0}, LAUNCHING, "memory", "likely"),
        ({**SLOW, "step": {"oom_kills": 1}, "cpu_cores": 1.0}, LAUNCHING, "memory", "clear"),
        ({**QUEUED, "cpu_cores": 0.95}, LAUNCHING, "launch_cpu", "clear"),
        ({**QUEUED, "cpu_cores": 0.95}, WORKING, "run_cpu", "clear"),
        ({**QUEUED, "cpu_cores": 0.95}, UNKNOWN, "launch_cpu", "likely"),
        ({**QUEUED, "cpu_cores": 0.5, "throttled_ratio": 0.8}, LAUNCHING, "launch_cpu", "clear"),
        ({**QUEUED, "cpu_cores": 0.3}, LAUNCHING, "worker_pool", "clear"),
        ({**QUEUED, "cpu_cores": 0.3, "support_cores": 0.95}, LAUNCHING, "control_plane", "clear"),
        ({**QUEUED, "cpu_cores": 0.3, "host_cores": 3.8}, LAUNCHING, "control_plane", "clear"),
        ({**SLOW, "cpu_cores": 0.95, "support_cores": 0.95}, LAUNCHING, "launch_cpu", "clear"),
        ({**SLOW, "cpu_cores": 0.2}, LAUNCHING, None, "unclear"),
        ({"step": {"restarts": 1}}, LAUNCHING, None, "unclear"),
    ],
)
def test_each_limit_is_named_when_it_gives_way(
    truth: dict[str, Any], costs: Resources, limit: str | None, strength: str, with_last: Make
) -> None:
    found = binding_of(evidence_of(with_last(**truth), costs=costs))
    assert (found.limit, found.strength) == (limit, strength)


def test_the_evidence_quotes_the_failing_step_and_the_one_below(with_last: Make) -> None:
    found = binding_of(evidence_of(with_last(**QUEUED, cpu_cores=0.95)))
    assert said(found.evidence, "at 8: CPU at 95% of the limit; at 4:")
    assert said(found.evidence, "at 8: launching and the runs' own work take")


def test_without_a_step_below_the_failing_one_speaks_alone() -> None:
    facts = make_facts([Rung(concurrency=8, cpu_cores=0.95, launch_s=12.0)])
    found = binding_of(evidence_of(facts))
    assert found.limit == "launch_cpu"
    assert said(found.evidence, "at 8: CPU at 95% of the limit")
    assert not said(found.evidence, "; at ")


def test_the_other_limits_are_ruled_out_by_what_was_seen(with_last: Make) -> None:
    found = binding_of(evidence_of(with_last(**SLOW, cpu_cores=0.95)))
    assert {text.split(":")[0] for text in found.ruled_out} == set(LIMITS) - {"launch_cpu"}
    assert said(found.ruled_out, "memory: the peak was 45% of the limit, no OOM kill")
    assert said(found.ruled_out, "control_plane:", "webserver, used 0.20 cores", "of the machine's")
    assert said(found.ruled_out, "worker_pool: requests waited in 0% of the readings")
    assert said(found.ruled_out, "run_cpu: the runs' own work is")


def test_launching_and_work_of_the_same_weight_are_a_close_call(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.97)
    found = binding_of(evidence_of(facts, costs=resources(2.1, 2.0)))
    assert (found.limit, found.strength, found.runner_up) == ("launch_cpu", "likely", "run_cpu")


def test_a_starved_server_that_queues_requests_has_the_pool_as_runner_up(with_last: Make) -> None:
    found = binding_of(evidence_of(with_last(**QUEUED, cpu_cores=0.95)))
    assert (found.limit, found.runner_up) == ("launch_cpu", "worker_pool")


def test_a_burst_is_judged_by_what_fell_into_the_window_not_by_the_cost_of_a_run() -> None:
    """All were launched in the ramp: what fills the CPU now is their work."""
    long = Rung(concurrency=8, exec_s=60.0, cpu_cores=0.97, hold_s=40.0, launch_s=4.0)
    alone = Rung(concurrency=1, kind="unloaded", exec_s=10.0)
    facts = make_facts([alone, long])
    assert binding_of(evidence_of(facts, costs=resources(2.1, 2.0))).limit == "run_cpu"


def test_work_that_never_ended_is_what_is_left_of_the_cpu() -> None:
    """Runs of minutes: none ended, so none told what it took."""

    def unended(run: Run) -> Run:
        return replace(run, status="UNFINISHED", ended_s=None, work_cpu_s=None)

    long = Rung(concurrency=8, exec_s=400.0, cpu_cores=0.97, launch_s=4.0)
    facts = with_runs(make_facts([Rung(concurrency=1, kind="unloaded"), long]), unended)
    evidence = evidence_of(facts, costs=resources(2.1, 2.0))
    found = binding_of(evidence)
    assert (found.limit, found.strength) == ("run_cpu", "clear")
    assert binding_of(replace(evidence, runs=())).limit == "launch_cpu"


def test_costs_whose_intervals_overlap_are_never_clearly_apart(with_last: Make) -> None:
    apart = resources(3.0, 1.0)
    blurred = replace(apart, launch_cpu_s_ci=(1.0, 5.0), run_cpu_s_ci=(0.5, 1.5))
    facts = with_last(**SLOW, cpu_cores=0.97)
    found = binding_of(evidence_of(facts, costs=blurred))
    assert binding_of(evidence_of(facts, costs=apart)).strength == "clear"
    assert (found.limit, found.strength) == ("launch_cpu", "likely")
    assert said(found.evidence, "their intervals overlap")


def test_sensors_that_hold_the_workers_are_named(with_last: Make) -> None:
    facts = with_readings(
        with_last(**QUEUED, cpu_cores=0.2), "stacks", "code-server-1",
        launching=0.5, sensor=5.2, idle=0.3, database=0.0, other=0.0,
    )  # fmt: skip
    found = binding_of(evidence_of(facts))
    assert found.limit == "worker_pool"
    assert said(found.evidence, "5.7 of 6 workers were held", "sensor 5.2")
    beside = with_readings(facts, "stacks", "code-server-0", launching=0.0, sensor=0.1, idle=5.9)
    assert binding_of(evidence_of(beside)).evidence == found.evidence


def test_busy_workers_and_a_slow_health_check_name_the_pool_without_a_queue(
    with_last: Make,
) -> None:
    facts = with_readings(
        with_last(**SLOW, cpu_cores=0.2, probe_s=3.0), "pool", "code-server-1",
        pool_busy=6.0, pool_max=6.0,
    )  # fmt: skip
    found = binding_of(evidence_of(facts))
    assert found.limit == "worker_pool"
    assert said(found.evidence, "all 6 workers were busy in 100% of the readings")
    assert said(found.evidence, "a cheap request took 3.0 s; at 4: 10 ms")


def test_what_the_workers_did_outside_the_judged_window_does_not_count(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.2)
    for phase, busy in (("settle", 6.0), ("hold", 0.0), ("drain", 6.0)):
        facts = with_readings(
            facts, "pool", "code-server-1", phase=phase, pool_busy=busy, pool_max=6.0
        )
    found = binding_of(evidence_of(facts))
    assert said(found.ruled_out, "worker_pool:", "all workers busy in 0%")


def test_a_wait_for_a_process_without_slower_imports_is_no_lack_of_cpu(with_last: Make) -> None:
    def waited(run: Run) -> Run:
        assert run.started_s is not None
        return replace(run, process_started_s=run.started_s - 0.4)

    facts = with_runs(with_last(**QUEUED, cpu_cores=0.2), waited)
    assert said(binding_of(evidence_of(facts)).evidence, "importing no slower")


def test_a_queue_kept_by_its_own_setting_is_the_control_plane(with_last: Make) -> None:
    def queued(run: Run) -> Run:
        return replace(run, accepted_s=run.sent_s + 0.1, enqueued_s=run.sent_s + 0.1)

    facts = with_last(cell={"feed": "queued", "max_concurrent_runs": 4}, **SLOW, cpu_cores=0.2)
    facts = with_readings(
        without(replace(facts, runs=[queued(run) for run in facts.runs]), "run_queue"),
        "run_queue", "postgres", queued=4.0, starting=1.0, started=3.0, canceling=0.0,
    )  # fmt: skip
    found = binding_of(evidence_of(facts))
    assert found.limit == "control_plane"
    assert said(found.evidence, "max_concurrent_runs is 4 and 4 runs had been let through")


def test_the_service_that_gave_out_is_named(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.2, support_cores=0.97)
    assert said(binding_of(evidence_of(facts)).evidence, "webserver used 0.97 cores; at 4: 0.20")


def test_witnesses_of_a_dead_server_are_quoted(with_last: Make) -> None:
    facts = with_last(step={"oom_kills": 1, "restarts": 1})
    start_s = facts.steps[-1].phases[0].start_s
    death = Event(
        at_s=start_s + 20, kind="server_died", source="code-server-1",
        detail={"oom": True, "exit_code": 137, "witnesses": ["exit code 137"]},
    )  # fmt: skip
    earlier = replace(death, at_s=start_s - 20, detail={"oom": True, "witnesses": ["old news"]})
    found = binding_of(evidence_of(replace(facts, events=[earlier, death])))
    assert said(found.evidence, "OOM kills: 1, 1 of them the server itself (exit code 137)")


def test_a_death_nobody_calls_out_of_memory_is_told_but_names_no_limit(with_last: Make) -> None:
    found = binding_of(evidence_of(with_last(step={"restarts": 1})))
    assert found.limit is None
    assert said(found.evidence, "1 servers ended, and nothing spoke of memory")


def test_a_later_step_s_death_does_not_speak_for_this_one(with_last: Make) -> None:
    facts = with_last(step={"restarts": 1})
    start_s = facts.steps[-1].phases[0].start_s
    own = Event(at_s=start_s + 20, kind="server_died", source="x", detail={"oom": False})
    later = replace(own, at_s=start_s + 500, detail={"oom": True})
    assert binding_of(evidence_of(replace(facts, events=[own, later]))).limit is None
    assert binding_of(evidence_of(replace(facts, events=[later]))).limit == "memory"


def test_runs_ended_by_signal_9_speak_for_memory_only_where_nobody_counts_kills(
    with_last: Make,
) -> None:
    def killed(run: Run) -> Run:
        return replace(run, error_class="oom_sigkill") if run.status == "FAILURE" else run

    facts = with_runs(with_last(late_status="FAILURE"), killed)
    assert binding_of(evidence_of(facts)).limit is None
    assert binding_of(evidence_of(without(facts, "cgroup"))).limit == "memory"


def test_where_nothing_stands_out_it_is_said_what_failed_and_what_was_seen(
    with_last: Make,
) -> None:
    def raised(run: Run) -> Run:
        return replace(run, error_class="user_error") if run.status == "FAILURE" else run

    facts = with_runs(with_last(late_status="FAILURE"), raised)
    found = binding_of(evidence_of(facts))
    assert (found.limit, found.strength, found.runner_up) == (None, "unclear", None)
    assert said(found.evidence, "no limit stands out", "failed_runs")
    assert said(found.evidence, "user_error")
    assert len(found.ruled_out) == len(LIMITS)


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (("cgroup",), "the CPU quota cannot be judged: the CPU was not read"),
        (("pool",), "the worker pool cannot be judged: it was not read"),
        (("support",), "the CPU of webserver, daemon and database was not read"),
        (("host",), "whether the machine was full is not known"),
    ],
)
def test_what_was_not_read_is_said_and_not_ruled_out(
    devices: tuple[str, ...], words: str, with_last: Make
) -> None:
    found = binding_of(evidence_of(without(with_last(**SLOW, cpu_cores=0.2), *devices)))
    assert found.limit is None
    assert said(found.evidence, words)
    assert len(found.ruled_out) < len(LIMITS)


def test_limits_nobody_enforces_rule_nothing_out(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.9, cell={"limits_enforced": False})
    found = binding_of(evidence_of(facts))
    assert said(found.evidence, "memory cannot be judged: nothing enforces the limits")
    assert said(found.evidence, "the CPU quota cannot be judged: nothing enforces the limits")
    assert not said(found.ruled_out, "memory")


def test_a_pool_whose_server_s_cpu_is_unknown_is_less_sure(with_last: Make) -> None:
    seen = binding_of(evidence_of(with_last(**QUEUED, cpu_cores=0.2)))
    blind = binding_of(evidence_of(without(with_last(**QUEUED, cpu_cores=0.2), "cgroup")))
    assert (seen.limit, seen.strength) == ("worker_pool", "clear")
    assert blind.limit == "worker_pool"
    assert blind.strength != "clear"
    assert said(blind.evidence, "the CPU was not read")


def test_a_host_of_unknown_size_is_never_called_full(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.2, host_cores=64.0)
    assert binding_of(evidence_of(facts, host_cpus=None)).limit is None


def test_repetitions_that_failed_are_taken_together() -> None:
    rungs = [
        Rung(concurrency=4),
        Rung(concurrency=8, cpu_cores=0.93, launch_s=12.0),
        Rung(concurrency=8, cpu_cores=0.97, launch_s=12.0, repetition=2),
    ]
    found = binding_of(evidence_of(make_facts(rungs)))
    assert said(found.evidence, "at 8 (median of 2): CPU at 95% of the limit")


def test_an_oom_in_one_repetition_is_enough() -> None:
    rungs = [
        Rung(concurrency=8, launch_s=12.0),
        Rung(concurrency=8, launch_s=12.0, repetition=2, step={"oom_kills": 1}),
    ]
    assert binding_of(evidence_of(make_facts(rungs))).limit == "memory"


def test_a_step_that_never_held_its_load_still_tells_of_its_kill(with_last: Make) -> None:
    facts = with_last(step={"oom_kills": 1, "restarts": 1})
    last = facts.steps[-1]
    ramp = last.phases[0]
    cut = replace(last, phases=(ramp,), outcome="aborted")
    lost = [
        replace(run, status="LOST", accepted_s=None, dequeued_s=None, process_started_s=None,
                started_s=None, first_step_s=None, ended_s=None)
        for run in facts.runs_of(last)
        if run.sent_s < ramp.end_s
    ]  # fmt: skip
    held = [run for run in facts.runs if run.step != last.index]
    facts = replace(facts, steps=[*facts.steps[:-1], cut], runs=[*held, *lost])
    assert binding_of(evidence_of(facts)).limit == "memory"


def test_the_evidence_takes_the_highest_step_below_that_held(with_last: Make) -> None:
    evidence = evidence_of(with_last(**SLOW))
    assert evidence.below is not None
    assert evidence.below.summary.concurrency == 4


def test_a_step_that_failed_too_is_not_what_the_failing_one_is_held_against() -> None:
    rungs = [
        Rung(concurrency=1, kind="unloaded"),
        Rung(concurrency=2),
        Rung(concurrency=4, launch_s=12.0),
        Rung(concurrency=8, launch_s=12.0),
    ]
    below = evidence_of(make_facts(rungs)).below
    assert below is not None
    assert below.summary.concurrency == 2


@pytest.mark.parametrize("concurrency", [8, 99, None])
def test_where_no_step_failed_no_limit_is_asked_for(
    concurrency: int | None, healthy: CellFacts
) -> None:
    found = binding_at(
        judge_cell(healthy), healthy, concurrency=concurrency, resources=LAUNCHING, host_cpus=4.0
    )
    assert found is None


def test_the_limit_at_a_concurrency_is_the_one_of_its_evidence(with_last: Make) -> None:
    facts = with_last(**SLOW, cpu_cores=0.95)
    found = binding_at(judge_cell(facts), facts, concurrency=8, resources=LAUNCHING, host_cpus=4.0)
    assert found == binding_of(evidence_of(facts, costs=LAUNCHING))


def test_evidence_needs_a_failing_step(with_last: Make) -> None:
    with pytest.raises(ValueError, match="a step that failed"):
        replace(evidence_of(with_last(**SLOW)), failing=())
