"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import configuration, process_model, run_task
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    run_task.SCENARIO,
    configuration.SCENARIO,
)
