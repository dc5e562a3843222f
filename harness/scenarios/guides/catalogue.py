"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import (
    code_locations,
    configuration,
    cpu_scaling,
    launch_rate,
    monolith,
    process_model,
    run_task,
    start_run_deadline,
)
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    cpu_scaling.SCENARIO,
    launch_rate.SCENARIO,
    start_run_deadline.SCENARIO,
    code_locations.SCENARIO,
    monolith.SCENARIO,
    run_task.SCENARIO,
    configuration.SCENARIO,
)
