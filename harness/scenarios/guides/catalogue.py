"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import arrivals, isolated, process_model, sensor_saturation
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    arrivals.SCENARIO,
    sensor_saturation.SCENARIO,
    isolated.SCENARIO,
)
