"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import cpu_scaling, launch_rate, process_model, start_run_deadline
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    cpu_scaling.SCENARIO,
    launch_rate.SCENARIO,
    start_run_deadline.SCENARIO,
)
