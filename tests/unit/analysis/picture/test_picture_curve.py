from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory import Rung, make_facts

from harness.analysis.findings.document import findings_of
from harness.analysis.findings.types import CellFinding, StepFinding
from harness.analysis.picture.curve import curve_of
from harness.analysis.picture.types import ResponseCurve
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import FARGATE

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def finding() -> CellFinding:
    campaign = Campaign(
        name="synthetic",
        profiles=(FARGATE["1vcpu-2gb"],),
        workloads=(Workload(name="io"),),
        search=Search(confidence=0.9),
    )
    rungs = [Rung(concurrency=1, kind="unloaded"), Rung(concurrency=4)]
    return findings_of(campaign, {"host": {"cpus": 2}}, [make_facts(rungs)]).cells[0]


def step(
    finding: CellFinding, concurrency: int, p95_s: float | None, **changes: Any
) -> StepFinding:
    like = finding.steps[-1]
    spread = replace(like.response_s, p95=p95_s)
    return replace(like, concurrency=concurrency, response_s=spread, launch_s=spread, **changes)


def test_repetitions_have_their_median_and_void_steps_do_not_count(finding: CellFinding) -> None:
    steps = (
        step(finding, 7, 40.0),
        step(finding, 4, 10.0, throughput_runs_per_s=0.5),
        step(finding, 4, 90.0, throughput_runs_per_s=0.1),
        step(finding, 4, 12.0, throughput_runs_per_s=None),
        step(finding, 4, 500.0, verdict="invalid"),
        step(finding, 9, 500.0, verdict="invalid"),
    )
    curve = curve_of(replace(finding, steps=steps))
    assert curve.concurrency == (4, 7)
    assert curve.response_p95_s == curve.launch_p95_s == (12.0, 40.0)
    assert curve.throughput_runs_per_s[0] == 0.3


def test_a_p95_beyond_all_bounds_is_not_known(finding: CellFinding) -> None:
    curve = curve_of(replace(finding, steps=(step(finding, 4, 10.0), step(finding, 7, None))))
    assert curve.response_p95_s == (10.0, None)


def test_the_slowdown_objective_is_a_response_time_where_one_job_ran(finding: CellFinding) -> None:
    limit = finding.steps[-1].slo["slowdown_p95"].limit
    one = replace(finding, unloaded_response_s={"load": 4.0})
    assert curve_of(one).response_limit_s == 4.0 * limit
    mix = replace(finding, unloaded_response_s={"load_io": 4.0, "load_cpu": 1.0})
    assert curve_of(mix).response_limit_s is None
    off = tuple(replace(each, slo={}) for each in finding.steps)
    assert curve_of(replace(one, steps=off)).response_limit_s is None


def test_without_findings_there_is_no_curve() -> None:
    assert curve_of(None) == ResponseCurve()
