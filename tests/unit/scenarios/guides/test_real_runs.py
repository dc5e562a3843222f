"""What every scenario saw in real runs decides the claims it is there for, each time alike.

This holds predicates and figures together: a figure that was renamed, or that a real run does not
show, is found here.
"""

from __future__ import annotations

import pytest
from kept_observations import TRIALS, is_kept, kept, unknown_to_claims

from harness.analysis.guides.verdicts import judge, verdict_on
from harness.scenarios.guides.registry import all_claims, all_scenarios
from harness.scenarios.guides.scenario import Scenario

pytestmark = pytest.mark.unit

WITH_CLAIMS = {claim.scenario for claim in all_claims()}
SCENARIOS = [scenario for scenario in all_scenarios() if scenario.name in WITH_CLAIMS]
RUNS = [
    pytest.param(scenario, trial, id=f"{scenario.name}-{trial}")
    for trial in TRIALS
    for scenario in SCENARIOS
    if is_kept(scenario.name, trial)
]
TWICE = [each for each in SCENARIOS if all(is_kept(each.name, trial) for trial in TRIALS)]


@pytest.mark.parametrize(("scenario", "trial"), RUNS)
def test_a_real_run_knows_every_figure_a_claim_names(scenario: Scenario, trial: str) -> None:
    found = scenario.figures(kept(scenario.name, trial))
    assert unknown_to_claims(scenario.name, found) == set()


@pytest.mark.parametrize(("scenario", "trial"), RUNS)
def test_a_real_run_decides_every_claim(scenario: Scenario, trial: str) -> None:
    found = scenario.figures(kept(scenario.name, trial))
    for claim in all_claims():
        if claim.scenario == scenario.name:
            assert verdict_on(claim, found).decided, claim.id


@pytest.mark.parametrize("scenario", TWICE, ids=lambda scenario: scenario.name)
def test_a_second_run_comes_to_the_same_verdicts(scenario: Scenario) -> None:
    claims = [claim for claim in all_claims() if claim.scenario == scenario.name]
    first, second = (
        judge(claims, {scenario.name: scenario.figures(kept(scenario.name, trial))})
        for trial in TRIALS
    )
    assert [each.state for each in first] == [each.state for each in second]
