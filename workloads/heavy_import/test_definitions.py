"""The import-heavy workload, always in a child process: importing it is the point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workloads.common import MIB

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SIZE_MIB = 48

# What a process carries after importing the location, and after running its job.
LOOK = """
import json, resource, sys, time
from workloads import common

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()

def look():
    return {
        "imported": "workloads.heavy_import.ballast" in sys.modules,
        "bytes": resident() - resident_0,
        "cpu_s": time.process_time() - cpu_0,
    }

resident_0, cpu_0 = resident(), time.process_time()
from workloads.heavy_import.definitions import defs
loaded = look()
result = defs.get_job_def("load").execute_in_process(run_config={"wait_s": 0.0})
(event,) = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
done = {key: entry.value for key, entry in event.event_specific_data.metadata.items()}
print(json.dumps({"loaded": loaded, "ran": look(), "done": done}))
"""


def look(**environment: str) -> Any:
    """Run `LOOK` with these environment variables; what it saw."""
    said = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=ROOT,
        env={**os.environ, "WORKLOAD_IMPORT_MIB": str(SIZE_MIB), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return json.loads(said.splitlines()[-1])


def test_an_eager_location_carries_the_module_from_the_start() -> None:
    seen = look(WORKLOAD_IMPORT="eager", WORKLOAD_IMPORT_S="0.2")
    assert seen["loaded"]["imported"]
    assert seen["loaded"]["bytes"] >= 0.9 * SIZE_MIB * MIB
    assert seen["loaded"]["cpu_s"] >= 0.2
    assert seen["done"]["import_bytes"] == SIZE_MIB * MIB


def test_a_lazy_location_loads_without_it_and_pays_inside_the_op() -> None:
    seen = look(WORKLOAD_IMPORT="lazy", WORKLOAD_IMPORT_S="0.2")
    assert not seen["loaded"]["imported"]
    assert seen["loaded"]["bytes"] < 0.5 * SIZE_MIB * MIB
    assert seen["ran"]["imported"]
    assert seen["ran"]["bytes"] >= 0.9 * SIZE_MIB * MIB
    assert seen["done"]["work_cpu_s"] >= 0.2


def test_an_unknown_way_to_import_stops_the_location_from_loading() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        look(WORKLOAD_IMPORT="sometimes")
    assert "SettingError: WORKLOAD_IMPORT must be one of eager, lazy" in caught.value.stderr
