"""What every scenario saw in a real run decides the claims it is there for.

This holds predicates and figures together: a figure that was renamed, or that a real run does not
show, is found here.
"""

from __future__ import annotations

import pytest
from kept_observations import kept, unknown_to_claims

from harness.analysis.guides.verdicts import verdict_on
from harness.scenarios.guides import cpu_scaling_figures, launch_rate_figures
from harness.scenarios.guides.registry import all_claims, all_scenarios
from harness.scenarios.guides.scenario import Scenario

pytestmark = pytest.mark.unit

DISTURBED = {cpu_scaling_figures.CROWDED, launch_rate_figures.CROWDED}
WITH_CLAIMS = {claim.scenario for claim in all_claims()}
SCENARIOS = [scenario for scenario in all_scenarios() if scenario.name in WITH_CLAIMS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_real_run_knows_every_figure_that_nobody_disturbed(scenario: Scenario) -> None:
    found = scenario.figures(kept(scenario.name))
    unknown = unknown_to_claims(scenario.name, found)
    assert {found[name].why for name in unknown} <= DISTURBED


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_real_run_decides_every_claim_whose_figures_it_knows(scenario: Scenario) -> None:
    found = scenario.figures(kept(scenario.name))
    unknown = unknown_to_claims(scenario.name, found)
    for claim in all_claims():
        if claim.scenario == scenario.name:
            verdict = verdict_on(claim, found)
            names = {each.name for each in verdict.evidence}
            assert verdict.decided or names & unknown, claim.id
