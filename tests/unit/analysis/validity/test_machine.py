"""Were the machine, the observer, the server and the arithmetic as they should be?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory import MIB, Rung, make_facts
from factory_validity import (
    UNLOADED,
    cell_doubts,
    doubts,
    found,
    last_summary,
    sound,
    with_arrivals,
    with_readings,
    with_runs,
    with_step,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.measures.windows import mean_in_flight
from harness.analysis.validity import cell_issues, step_issues
from harness.facts.model import Limits, Run
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host_cores", "host_cpus", "severities"),
    [(1.79, 2.0, []), (1.8, 2.0, ["warning"]), (1.8, None, []), (1.8, 4.0, [])],
)
def test_a_full_machine_is_told_where_its_cpus_are_known(
    host_cores: float, host_cpus: float | None, severities: list[str]
) -> None:
    issues = cell_doubts(sound(host_cores=host_cores), host_cpus=host_cpus)
    assert found(issues, "host_full") == severities


def test_the_evidence_of_a_full_machine_quotes_its_load() -> None:
    facts = with_readings(sound(host_cores=2.0), "host", "host", "load1", [3.5])
    (issue,) = [i for i in cell_doubts(facts, host_cpus=2) if i.code == "host_full"]
    assert "at concurrency 8 2.0 of the machine's 2 CPUs were busy, load average 3.5" in (
        issue.evidence
    )


def clocked(unloaded_mhz: float, loaded_mhz: float) -> CellFacts:
    facts = sound()
    only = replace(facts, steps=facts.steps[:1])
    frame = with_readings(only, "host", "host", "freq_mhz", [unloaded_mhz] * 40).samples
    return with_readings(
        replace(facts, samples=frame), "host", "host", "freq_mhz", [loaded_mhz] * 40
    )


@pytest.mark.parametrize(
    ("unloaded_mhz", "loaded_mhz", "severities"),
    [(3000.0, 2701.0, []), (3000.0, 2699.0, ["warning"]), (1200.0, 3000.0, [])],
)
def test_a_clock_that_falls_under_load_is_told(
    unloaded_mhz: float, loaded_mhz: float, severities: list[str]
) -> None:
    assert found(cell_doubts(clocked(unloaded_mhz, loaded_mhz)), "host_slowed") == severities


def test_a_clock_without_an_unloaded_step_has_nothing_to_fall_from() -> None:
    facts = make_facts([Rung(concurrency=4), Rung(concurrency=8)])
    facts = with_readings(facts, "host", "host", "freq_mhz", [100.0])
    assert found(cell_doubts(facts), "host_slowed") == []


@pytest.mark.parametrize(("cores", "severities"), [(0.24, []), (0.25, ["warning"]), (None, [])])
def test_an_observer_that_takes_cpu_is_told(cores: float | None, severities: list[str]) -> None:
    facts = sound(step={"observer_cpu_cores": cores})
    assert found(doubts(facts), "observer_busy") == severities


def test_looks_that_failed_are_counted_by_device() -> None:
    facts = with_readings(sound(), "run_queue", "observer", "errors", [1.0, 2.0, 3.0])
    facts = with_readings(facts, "pool", "observer", "errors", [1.0])
    (issue,) = [i for i in doubts(facts) if i.code == "device_errors"]
    assert (issue.severity, issue.evidence) == (
        "warning",
        "looks that failed: 1 of pool, 3 of run_queue",
    )
    only = replace(facts, steps=facts.steps[:1])
    assert found(doubts(only), "device_errors") == [], "they were another step's"


@pytest.mark.parametrize(
    ("mean", "severities"),
    [(8.0, []), (9.1, []), (9.2, ["warning"]), (7.2, []), (7.1, ["warning"])],
)
def test_littles_law_allows_the_edges_of_the_window(mean: float, severities: list[str]) -> None:
    """Equal stays of 5 s in 40 s allow an eighth of what is in flight, where λW is 8."""
    assert found(doubts(sound(), mean_in_flight=mean), "littles_law") == severities


def test_littles_law_allows_more_where_stays_scatter() -> None:
    equal = with_arrivals(sound(), [k / 2 for k in range(-10, 80)], stay_s=5.0)

    def scattered(number: int, run: Run) -> Run:
        return replace(run, ended_s=run.sent_s + (0.5 if number % 2 else 9.5))

    rate, gap = 2.0, 1.3
    mean = rate * 5.0 * gap
    assert found(doubts(equal, mean_in_flight=mean), "littles_law") == ["warning"]
    assert found(doubts(with_runs(equal, scattered), mean_in_flight=mean), "littles_law") == []


def test_littles_law_is_not_asked_of_a_burst_or_of_few_runs() -> None:
    facts = with_step(sound(), load_model="burst")
    assert found(doubts(facts, mean_in_flight=30.0), "littles_law") == []
    few = with_arrivals(sound(), [k * 4.0 for k in range(9)])
    assert found(doubts(few, mean_in_flight=30.0), "littles_law") == []
    enough = with_arrivals(sound(), [k * 3.5 for k in range(10)])
    assert found(doubts(enough, mean_in_flight=30.0), "littles_law") == ["warning"]


SOUND = sound()
SOUND_SUMMARY = last_summary(SOUND)


@settings(max_examples=60, deadline=None)
@given(
    users=st.integers(1, 12),
    stay_s=st.floats(0.3, 30),
    spread_s=st.floats(0, 8),
)
def test_littles_law_holds_in_every_loop_of_equal_runs(
    users: int, stay_s: float, spread_s: float
) -> None:
    """Also when all users march in step, the worst there is at the edges."""
    sent = [
        -10 + spread_s * user / users + number * stay_s
        for user in range(users)
        for number in range(int(55 / stay_s) + 1)
    ]
    facts = with_arrivals(SOUND, sent, stay_s=stay_s)
    own = [run for run in facts.runs if run.step == facts.steps[-1].index]
    assert SOUND_SUMMARY.hold is not None
    summary = replace(SOUND_SUMMARY, mean_in_flight=mean_in_flight(own, SOUND_SUMMARY.hold))
    issues = step_issues(facts.cell, summary, runs=own, samples=SamplesTable.of())
    assert found(issues, "littles_law") == []


def test_steps_on_another_server_are_told() -> None:
    facts = make_facts([UNLOADED, Rung(concurrency=4), Rung(concurrency=8)])
    assert found(cell_doubts(facts), "server_replaced") == []
    (issue,) = [i for i in cell_doubts(with_step(facts, server=1)) if i.code == "server_replaced"]
    assert (issue.severity, issue.step) == ("warning", None)
    assert "1, 4 on server 1; 8 on server 2" in issue.evidence


def test_a_peak_from_samples_is_told() -> None:
    (issue,) = [
        i
        for i in cell_doubts(with_step(sound(), peak_source="samples"))
        if i.code == "peak_sampled"
    ]
    assert issue.severity == "warning"
    assert issue.evidence.endswith("at concurrency 8")
    unknown = sound(silent=("cgroup",))
    unknown = with_step(unknown, kernel_peak_bytes=None, peak_source="")
    assert found(cell_doubts(unknown), "peak_sampled") == [], "no peak at all is another matter"


@pytest.mark.parametrize(
    ("resident", "severities"),
    [((4.0, 4.0), []), ((6.0, 2.0), []), ((6.2, 1.8), ["warning"]), ((8.0,), ["warning"])],
)
def test_a_replica_that_carries_more_than_its_share_is_told(
    resident: tuple[float, ...], severities: list[str]
) -> None:
    facts = sound({"replicas": 2}, silent=("processes",))
    for number, value in enumerate(resident, start=1):
        facts = with_readings(
            facts, "processes", f"code-server-{number}", "resident_runs", [value] * 40
        )
    assert found(doubts(facts), "replicas_uneven") == severities


def test_the_replica_a_run_names_comes_before_what_was_sampled() -> None:
    facts = sound({"replicas": 2})

    def one(_: int, run: Run) -> Run:
        return replace(run, replica="code-server-1")

    def turns(number: int, run: Run) -> Run:
        return replace(run, replica=f"code-server-{1 + number % 2}")

    assert found(doubts(with_runs(facts, one)), "replicas_uneven") == ["warning"]
    assert found(doubts(with_runs(facts, turns)), "replicas_uneven") == []
    assert found(doubts(with_runs(facts, one, every=2)), "replicas_uneven") == [], "not all known"


def test_a_remainder_of_few_runs_is_not_uneven() -> None:
    facts = sound({"replicas": 2}, silent=("processes",))
    facts = with_readings(facts, "processes", "code-server-1", "resident_runs", [2.0] * 40)
    assert found(doubts(facts), "replicas_uneven") == []


def worked(alone_s: float, loaded_s: float, *, job: str = "load", count: int = 99) -> CellFacts:
    """Work of these CPU seconds in runs that reported it, in the last step in `count` of them."""
    facts = sound()
    first = facts.steps[0].index
    told = 0
    runs = []
    for run in facts.runs:
        if run.step == first:
            runs.append(replace(run, work_cpu_s=alone_s))
        else:
            told += 1
            runs.append(replace(run, work_cpu_s=loaded_s if told <= count else None, job=job))
    return replace(facts, runs=runs)


@pytest.mark.parametrize(
    ("alone_s", "loaded_s", "severities"),
    [
        (2.0, 2.5, []),
        (2.0, 2.52, ["warning"]),
        (0.01, 0.05, []),  # five times nothing
        (0.1, 0.16, ["warning"]),
        (2.5, 2.0, []),
    ],
)
def test_work_that_takes_more_cpu_under_load_is_told(
    alone_s: float, loaded_s: float, severities: list[str]
) -> None:
    assert found(cell_doubts(worked(alone_s, loaded_s)), "work_inflated") == severities


def test_work_is_compared_job_by_job_and_from_three_runs_on() -> None:
    assert found(cell_doubts(worked(1.0, 3.0, job="load_cpu")), "work_inflated") == []
    assert found(cell_doubts(worked(1.0, 3.0, count=2)), "work_inflated") == []
    assert found(cell_doubts(worked(1.0, 3.0, count=3)), "work_inflated") == ["warning"]


def test_the_evidence_of_inflated_work_names_both_figures() -> None:
    (issue,) = [i for i in cell_doubts(worked(1.0, 1.5)) if i.code == "work_inflated"]
    assert "1.50 CPU-s of work at concurrency 8, 1.00 unloaded (+50%)" in issue.evidence


@pytest.mark.parametrize(
    ("unloaded", "severities"),
    [(None, ["warning"]), ({}, ["warning"]), ({"load": 5.0}, []), (5.0, [])],
)
def test_an_unloaded_response_may_be_one_or_one_a_job(unloaded: Any, severities: list[str]) -> None:
    facts = sound()
    issues = cell_issues(
        facts.cell, [last_summary(facts)], samples=facts.samples, unloaded_s=unloaded
    )
    assert found(issues, "no_unloaded_step") == severities


def test_limits_asked_for_and_not_in_force_are_quoted() -> None:
    real = Limits(cpu_cores=2.0, memory_bytes=2048 * MIB)
    (issue,) = cell_doubts(sound({"effective_limits": real}))
    assert issue.evidence == "CPU: 1 asked for, 2 in force"


def test_the_generators_host_is_not_the_servers() -> None:
    facts = sound()
    for key, value in (("cpu_steal_ratio", 0.9), ("cpu_used_cores", 9.0), ("freq_mhz", 1.0)):
        facts = with_readings(facts, "host", "generator_host", key, [value] * 40)
    issues = [*doubts(facts), *cell_doubts(facts, host_cpus=2)]
    assert not [issue for issue in issues if issue.code.startswith("host_")]
