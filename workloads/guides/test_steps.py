"""Jobs of several steps: they wait for a gate, they fail beside others, they weigh."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workloads.guides.steps import EXIT_CODE, defs, fail, wait_for_gate

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def run(job: str, config: dict[str, Any] | None = None) -> Any:
    """Execute a job in this process, without raising."""
    definition = defs.get_job_def(job)
    return definition.execute_in_process(run_config=config or {}, raise_on_error=False)


def steps(result: Any, kind: str) -> list[str]:
    """The last part of every step's name with such an event, in order."""
    found = [e.step_key for e in result.all_events if e.event_type_value == kind]
    return [key.removeprefix("branches_in_process_") for key in found]


def test_the_one_that_fails_comes_first_and_the_others_come_after_it() -> None:
    result = run("branches_in_process", {"seconds": 0.01})
    assert not result.success
    assert steps(result, "STEP_START") == ["a_fails", "b_works", "c_follows"]
    assert steps(result, "STEP_FAILURE") == ["a_fails"]
    assert steps(result, "STEP_SUCCESS") == ["b_works", "c_follows"]


def test_one_step_that_does_nothing_succeeds() -> None:
    assert run("one_in_process").success


def test_a_gate_that_is_open_is_gone_through_and_a_closed_one_is_not_waited_for_without_end(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    wait_for_gate({"seconds": 0.01, "gate": str(gate)})
    gate.touch()
    wait_for_gate({"seconds": 600.0, "gate": str(gate)})


def test_a_process_that_is_to_end_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        raise SystemExit

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit):
        fail({"fault": "exit"})
    assert codes == [EXIT_CODE]


def test_importing_it_leaves_behind_what_it_is_told_to() -> None:
    look = "from workloads.guides.steps import HELD; print(len(HELD))"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "STEPS_IMPORT_MIB": "8", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert int(done.stdout) == 8 * 1024**2


def test_a_container_a_step_is_there_where_what_starts_it_is(tmp_path: Path) -> None:
    """A stand-in for `dagster-docker`, which the development environment does not have."""
    (tmp_path / "dagster_docker.py").write_text(
        "from dagster import Field, Permissive, executor, multiple_process_executor_requirements\n"
        "@executor(name='docker', config_schema={'container_kwargs': Field(Permissive())},\n"
        "          requirements=multiple_process_executor_requirements())\n"
        "def docker_executor(_): ...\n"
    )
    look = "from workloads.guides.steps import defs; print(*sorted(j.name for j in defs.jobs))"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )  # fmt: skip
    assert done.stdout.split() == [
        "branches_docker", "branches_in_process", "branches_multi", "gate_docker", "one_docker",
        "one_in_process",
    ]  # fmt: skip
