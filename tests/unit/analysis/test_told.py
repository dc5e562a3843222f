"""A deployment whose servers speak for themselves: few readings must not make sharp figures."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from factory import MIB, START_S, Rung, make_facts

from harness.analysis.judging import judge_cell
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.resources import resources_of
from harness.analysis.picture.canvas import Canvas
from harness.analysis.picture.series import cpu_of, memory_of
from harness.analysis.slo import SloResult
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

BLIND = {"pool": "from outside", "processes": "from outside", "run_queue": "from outside"}
LOAD = (Rung(concurrency=1, kind="unloaded"), Rung(concurrency=4, cpu_cores=0.6))


def told(
    every_s: float, *rungs: Rung, off_s: float = 0.0, unavailable: dict[str, str] | None = None
) -> CellFacts:
    """What a deployment's server told every so many seconds, of steps that held for 40 s."""
    facts = make_facts(
        [replace(each, step={"peak_source": "told"}) for each in rungs or LOAD],
        target="external", detail={"unavailable": {**BLIND, **(unavailable or {})}},
    )  # fmt: skip
    frame = facts.samples.frame
    if unavailable:
        kept = pl.lit(value=False)
    else:
        beat = ((pl.col("taken_s") - START_S - off_s) / every_s).floor()
        kept = pl.col("key").is_in(["usage_bytes", "cpu_s"]) & (
            beat != beat.shift(1).over("source", "key")
        )
    cgroup = frame.filter(pl.col("device") == "cgroup").sort("taken_s").filter(kept)
    others = frame.filter(pl.col("device").is_in(["probe", "host"]))
    return replace(facts, samples=SamplesTable(pl.concat([others, cgroup]).sort("taken_s")))


def last(facts: CellFacts) -> StepSummary:
    return judge_cell(facts).steps[-1].summary


def judged(facts: CellFacts, name: str) -> SloResult:
    return next(slo for slo in judge_cell(facts).steps[-1].slos if slo.name == name)


@pytest.mark.parametrize("off_s", [0.3, 1.7, 3.1, 4.6])
def test_a_word_every_five_seconds_gives_cpu_and_memory_of_a_step(off_s: float) -> None:
    server = last(told(5.0, off_s=off_s)).server
    assert server.cpu_cores == pytest.approx(0.6, rel=0.05)
    assert server.cpu_ratio == pytest.approx(0.6, rel=0.05)
    assert server.memory_peak_bytes is not None
    assert server.peak_source == "told"


def test_two_words_in_a_step_are_no_figure() -> None:
    server = last(told(35.0)).server
    assert (server.cpu_cores, server.cpu_ratio, server.cpu_s_per_run) == (None, None, None)
    assert (server.memory_peak_bytes, server.memory_peak_ratio) == (None, None)


def test_words_that_leave_much_of_the_window_out_are_no_figure() -> None:
    facts = told(5.0)
    hold = last(facts).hold
    assert hold is not None
    late = pl.col("taken_s") < hold.start_s + 20
    table = SamplesTable(facts.samples.frame.filter((pl.col("device") != "cgroup") | late))
    assert last(replace(facts, samples=table)).server.cpu_cores is None


def test_what_idling_costs_is_not_made_of_one_or_two_words() -> None:
    facts = told(5.0)
    summaries = [step.summary for step in judge_cell(facts).steps]
    found = resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)
    assert found.idle_cpu_cores is None


def test_what_nobody_outside_sees_is_undecided_with_the_reason() -> None:
    facts = told(5.0)
    for name in ("pool_queue", "no_oom"):
        assert judged(facts, name).ok is None
    assert "from outside" in judged(facts, "pool_queue").note
    assert judged(facts, "backlog_trend").ok is True, "runs in flight are seen from outside"


def test_a_told_peak_holds_or_breaks_the_memory_objective_and_says_whose_it_is() -> None:
    held = judged(told(5.0), "memory_headroom")
    assert (held.ok, "told" in held.note) == (True, True)
    full = told(5.0, Rung(concurrency=4, peak_mib=1900.0))
    assert judged(full, "memory_headroom").ok is False


def test_memory_told_too_seldom_is_undecided() -> None:
    found = judged(told(35.0), "memory_headroom")
    assert (found.ok, found.observed) == (None, None)
    assert "too seldom" in found.note


def test_a_server_that_tells_nothing_is_undecided_with_its_reason() -> None:
    facts = told(5.0, unavailable={"cgroup": "metrics are off"})
    bare = replace(facts.steps[-1], kernel_peak_bytes=None, peak_source="")
    facts = replace(facts, steps=[*facts.steps[:-1], bare])
    found = judged(facts, "memory_headroom")
    assert (found.ok, "metrics are off" in found.note) == (None, True)
    codes = {issue.code for step in judge_cell(facts).steps for issue in step.issues}
    assert "samples_missing" not in codes


def test_limits_that_nobody_told_leave_memory_undecided_with_the_reason() -> None:
    facts = told(5.0)
    unknown = replace(facts.cell, limits_enforced=False, effective_limits=None)
    note = judged(replace(facts, cell=unknown), "memory_headroom").note
    assert note == "the limits of the server are not known"
    silent = replace(unknown, detail={"unavailable": {"cgroup": "metrics are off"}})
    assert judged(replace(facts, cell=silent), "memory_headroom").note == "metrics are off"


def test_as_many_words_as_were_asked_for_are_no_missing_samples() -> None:
    codes = {issue.code for step in judge_cell(told(5.0)).steps for issue in step.issues}
    assert "samples_missing" not in codes


def test_charts_say_that_cpu_is_a_mean_between_looks_and_why_nothing_is_drawn() -> None:
    facts = told(5.0)
    canvas = Canvas(samples=facts.samples, origin_s=START_S, points=100)
    (line,) = cpu_of(facts, canvas).lines
    assert "from one look to the next" in line.name
    assert memory_of(facts, canvas).limit == pytest.approx(2048 * MIB / MIB)
    silent = told(5.0, unavailable={"cgroup": "metrics are off"})
    blank = Canvas(samples=silent.samples, origin_s=START_S, points=100)
    assert "metrics are off" in memory_of(silent, blank).missing
