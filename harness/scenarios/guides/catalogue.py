"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import code_locations, monolith, process_model
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    code_locations.SCENARIO,
    monolith.SCENARIO,
)
