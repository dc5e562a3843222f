"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import (
    code_locations,
    configuration,
    monolith,
    process_model,
    run_task,
)
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    code_locations.SCENARIO,
    monolith.SCENARIO,
    run_task.SCENARIO,
    configuration.SCENARIO,
)
