"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import (
    code_locations,
    configuration,
    memory_ladder,
    monolith,
    process_model,
    profiling_asset,
    residency_ladder,
    run_task,
)
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    configuration.SCENARIO,
    profiling_asset.SCENARIO,
    memory_ladder.SCENARIO,
    residency_ladder.SCENARIO,
    run_task.SCENARIO,
    code_locations.SCENARIO,
    monolith.SCENARIO,
)
