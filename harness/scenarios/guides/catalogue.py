"""Every scenario, in the order they are measured: the cheap and basic ones first."""

from __future__ import annotations

from harness.scenarios.guides import (
    arrivals,
    code_locations,
    concurrency_limits,
    configuration,
    cpu_scaling,
    isolated,
    launch_rate,
    location_size,
    memory_ladder,
    monolith,
    oom_blast,
    pools,
    process_model,
    profiling_asset,
    replicas,
    residency_ladder,
    run_task,
    sensor_saturation,
    start_run_deadline,
)
from harness.scenarios.guides.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    process_model.SCENARIO,
    configuration.SCENARIO,
    cpu_scaling.SCENARIO,
    launch_rate.SCENARIO,
    start_run_deadline.SCENARIO,
    sensor_saturation.SCENARIO,
    arrivals.SCENARIO,
    profiling_asset.SCENARIO,
    memory_ladder.SCENARIO,
    residency_ladder.SCENARIO,
    oom_blast.SCENARIO,
    replicas.SCENARIO,
    concurrency_limits.SCENARIO,
    pools.SCENARIO,
    isolated.SCENARIO,
    run_task.SCENARIO,
    code_locations.SCENARIO,
    monolith.SCENARIO,
    location_size.SCENARIO,
)
