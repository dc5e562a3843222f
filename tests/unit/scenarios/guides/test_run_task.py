"""What a run that coordinates five steps shows, what sizes show, and what faults show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.registry import all_claims
from harness.scenarios.guides.run_task import SCENARIO, Size
from harness.scenarios.guides.run_task_figures import ENOUGH_MIB, IMPORT_MIB, MIB, figures

pytestmark = pytest.mark.unit

REAL = Path(__file__).parents[3] / "data" / "guides" / "run-task.jsonl"
CLAIMS = [claim for claim in all_claims() if claim.scenario == SCENARIO.name]


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def size(memory_mib: int, import_mib: int = 0, **changes: Any) -> Observation:
    given = {
        "memory_mib": memory_mib, "import_mib": import_mib, "cpu_cores": 0.5, "status": "SUCCESS",
        "oom": False, "peak_anon_bytes": (100 + import_mib) * MIB,
    }  # fmt: skip
    return seen("size", **{**given, **changes})


def fault(executor: str, how: str, *events: tuple[str, str, float]) -> Observation:
    named = [[f"branches_{executor}_{step}", kind, at_s] for step, kind, at_s in events]
    return seen("fault", executor=executor, fault=how, status="FAILURE", events=named)


def window(group: str, s: float, transactions: float, cpu_s: float) -> Observation:
    return seen("window", group=group, s=s, transactions=transactions, connections=transactions,
                cpu_s=cpu_s)  # fmt: skip


SEEN = (
    window("idle", 10.0, 5.0, 0.0),
    window("steps", 20.0, 50.0, 0.4),
    seen("containers", steps=3, of_steps=3),
    seen("run", group="steps", steps=3, step_starts=[1.0, 2.0, 3.0], step_ends=[3.0, 9.0, 9.0]),
    size(64, oom=True, status="STARTING"), size(256), size(ENOUGH_MIB),
    size(256, IMPORT_MIB, oom=True, status="STARTING"), size(512, IMPORT_MIB),
    size(ENOUGH_MIB, IMPORT_MIB),
    seen("start", cpu_cores=0.5, start_s=4.0), seen("start", cpu_cores=0.5, start_s=6.0),
    seen("start", cpu_cores=1.0, start_s=3.0), seen("start", cpu_cores=1.0, start_s=None),
    fault("in_process", "raise", ("a_fails", "STEP_START", 1), ("a_fails", "STEP_FAILURE", 2),
          ("b_works", "STEP_START", 3), ("b_works", "STEP_SUCCESS", 4),
          ("c_follows", "STEP_START", 5), ("c_follows", "STEP_SUCCESS", 6)),
    fault("in_process", "exit", ("a_fails", "STEP_START", 1)),
    fault("docker", "exit", ("b_works", "STEP_START", 1), ("a_fails", "STEP_START", 2),
          ("b_works", "STEP_SUCCESS", 3), ("c_follows", "STEP_START", 4),
          ("c_follows", "STEP_SUCCESS", 5)),
)  # fmt: skip


def value(name: str, *given: Observation) -> float | None:
    return figures(Observations(given or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("coordinator_vcpu", 0.02), ("transactions_per_minute", 120.0),
        ("connections_per_minute", 120.0), ("steps", 3), ("steps_at_once", 2),
        ("step_containers", 3), ("light_mib", 100.0), ("heavy_mib", 400.0),
        ("light_enough_mib", 256), ("heavy_enough_mib", 512), ("light_killed_mib", 64),
        ("heavy_killed_mib", 256), ("start_s_512", 5.0), ("start_s_1024", 3.0),
        ("others_done_in_process_raise", 2), ("others_done_in_process_exit", 0),
        ("others_done_docker_exit", 1),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_where_every_other_step_had_begun_before_nothing_is_known() -> None:
    early = fault("multi", "raise", ("b_works", "STEP_START", 1), ("a_fails", "STEP_START", 2))
    assert value("others_done_multi_raise", early) is None
    assert value("others_done_multi_raise", fault("multi", "raise")) is None


def test_a_size_that_never_was_enough_is_not_known() -> None:
    assert value("light_enough_mib", size(64, status="STARTING", oom=True)) is None


def test_a_container_that_was_not_seen_alive_has_no_peak() -> None:
    assert value("light_mib", size(ENOUGH_MIB, peak_anon_bytes=None)) is None


def test_nothing_seen_is_nothing_known() -> None:
    found = figures(Observations())
    assert {name for name, each in found.items() if each.value} == set()
    assert "coordinator_vcpu" not in found


def test_a_server_serves_runs_of_its_size_and_is_not_of_it() -> None:
    server = Size(memory_mib=256, import_mib=300).server()
    (context,) = server.arguments
    assert "STEPS_IMPORT_MIB=300" in context
    assert server.name == "run-256-300-500"
    assert "STEPS_IMPORT_MIB" not in server.environment
    (light,) = Size(memory_mib=256).server().arguments
    assert "STEPS_IMPORT_MIB" not in light


# A real run


def real() -> Observations:
    lines = [json.loads(line) for line in REAL.read_text().splitlines()]
    return Observations(
        Observation(what=each.pop("what"), at_s=each.pop("at_s"), values=each) for each in lines
    )
