"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import (
    memory_ladder,
    process_model,
    profiling_asset,
    residency_ladder,
)
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    profiling_asset.SCENARIO,
    memory_ladder.SCENARIO,
    residency_ladder.SCENARIO,
)
