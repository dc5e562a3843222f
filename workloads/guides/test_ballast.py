"""Two locations that differ in where they load their model."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from workloads.guides import {module} as location
print("loaded" if "workloads.guides.ballast_model" in sys.modules else "not loaded")
result = location.defs.get_job_def("score").execute_in_process(run_config={{"seconds": 0.0}})
(done,) = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
print(int(done.event_specific_data.metadata["model_bytes"].value))
"""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("module", "expected"), [("ballast_eager", "loaded"), ("ballast_lazy", "not loaded")]
)
def test_only_the_eager_location_has_its_model_before_a_run_uses_it(
    module: str, expected: str
) -> None:
    """In a process of its own: what a module loads, it loads once."""
    seen = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        env={"MODEL_MIB": "3", "MODEL_S": "0", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert seen.stdout.split("\n")[:2] == [expected, str(3 * 1024**2)]


@pytest.mark.integration
@pytest.mark.parametrize("module", ["ballast_eager", "ballast_lazy"])
def test_each_has_a_job_in_either_executor(module: str) -> None:
    program = f"""
from workloads.guides.{module} import defs
print(*(defs.get_job_def(name).executor_def.name for name in ("score", "score_multi")))
"""
    seen = subprocess.run(
        [sys.executable, "-c", program],
        env={"MODEL_MIB": "1", "MODEL_S": "0", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert seen.stdout.split() == ["in_process", "multiprocess"]
