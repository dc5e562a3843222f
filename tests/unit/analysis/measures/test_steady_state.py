"""Warm-ups that are there are cut, noise is not, and what still rises is said to rise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from factory import Rung, make_facts
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.analysis.measures.steady_state import Steady, Warmup, mser5, steady_of
from harness.analysis.measures.watched import BATCH
from harness.facts.model import Phase, Run, RunStatus, Sample, Step
from harness.facts.table import SamplesTable

pytestmark = pytest.mark.unit

Series = NDArray[np.float64]
LEAD_S = 12.0
NOTHING = SamplesTable.of()


def step_of(hold_s: float = 40.0, model: str = "closed") -> Step:
    """The hold begins at 0, after a ramp of 8 s and 4 s to settle."""
    edges = (("ramp", -12.0, -4.0), ("settle", -4.0, 0.0), ("hold", 0.0, hold_s))
    phases = [Phase(name=name, start_s=start_s, end_s=end_s) for name, start_s, end_s in edges]
    phases.append(Phase(name="drain", start_s=hold_s, end_s=hold_s + 60))
    return Step(
        index=1, kind="load", concurrency=4, repetition=1, reason="", phases=tuple(phases),
        outcome="completed", load_model=model,
    )  # fmt: skip


def runs_of(sent: Sequence[float] | Series, took: Sequence[float] | Series) -> list[Run]:
    return [
        Run(
            step=1, user=0, run_id=None, intended_s=float(at_s), sent_s=float(at_s),
            started_s=float(at_s) + 1, ended_s=float(at_s + took_s), status="SUCCESS",
        )
        for at_s, took_s in zip(sent, took, strict=True)
    ]  # fmt: skip


def found(runs: Sequence[Run], *, hold_s: float = 40.0, warmup: Warmup = "auto") -> Steady:
    steady = steady_of(step_of(hold_s), runs=runs, samples=NOTHING, warmup=warmup)
    assert steady is not None
    return steady


def resident(values: Sequence[float] | Series) -> SamplesTable:
    """Run processes alive, one reading a second from the start of the ramp on."""
    return SamplesTable.of(
        Sample(device="processes", source="code-server-1", key="resident_runs",
               due_s=at_s, taken_s=at_s + 0.3, value=float(value))
        for at_s, value in enumerate(values, start=-12)
    )  # fmt: skip


def noise(rng: np.random.Generator, n: int, *, spread: float, share: float = 0.0) -> Series:
    """Around 1; each value keeps a share of the one before."""
    values = rng.normal(0, 1, n + 30)
    for place in range(1, n + 30):
        values[place] = share * values[place - 1] + math.sqrt(1 - share**2) * values[place]
    return np.maximum(0.05, 1 + spread * values[30:])


def brute_force(values: Sequence[float]) -> list[float]:
    """The marginal standard error after cutting 0, 1, … batch means, by its definition."""
    whole = len(values) // BATCH * BATCH
    means = np.array(values[:whole]).reshape(-1, BATCH).mean(axis=1)
    return [float(means[cut:].var()) / (len(means) - cut) for cut in range(len(means) // 2 + 1)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=25, max_size=80))
def test_mser_cuts_where_the_marginal_standard_error_is_smallest(values: list[float]) -> None:
    errors, at = brute_force(values), mser5(np.array(values)) // BATCH
    assert errors[at] <= min(errors) + 1e-9 * max(errors) + 1e-12


def test_mser_cuts_a_step_exactly_where_it_is() -> None:
    assert mser5(np.array([9.0] * 10 + [1.0] * 40)) == 10
    assert mser5(np.array([1.0] * 50)) == 0


def test_mser_never_cuts_more_than_half() -> None:
    assert mser5(np.array([9.0] * 29 + [1.0] * 21)) <= 25
    assert mser5(np.arange(60.0)) == 30


@pytest.mark.parametrize(("spread", "share"), [(0.1, 0.0), (0.3, 0.0), (0.1, 0.5), (0.3, 0.5)])
def test_noise_is_neither_cut_nor_said_to_rise(spread: float, share: float) -> None:
    rng = np.random.default_rng(20260101)
    cut, unsettled = 0, 0
    for _ in range(1000):
        n = int(rng.integers(30, 120))
        sent = np.sort(rng.uniform(-LEAD_S, 40, n))
        steady = found(runs_of(sent, 10 * noise(rng, n, spread=spread, share=share)))
        cut += steady.cut_s > 0
        unsettled += not steady.settled
    assert unsettled <= 20
    assert cut <= 20


@pytest.mark.parametrize(("height", "tau_s"), [(1.0, 20.0), (2.0, 20.0), (-0.7, 20.0)])
def test_an_exponential_approach_is_found(height: float, tau_s: float) -> None:
    rng, hold_s = np.random.default_rng(5), 120.0
    before, after, cuts = [], [], []
    for _ in range(100):
        sent = np.sort(rng.uniform(-LEAD_S, hold_s, 150))
        approach = 1 + height * np.exp(-(sent + LEAD_S) / tau_s)
        took = approach * noise(rng, 150, spread=0.1)
        steady = found(runs_of(sent, took), hold_s=hold_s)
        cuts.append(steady.cut_s)
        before.append(abs(took[sent >= 0].mean() - 1))
        after.append(abs(took[sent >= steady.start_s].mean() - 1))
    assert sum(cut > 0 for cut in cuts) >= 80
    assert np.mean(after) < np.mean(before) / 2, "what remains is nearer to the truth"


def test_a_warm_up_that_is_over_before_the_hold_costs_nothing() -> None:
    rng = np.random.default_rng(6)
    sent = np.sort(rng.uniform(-LEAD_S, 40, 60))
    took = 10 * (1 + 3 * np.exp(-(sent + LEAD_S) / 2)) * noise(rng, 60, spread=0.05)
    steady = found(runs_of(sent, took))
    assert (steady.cut_s, steady.method) == (0.0, "mser5_response")
    assert steady.reason.startswith("no warm-up found: MSER-5 over 60 runs")


def test_a_cut_before_the_hold_is_none() -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, np.where(sent < -6, 30.0, 10.0)))
    assert steady.reason == "no warm-up found: MSER-5 over 52 runs of response times keeps all"


def test_half_of_the_hold_is_kept_also_where_most_runs_come_late() -> None:
    sent = np.concatenate([np.arange(-12, 20, 2.0), np.arange(20, 40, 0.25)])
    steady = found(runs_of(sent, np.where(sent < 20.6, 30.0, 10.0)))
    assert steady.cut_s == 20.0
    assert "the most there may be" in steady.reason


def test_what_was_cut_does_not_count_as_a_rise() -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, np.where(sent < 8, 10.0, 20.0)))
    assert (steady.cut_s, steady.settled) == (8.0, True)


def test_a_cut_is_told_with_its_seconds_and_what_it_rests_on() -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, np.where(sent < 8, 20.0, 10.0) + 0.1 * np.sin(sent)))
    assert steady.cut_s == pytest.approx(8.0)
    assert (steady.start_s, steady.end_s, steady.planned_s) == (8.0, 40.0, 40.0)
    assert steady.window == Phase(name="hold", start_s=8.0, end_s=40.0)
    assert steady.settled
    assert steady.n == 52
    assert steady.reason.startswith("cut 8.0 s: MSER-5 over 52 runs")
    assert "100% above" in steady.reason


def test_what_differs_by_too_little_to_matter_is_not_cut() -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, np.where(sent < 8, 10.8, 10.0) + 0.01 * np.sin(sent)))
    assert steady.cut_s == 0
    assert "noise" in steady.reason


@settings(max_examples=200, deadline=None)
@given(
    took=st.lists(st.floats(0.1, 100), min_size=0, max_size=70),
    hold_s=st.floats(1, 60),
)
def test_the_window_keeps_half_of_the_hold_and_never_begins_before_it(
    took: list[float], hold_s: float
) -> None:
    sent = np.linspace(-LEAD_S, hold_s, len(took), endpoint=False)
    steady = found(runs_of(sent, took), hold_s=hold_s)
    assert 0 <= steady.start_s <= hold_s / 2
    assert steady.end_s == hold_s
    assert steady.cut_s == pytest.approx(steady.start_s)
    assert steady.planned_s == hold_s


def test_response_times_that_rise_are_never_settled() -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, 10 + 0.3 * (sent + 12) + np.sin(7 * sent)))
    assert not steady.settled
    assert (steady.start_s, steady.end_s) == (0.0, 40.0)
    assert steady.reason.startswith("never settled: response times rose by ")
    assert "99% interval" in steady.reason


def test_a_rise_too_small_to_matter_is_settled() -> None:
    sent = np.arange(-12, 40.0)
    assert found(runs_of(sent, 10 + 0.05 * (sent + 12))).settled


def test_response_times_that_fall_are_judged_at_their_worst_and_not_doubted() -> None:
    sent = np.arange(-12, 40.0)
    assert found(runs_of(sent, 30 - 0.4 * (sent + 12))).settled


def test_runs_that_never_ended_count_with_the_time_they_were_waited_for() -> None:
    sent = np.arange(-12, 40.0)
    runs = [
        replace(run, status="LOST", ended_s=None) if run.sent_s >= 24 and n % 2 else run
        for n, run in enumerate(runs_of(sent, 10 + 0.0 * sent))
    ]
    ended = [run for run in runs if run.status == "SUCCESS"]
    waited = [
        replace(run, ended_s=100.0, status="SUCCESS") if run.ended_s is None else run
        for run in runs
    ]
    assert found(runs) == found(waited)
    assert (found(runs).n, found(ended).n) == (52, 44)


@pytest.mark.parametrize("status", ["FAILURE", "CANCELED", "REJECTED"])
def test_a_quick_failure_is_no_quick_answer(status: RunStatus) -> None:
    sent = np.arange(-12, 40.0)
    runs = runs_of(sent, 10 + 0.01 * np.sin(sent))
    failing = [
        replace(run, status=status, ended_s=run.sent_s + 0.1) if run.sent_s < 10 and n % 3 else run
        for n, run in enumerate(runs)
    ]
    assert found(failing).cut_s == 0


def test_jobs_that_differ_are_no_warm_up() -> None:
    sent = np.arange(-12, 40.0)
    quick = sent < 10
    runs = [
        replace(run, job="quick" if fast else "slow")
        for run, fast in zip(runs_of(sent, np.where(quick, 2.0, 20.0)), quick, strict=True)
    ]
    steady = found(runs)
    assert (steady.cut_s, steady.settled) == (0.0, True)


def test_with_few_runs_the_runs_in_flight_and_resident_are_watched() -> None:
    levels = [0.0] * 12 + [2.0] * 10 + [8.0] * 30
    steady = steady_of(step_of(), runs=runs_of([-12.0], [500.0]), samples=resident(levels))
    assert steady is not None
    assert (steady.method, steady.n) == ("mser5_in_flight", 50)
    assert steady.cut_s == pytest.approx(10.0)
    assert "runs in flight" in steady.reason


def test_without_readings_of_processes_the_runs_in_flight_alone_are_watched() -> None:
    runs = runs_of(np.arange(-10, 30, 2.0), [500.0] * 20)
    steady = found(runs)
    assert (steady.method, steady.settled) == ("mser5_in_flight", False)
    assert "runs in flight rose" in steady.reason


def test_a_closed_loop_is_settled_from_the_start() -> None:
    for concurrency in (1, 2, 4, 8):
        facts = make_facts([Rung(concurrency=concurrency)])
        steady = steady_of(facts.steps[0], runs=facts.runs, samples=facts.samples)
        assert steady is not None
        assert (steady.cut_s, steady.settled) == (0.0, True)


def test_too_little_to_look_at_leaves_the_planned_hold() -> None:
    steady = found(runs_of([0.0], [5.0]), hold_s=8.0)
    assert (steady.start_s, steady.end_s, steady.settled) == (0.0, 8.0, True)
    assert (steady.method, steady.n) == ("planned", 18)
    assert steady.reason == "too few bins (18): the planned hold is taken"


def test_a_burst_is_judged_whole() -> None:
    runs = runs_of([0.0] * 60, np.linspace(5, 39, 60))
    steady = steady_of(step_of(model="burst"), runs=runs, samples=NOTHING)
    assert steady is not None
    assert (steady.method, steady.cut_s, steady.settled) == ("transient", 0.0, True)
    assert steady.window == step_of().phase("hold")


@pytest.mark.parametrize(("warmup", "cut_s"), [(None, 0.0), (0.0, 0.0), (5.0, 5.0)])
def test_what_to_cut_can_be_said(warmup: Warmup, cut_s: float) -> None:
    sent = np.arange(-12, 40.0)
    steady = found(runs_of(sent, 10 + 0.5 * (sent + 12)), warmup=warmup)
    assert (steady.cut_s, steady.start_s, steady.method) == (cut_s, cut_s, "fixed")
    assert steady.settled, "who says what to cut is not doubted"


def test_a_hold_that_is_cut_away_altogether_is_not_settled() -> None:
    steady = found(runs_of([0.0], [5.0]), warmup=40.0)
    assert (steady.start_s, steady.end_s, steady.settled) == (0.0, 40.0, False)
    assert "nothing left" in steady.reason


def test_a_step_that_never_held_has_no_window() -> None:
    broken_off = replace(step_of(), phases=step_of().phases[:1])
    assert steady_of(broken_off, runs=[], samples=NOTHING) is None
