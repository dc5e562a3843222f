"""The example projects load as their settings say, and their jobs run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.rig.target.code import pointer

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "workloads" / "examples"

RUN = """
import importlib, json, sys
from pathlib import Path
where = json.loads(sys.argv[1])
if "module" in where:
    module = importlib.import_module(where["module"])
else:
    spec = importlib.util.spec_from_file_location("project", where["python_file"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
defs = module.defs
job = defs.resolve_job_def(sys.argv[2])
given = {"partition_key": sys.argv[3]} if len(sys.argv) > 3 else {}
result = job.execute_in_process(**given)
print("@ran", json.dumps([result.success, len(result.get_asset_materialization_events())]))
"""


def run(project: str, job: str, *partition: str, **variables: str) -> tuple[bool, int, str]:
    """Load a project as its settings say and run a job; success, materializations, all output."""
    folder = EXAMPLES / project
    where = pointer.in_project(folder)
    done = subprocess.run(
        [sys.executable, "-c", "import importlib.util\n" + RUN, json.dumps(where), job, *partition],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin", "PYTHONPATH": "src", **variables},
    )  # fmt: skip
    ran = [line for line in done.stdout.splitlines() if line.startswith("@ran ")]
    assert ran, done.stdout + done.stderr
    success, count = json.loads(ran[0].removeprefix("@ran "))
    return success, count, done.stdout + done.stderr


def test_the_warehouse_fills_its_tables_for_a_day() -> None:
    success, count, said = run(
        "warehouse", "nightly_etl", "2026-01-05", SHOP_API_TOKEN="a-token", ORDERS_PER_DAY="500"
    )
    assert (success, count) == (True, 3)
    assert "a-token" in said  # it logs its secret, so that masking has something to find


def test_every_model_of_the_other_is_an_asset() -> None:
    success, count, _ = run("models", "build", MODEL_ROWS="20")
    assert (success, count) == (True, 100)
    success, count, _ = run("models", "marts", MODEL_ROWS="20")
    assert (success, count) == (True, 10)
