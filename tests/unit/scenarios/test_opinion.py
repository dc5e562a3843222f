"""What a search thinks of a step, and how sure it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.judging import JudgedStep, judge_cell
from harness.analysis.measures.percentiles import Quantile
from harness.analysis.search.base import Observation
from harness.analysis.slo import Verdict
from harness.facts.store import read_results
from harness.scenarios.opinion import opinion_of

pytestmark = pytest.mark.unit

BASELINE = Path(__file__).resolve().parents[3] / "results/baselines/quick-compose"


@pytest.fixture(scope="module")
def judged() -> JudgedStep:
    return judge_cell(read_results(BASELINE).cells[0]).steps[0]


def seen(concurrency: int, verdict: Verdict, margin: float) -> Observation:
    return Observation(
        concurrency=concurrency, verdict=verdict, margins={"launch_s_p95": margin}, runs=40
    )


def bounds(judged: JudgedStep, *observations: Observation) -> tuple[int | None, int | None]:
    found = opinion_of(judged, observations, confidence=0.9)
    return found.low, found.high


def test_the_probability_is_that_of_the_lower_end(judged: JudgedStep) -> None:
    observations = [seen(1, "pass", -2.0), seen(8, "fail", 0.3), seen(5, "pass", -0.2)]
    found = opinion_of(judged, observations, confidence=0.9)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.high < 8
    assert found.probability is not None
    assert found.probability >= 0.9


def test_without_a_breach_nothing_bounds_it_above(judged: JudgedStep) -> None:
    assert bounds(judged, seen(1, "pass", -2.0))[1] is None


def test_where_not_even_one_holds_none_at_all_surely_does(judged: JudgedStep) -> None:
    found = opinion_of(judged, [seen(1, "fail", 1.0)] * 3, confidence=0.9)
    assert (found.low, found.high, found.probability) == (0, 0, 1.0)


@pytest.mark.parametrize("verdict", ["invalid", "inconclusive"])
def test_a_step_without_a_verdict_says_nothing_of_the_threshold(
    judged: JudgedStep, verdict: Verdict
) -> None:
    found = opinion_of(replace(judged, verdict=verdict), [seen(1, verdict, 0)], confidence=0.9)
    assert (found.verdict, found.low, found.high, found.probability) == (verdict, None, None, None)


def test_a_percentile_that_never_came_is_not_known(judged: JudgedStep) -> None:
    never = Quantile(value=float("inf"), n=3, enough=False)
    times = judged.summary.times
    endless = replace(times, launch_s=replace(times.launch_s, p95=never), slowdown_p95=None)
    summary = replace(judged.summary, times=endless)
    found = opinion_of(replace(judged, summary=summary), [], confidence=0.9)
    assert (found.launch_p95_s, found.slowdown_p95) == (None, None)
    assert found.response_p95_s is not None
