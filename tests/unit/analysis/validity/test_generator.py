"""Was the load that was planned really offered?"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from factory_validity import (
    cell_doubts,
    doubts,
    found,
    hold_of_last,
    last_summary,
    rebuilt,
    sound,
    with_arrivals,
    with_runs,
    with_step,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.measures.windows import mean_in_flight
from harness.analysis.validity import step_issues
from harness.facts.model import Run
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

OPEN = {"load_model": "uniform", "rate_per_s": 2.0}


def test_nothing_is_doubted_in_a_sound_step() -> None:
    facts = sound()
    assert doubts(facts) == []
    assert cell_doubts(facts, host_cpus=2) == []


@pytest.mark.parametrize(("cores", "severities"), [(0.79, []), (0.8, ["fatal"]), (None, [])])
def test_a_generator_near_its_one_core_is_fatal(cores: float | None, severities: list[str]) -> None:
    facts = sound(step={"generator_cpu_cores": cores})
    assert found(doubts(facts), "generator_busy") == severities


@pytest.mark.parametrize(
    ("lag_s", "exec_s", "severities"),
    [
        (0.2, 4.0, []),  # 4 % of 5.2 s
        (0.3, 4.0, ["warning"]),  # 6 % of 5.3 s
        (0.6, 4.0, ["fatal"]),  # 11 % of 5.6 s
        (0.6, 59.0, []),  # 1 % of a minute
        (1.1, 59.0, ["fatal"]),  # more than a second
    ],
)
def test_lag_is_judged_against_the_response_and_alone(
    lag_s: float, exec_s: float, severities: list[str]
) -> None:
    facts = sound(send_lag_s=lag_s, exec_s=exec_s)
    assert found(doubts(facts), "generator_late") == severities


def test_lag_is_judged_alone_where_no_run_succeeded() -> None:
    facts = sound(send_lag_s=0.9, late_status="FAILURE", late_every=1)
    assert found(doubts(facts), "generator_late") == []


@pytest.mark.parametrize(("dropped", "severities"), [(0, []), (1, ["warning"]), (2, ["fatal"])])
def test_dropped_arrivals_are_told_and_above_one_in_a_hundred_fatal(
    dropped: int, severities: list[str]
) -> None:
    facts = with_step(
        with_arrivals(sound(), [k / 2 for k in range(-19, 80)]), dropped_arrivals=dropped, **OPEN
    )
    assert found(doubts(facts), "arrivals_dropped") == severities


@pytest.mark.parametrize(
    ("model", "rate", "severities"),
    [
        ("uniform", 2.0, []),
        ("uniform", 2.09, []),  # 83.6 planned, 80 sent: within 5 %
        ("uniform", 2.12, ["fatal"]),
        ("uniform", 1.9, ["fatal"]),  # too many is another load too
        ("poisson", 2.9, []),  # 116 ± 43
        ("poisson", 3.2, ["fatal"]),  # 128 ± 45
        ("poisson", 1.2, ["fatal"]),  # 48 ± 28
        ("closed", 9.0, []),
    ],
)
def test_arrivals_match_their_planned_rate(model: str, rate: float, severities: list[str]) -> None:
    facts = with_arrivals(sound(), [k / 2 for k in range(80)])
    facts = with_step(facts, load_model=model, rate_per_s=rate)
    assert found(doubts(facts), "arrival_rate_off") == severities


def test_arrivals_by_chance_are_not_taken_for_a_wrong_rate() -> None:
    facts, rng = sound(), random.Random(7)
    for _ in range(40):
        sent, at_s = [], 0.0
        while (at_s := at_s + rng.expovariate(0.5)) < 40:
            sent.append(at_s)
        chance = with_step(with_arrivals(facts, sent), load_model="poisson", rate_per_s=0.5)
        assert found(_quick(chance), "arrival_rate_off") == []


def test_an_open_step_without_a_planned_rate_is_told() -> None:
    facts = with_step(sound(), load_model="poisson")
    assert found(doubts(facts), "arrival_rate_off") == ["warning"]


def test_runs_in_flight_short_of_the_plan_are_fatal() -> None:
    facts = with_step(sound(), concurrency=9)  # 8 of 9 in flight
    (issue,) = [i for i in doubts(facts) if i.code == "load_not_offered"]
    assert issue.severity == "fatal"
    assert "8.00 of 9" in issue.evidence


def test_a_nine_in_ten_load_is_the_load() -> None:
    facts = with_step(sound(), concurrency=9)
    assert found(doubts(facts, mean_in_flight=8.1), "load_not_offered") == []
    assert found(doubts(facts, mean_in_flight=8.09), "load_not_offered") == ["fatal"]


@pytest.mark.parametrize(
    "changes", [{"load_model": "burst"}, {"outcome": "aborted", "restarts": 1}]
)
def test_only_a_closed_step_that_ran_to_its_end_owes_its_concurrency(
    changes: dict[str, Any],
) -> None:
    facts = with_step(sound(), **changes)
    assert found(doubts(facts, mean_in_flight=2.0), "load_not_offered") == []


def test_the_gap_to_the_next_launch_is_quoted() -> None:
    facts = _closed_loop(users=4, stay_s=5.0, gap_s=2.0)
    (issue,) = [i for i in _quick(facts) if i.code == "load_not_offered"]
    assert issue.severity == "fatal"
    assert "2.0 s from an end to the next" in issue.evidence


def test_a_pause_before_the_window_excuses_nothing_in_it() -> None:
    facts = with_arrivals(SOUND, [-6.0, -6.0, 20.0, 20.0], stay_s=5.0)
    facts = with_runs(facts, lambda number, run: replace(run, user=number % 2))
    (issue,) = [i for i in _quick(with_step(facts, concurrency=2)) if i.code == "load_not_offered"]
    assert "explain 0.03" in issue.evidence, "of 40 s, half a second after each second run"


def test_short_runs_between_polls_are_told_and_not_held_against_the_generator() -> None:
    assert found(_quick(_closed_loop(users=4, stay_s=1.0, gap_s=0.3)), "load_not_offered") == [
        "warning"
    ]


def test_the_pause_after_a_rejection_is_the_servers_answer() -> None:
    def reject(_: int, run: Run) -> Run:
        return replace(run, status="REJECTED", started_s=None, ended_s=run.sent_s + 4, run_id=None)

    facts = with_runs(_closed_loop(users=4, stay_s=4.0, gap_s=1.3), reject)
    assert found(_quick(facts), "load_not_offered") == ["warning"]
    served = _closed_loop(users=4, stay_s=4.0, gap_s=1.3)
    assert found(_quick(served), "load_not_offered") == ["fatal"]


def test_a_server_that_rejects_everything_at_once_is_not_the_generators_fault() -> None:
    def reject(_: int, run: Run) -> Run:
        return replace(run, status="REJECTED", started_s=None, ended_s=run.sent_s, run_id=None)

    facts = with_runs(_closed_loop(users=4, stay_s=0.01, gap_s=1.0), reject)
    assert found(_quick(facts), "load_not_offered") == ["warning"]


@settings(max_examples=60, deadline=None)
@given(
    users=st.integers(1, 12),
    stay_s=st.floats(0.2, 60),
    gap_s=st.floats(0, 0.5),
)
def test_no_loop_with_a_prompt_poll_is_held_against_the_generator(
    users: int, stay_s: float, gap_s: float
) -> None:
    facts = _closed_loop(users=users, stay_s=stay_s, gap_s=gap_s)
    assert "fatal" not in found(_quick(facts), "load_not_offered")


SOUND = sound()
SOUND_SUMMARY = last_summary(SOUND)


def _closed_loop(*, users: int, stay_s: float, gap_s: float) -> CellFacts:
    """Users spread over the ramp; each sends so long after its last end."""
    sent, owners = [], []
    for user in range(users):
        at_s = -10 + 5 * user / users
        while at_s < 40:
            sent.append(at_s)
            owners.append(user)
            at_s += stay_s + gap_s
    facts = with_arrivals(SOUND, sent, stay_s=stay_s)
    return with_runs(
        with_step(facts, concurrency=users), lambda number, run: replace(run, user=owners[number])
    )


def _quick(facts: CellFacts) -> Any:
    """Doubts without reading any sample."""
    hold = hold_of_last(facts)
    own = [run for run in facts.runs if run.step == facts.steps[-1].index]
    summary = replace(
        SOUND_SUMMARY,
        step=facts.steps[-1],
        hold=hold,
        mean_in_flight=mean_in_flight(own, hold),
    )
    bare = rebuilt(facts)
    return step_issues(bare.cell, summary, runs=own, samples=SamplesTable.of())
