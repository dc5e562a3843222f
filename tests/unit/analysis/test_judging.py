"""From facts to verdicts: options, windows, margins, and the live search's eye."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from factory import ALL_SLOS, Rung, make_facts

from harness.analysis.judging import JudgedStep, Judging, judge_cell, judge_step
from harness.analysis.slo import SLO_ORDER, SloResult
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

Make = Callable[..., CellFacts]
UNLOADED = Rung(concurrency=1, kind="unloaded")


def last(facts: CellFacts, options: Judging | None = None) -> JudgedStep:
    return judge_cell(facts, options=options or Judging()).steps[-1]


def names(step: JudgedStep) -> set[str]:
    return {slo.name for slo in step.slos}


def with_margins(step: JudgedStep, verdict: Any, **margins: tuple[bool | None, Any]) -> JudgedStep:
    slos = tuple(
        SloResult(name=name, observed=None, limit=1, ok=ok, n=1, margin=margin)
        for name, (ok, margin) in margins.items()
    )
    return replace(step, slos=slos, verdict=verdict)


def test_without_options_a_cell_is_judged_by_its_own_objectives(healthy: CellFacts) -> None:
    for step in judge_cell(healthy).steps:
        assert names(step) == set(ALL_SLOS)
        assert step.verdict == "pass"


def test_a_single_objective_can_be_replaced(with_last: Make) -> None:
    facts = with_last(launch_s=12.0, exec_s=3.0)
    wide = Judging(slos={"launch_s_p95": 20.0, "slowdown_p95": 9.0})
    assert last(facts).verdict == "fail"
    assert last(facts, wide).verdict == "pass"
    limits = {slo.name: slo.limit for slo in last(facts, wide).slos}
    assert limits == {**ALL_SLOS, "launch_s_p95": 20.0, "slowdown_p95": 9.0}


def test_a_single_objective_can_be_switched_off(with_last: Make) -> None:
    facts = with_last(pool_queue=3.0)
    off = last(facts, Judging(slos={"pool_queue": None}))
    assert (last(facts).verdict, off.verdict) == ("fail", "pass")
    assert names(off) == set(SLO_ORDER) - {"pool_queue"}


def test_an_objective_the_cell_was_measured_without_can_be_judged(with_last: Make) -> None:
    facts = with_last({"slos": {"no_oom": 0.0}}, pool_queue=3.0)
    assert last(facts).verdict == "pass"
    assert last(facts, Judging(slos={"pool_queue": 0.0})).broken == ("pool_queue",)


@pytest.mark.parametrize("warmup", [-1.0, math.nan, math.inf, "never"])
def test_a_cut_must_be_a_length_of_time(warmup: Any) -> None:
    with pytest.raises(ValueError, match="warmup"):
        Judging(warmup=warmup)


def test_what_is_cut_is_in_the_facts_but_does_not_count() -> None:
    facts = make_facts([UNLOADED, Rung(concurrency=4)])
    hold = facts.steps[-1].phase("hold")
    assert hold is not None
    runs = [
        replace(run, status="FAILURE")
        if run.step == 2 and run.ended_s is not None and run.ended_s < hold.start_s + 15
        else run
        for run in facts.runs
    ]
    facts = replace(facts, runs=runs)
    assert last(facts, Judging(warmup=None)).verdict == "fail"
    cut = last(facts, Judging(warmup=16.0))
    assert cut.verdict == "pass"
    assert cut.summary.counts.failed == 0
    assert cut.summary.hold is not None
    assert cut.summary.hold.start_s == hold.start_s + 16.0
    assert cut.summary.hold.end_s == hold.end_s


def test_the_cut_applies_to_the_unloaded_step_too() -> None:
    facts = make_facts([UNLOADED, Rung(concurrency=4)])
    first = facts.steps[0].phase("hold")
    assert first is not None
    runs = [
        replace(run, intended_s=run.intended_s - 50)
        if run.step == 1 and run.sent_s < first.start_s + 20
        else run
        for run in facts.runs
    ]
    facts = replace(facts, runs=runs)
    whole = judge_cell(facts, options=Judging(warmup=None))
    cut = judge_cell(facts, options=Judging(warmup=27.0))
    assert whole.unloaded_s["load"] > 50
    assert cut.unloaded_s == {"load": pytest.approx(5.0)}


def test_a_step_that_never_settles_is_inconclusive_unless_it_broke_something() -> None:
    rung = Rung(concurrency=8, slower_per_s=0.25)
    loose = {"no_oom": 0.0, "slowdown_p95": 99.0}
    rising = make_facts([UNLOADED, rung], slos=loose)
    step = last(rising)
    assert step.summary.steady is not None
    assert not step.summary.steady.settled
    assert "rose" in step.summary.steady.reason
    assert step.verdict == "inconclusive"
    tight = Judging(slos={"slowdown_p95": 2.0})
    assert last(rising, tight).verdict == "fail"
    assert last(rising, Judging(warmup=None)).verdict == "pass", "who asks for no cut gets none"


def test_a_burst_is_not_doubted_for_being_one() -> None:
    rung = Rung(concurrency=30, step={"load_model": "burst"})
    step = last(make_facts([UNLOADED, rung], slos={"no_oom": 0.0}))
    assert step.summary.steady is not None
    assert step.summary.steady.method == "transient"
    assert step.summary.counts.completed == 30


def test_a_mix_is_judged_job_by_job() -> None:
    alone = Rung(concurrency=1, kind="unloaded", exec_s={"quick": 1.0, "slow": 9.0})
    loaded = Rung(concurrency=4, exec_s={"quick": 3.5, "slow": 9.5})
    facts = make_facts([alone, loaded])
    slowdown = next(slo for slo in last(facts).slos if slo.name == "slowdown_p95")
    assert slowdown.observed == pytest.approx(4.5 / 2.0), "not against the mean of the mix"
    assert judge_cell(facts).unloaded_s == {
        "quick": pytest.approx(2.0),
        "slow": pytest.approx(10.0),
    }


@pytest.mark.parametrize("options", [Judging(), Judging(slos={"pool_queue": None}, warmup=5.0)])
def test_the_live_search_and_the_stored_judgement_agree(options: Judging, with_last: Make) -> None:
    facts = with_last(pool_queue=2.0)
    for step in judge_cell(facts, options=options).steps:
        index = step.summary.step.index
        assert judge_step(facts, index, options=options) == step


def test_the_live_search_knows_of_no_later_step() -> None:
    facts = make_facts([UNLOADED, Rung(concurrency=4), Rung(concurrency=8, pool_queue=9.0)])
    sofar = replace(facts, steps=facts.steps[:2], runs=[run for run in facts.runs if run.step <= 2])
    assert judge_step(facts, 2) == judge_step(sofar, 2)


def test_a_warm_up_has_no_verdict_and_an_unknown_step_is_an_error() -> None:
    facts = make_facts([Rung(concurrency=1, kind="warmup"), UNLOADED])
    assert judge_step(facts, 1) is None
    with pytest.raises(ValueError, match="no step 9"):
        judge_step(facts, 9)
