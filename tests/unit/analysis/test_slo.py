from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from factory import ALL_DEVICES, Rung, make_facts

from harness.analysis.judging import judge_cell
from harness.analysis.measures.trend import backlog_trend
from harness.analysis.slo import SLO_ORDER, SloResult, verdict_of
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

Make = Callable[..., CellFacts]


def judged(facts: CellFacts, name: str) -> SloResult:
    return next(slo for slo in judge_cell(facts).steps[-1].slos if slo.name == name)


def test_a_healthy_step_holds_every_objective(healthy: CellFacts) -> None:
    for step in judge_cell(healthy).steps:
        assert {slo.name: slo.ok for slo in step.slos} == dict.fromkeys(SLO_ORDER, True)
        assert step.verdict == "pass"


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("no_oom", {"step": {"oom_kills": 1}}),
        ("no_oom", {"step": {"restarts": 1}}),
        ("failed_runs", {"late_status": "FAILURE"}),
        ("failed_runs", {"late_status": "REJECTED"}),
        ("failed_runs", {"late_status": "LOST"}),
        ("memory_headroom", {"peak_mib": 1900.0}),
        ("launch_s_p95", {"launch_s": 10.5}),
        ("slowdown_p95", {"exec_s": 9.5}),
        ("probe_s_p99", {"probe_s": 5.5}),
        ("probe_s_p99", {"probes_lost": 1}),
        ("pool_queue", {"pool_queue": 1.0}),
        ("backlog_trend", {"pool_growth_per_s": 0.1}),
    ],
)
def test_each_objective_breaks_on_its_own_cause(
    name: str, truth: dict[str, Any], with_last: Make
) -> None:
    facts = with_last(**truth)
    result = judged(facts, name)
    assert result.ok is False
    assert judge_cell(facts).steps[-1].verdict == "fail"
    assert [step.verdict for step in judge_cell(facts).steps[:-1]] == ["pass", "pass"]


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("memory_headroom", {"peak_mib": 2048 * 0.9}),
        ("slowdown_p95", {"exec_s": 8.99}),
        ("probe_s_p99", {"probe_s": 5.0}),
    ],
)
def test_a_value_on_the_limit_still_holds(
    name: str, truth: dict[str, Any], with_last: Make
) -> None:
    assert judged(with_last(**truth), name).ok is True


@pytest.mark.parametrize(
    ("name", "device"),
    [("probe_s_p99", "probe"), ("pool_queue", "pool"), ("backlog_trend", "pool")],
)
def test_no_data_from_a_device_in_use_is_a_failure(name: str, device: str, with_last: Make) -> None:
    result = judged(with_last(silent=(device,)), name)
    assert result.ok is False
    assert result.note == "no data"
    assert result.observed is None


@pytest.mark.parametrize(("name", "device"), [("probe_s_p99", "probe"), ("pool_queue", "pool")])
def test_a_device_that_was_not_used_leaves_its_objective_undecided(
    name: str, device: str, with_last: Make
) -> None:
    devices = tuple(other for other in ALL_DEVICES if other != device)
    facts = with_last({"devices": devices}, silent=(device,))
    result = judged(facts, name)
    assert result.ok is None
    assert device in result.note
    assert judge_cell(facts).steps[-1].verdict == "inconclusive"


def test_no_run_at_all_is_a_failure_and_not_a_pass(with_last: Make) -> None:
    facts = with_last()
    last = facts.steps[-1].index
    facts = replace(facts, runs=[run for run in facts.runs if run.step != last])
    for name in ("failed_runs", "launch_s_p95", "slowdown_p95"):
        assert judged(facts, name).ok is False
        assert "no data" in judged(facts, name).note


def test_runs_that_never_end_break_the_slowdown_without_a_number(with_last: Make) -> None:
    result = judged(with_last(late_status="UNFINISHED", late_every=2), "slowdown_p95")
    assert result.ok is False
    assert result.observed is None
    assert "never succeeded" in result.note


def test_without_enforced_limits_memory_is_undecided_unless_it_broke(with_last: Make) -> None:
    unenforced = {"limits_enforced": False, "effective_limits": None}
    facts = with_last(unenforced)
    assert judged(facts, "memory_headroom").ok is None
    assert judged(facts, "no_oom").ok is None
    assert judge_cell(facts).steps[-1].verdict == "inconclusive"
    assert judged(with_last(unenforced, step={"oom_kills": 1}), "no_oom").ok is False


def test_without_an_unloaded_step_the_slowdown_is_undecided() -> None:
    result = judged(make_facts([Rung(concurrency=4)]), "slowdown_p95")
    assert result.ok is None
    assert "unloaded" in result.note


def test_too_few_values_are_said_to_be_few(with_last: Make) -> None:
    assert "largest of" in judged(with_last(), "probe_s_p99").note
    assert "largest of" not in judged(with_last(), "launch_s_p95").note


def test_an_objective_that_is_switched_off_is_not_judged(with_last: Make) -> None:
    facts = with_last({"slos": {"no_oom": 0.0}}, pool_queue=9.0)
    last = judge_cell(facts).steps[-1]
    assert [slo.name for slo in last.slos] == ["no_oom"]
    assert last.verdict == "pass"


def test_an_unknown_objective_is_undecided(with_last: Make) -> None:
    assert judged(with_last({"slos": {"shiny": 1.0}}), "shiny").ok is None


def test_a_step_without_objectives_proves_nothing() -> None:
    assert verdict_of([], fatal=False) == "inconclusive"


def test_a_fatal_doubt_beats_every_objective() -> None:
    broken = SloResult(name="no_oom", observed=1, limit=0, ok=False, n=1)
    assert verdict_of([broken], fatal=True) == "invalid"
    assert verdict_of([broken], fatal=False) == "fail"


def test_the_hardest_limit_is_named_first(with_last: Make) -> None:
    facts = with_last(step={"oom_kills": 1}, launch_s=20.0, peak_mib=2048.0)
    assert judge_cell(facts).steps[-1].broken[:3] == ("no_oom", "memory_headroom", "launch_s_p95")


def test_a_slope_too_small_to_matter_over_the_hold_is_no_trend(with_last: Make) -> None:
    assert judged(with_last(pool_growth_per_s=0.02), "backlog_trend").ok is True
    assert judged(with_last(pool_growth_per_s=0.05), "backlog_trend").ok is False


def test_a_slope_that_noise_explains_is_no_trend(with_last: Make) -> None:
    facts = with_last(pool_queue=50.0)
    hold = facts.steps[-1].phase("hold")
    assert hold is not None
    frame = facts.samples.frame
    noise = np.random.default_rng(4).normal(0, 15, frame.height)
    drift = 0.15 * (frame["taken_s"].to_numpy() - hold.start_s)
    queue = (frame["key"] == "pool_queue").to_numpy()
    values = np.where(queue, 50.0 + noise + drift, frame["value"].to_numpy())
    facts = replace(facts, samples=SamplesTable(frame.with_columns(value=pl.Series(values))))
    trend = backlog_trend(
        [run for run in facts.runs if run.step == facts.steps[-1].index], facts.samples, hold=hold
    )
    assert trend is not None
    assert trend.slope_per_s * (hold.end_s - hold.start_s) > 1, "large enough to matter"
    assert trend.low_per_s < 0 < trend.high_per_s
    assert judged(facts, "backlog_trend").ok is True


def test_a_hold_too_short_for_a_trend_leaves_it_undecided(with_last: Make) -> None:
    result = judged(with_last(hold_s=4.0), "backlog_trend")
    assert result.ok is None
    assert "shorter" in result.note


def test_a_backlog_is_judged_by_runs_alone_where_the_pool_was_not_watched(
    with_last: Make,
) -> None:
    devices = tuple(device for device in ALL_DEVICES if device != "pool")
    result = judged(with_last({"devices": devices}, silent=("pool",)), "backlog_trend")
    assert result.ok is True
    assert "in-flight runs only" in result.note


def test_a_step_that_never_settled_proves_no_pass_but_its_breaches_are_breaches() -> None:
    held = SloResult(name="no_oom", observed=0, limit=0, ok=True, n=1)
    assert verdict_of([held], fatal=False, settled=True) == "pass"
    assert verdict_of([held], fatal=False, settled=False) == "inconclusive"
    assert verdict_of([replace(held, ok=False)], fatal=False, settled=False) == "fail"
    assert verdict_of([held], fatal=True, settled=False) == "invalid"


@pytest.mark.parametrize(
    ("name", "truth", "ratio"),
    [
        ("memory_headroom", {"peak_mib": 1024.0}, 0.5 / 0.9),
        ("memory_headroom", {"peak_mib": 2048.0}, 1.0 / 0.9),
        ("launch_s_p95", {"launch_s": 2.5}, 0.25),
        ("launch_s_p95", {"launch_s": 20.0}, 2.0),
        ("slowdown_p95", {"exec_s": 6.5}, 0.75),
        ("probe_s_p99", {"probe_s": 0.5}, 0.1),
    ],
)
def test_a_margin_is_the_logarithm_of_observed_over_limit(
    name: str, truth: dict[str, Any], ratio: float, with_last: Make
) -> None:
    result = judged(with_last(**truth), name)
    assert result.margin == pytest.approx(math.log(ratio))
    assert result.ok is (result.margin <= 0)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("launch_s_p95", {"late_status": "LOST"}),
        ("slowdown_p95", {"late_status": "UNFINISHED"}),
        ("probe_s_p99", {"probes_lost": 1}),
        ("memory_headroom", {"peak_mib": 2048.0, "step": {"oom_kills": 1}}),
    ],
)
def test_what_broke_beyond_all_bounds_has_an_infinite_margin(
    name: str, truth: dict[str, Any], with_last: Make
) -> None:
    result = judged(with_last(**truth), name)
    assert result.ok is False
    assert result.margin == math.inf


def test_an_oom_kill_elsewhere_does_not_make_a_held_headroom_infinite(with_last: Make) -> None:
    result = judged(with_last(peak_mib=1024.0, step={"oom_kills": 1}), "memory_headroom")
    assert result.ok is True
    assert result.margin == pytest.approx(math.log(0.5 / 0.9))


def test_objectives_that_only_hold_or_break_have_no_margin(with_last: Make) -> None:
    slos = judge_cell(with_last(pool_queue=3.0)).steps[-1].slos
    bare = {"no_oom", "failed_runs", "pool_queue", "backlog_trend"}
    assert {slo.name for slo in slos if slo.margin is None} == bare


@pytest.mark.parametrize(
    ("name", "cell", "truth"),
    [
        ("probe_s_p99", {}, {"silent": ("probe",)}),
        ("memory_headroom", {"limits_enforced": False, "effective_limits": None}, {}),
        ("probe_s_p99", {"devices": ()}, {"silent": ("probe",)}),
    ],
)
def test_where_nothing_is_known_there_is_no_margin(
    name: str, cell: dict[str, Any], truth: dict[str, Any], with_last: Make
) -> None:
    assert judged(with_last(cell, **truth), name).margin is None


def test_an_answer_in_no_time_has_a_margin_too(with_last: Make) -> None:
    margin = judged(with_last(probe_s=0.0), "probe_s_p99").margin
    assert margin is not None
    assert math.isfinite(margin)
    assert margin < -10


def test_the_slowdown_names_the_job_that_was_never_alone() -> None:
    alone = Rung(concurrency=1, kind="unloaded", exec_s={"quick": 1.0})
    facts = make_facts([alone, Rung(concurrency=4, exec_s={"quick": 1.0, "slow": 9.0})])
    result = judged(facts, "slowdown_p95")
    assert result.ok is None
    assert result.note == "no unloaded response time of slow"
