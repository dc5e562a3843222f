"""The memory workload: what it says it holds is really resident, and is given back."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from workloads.common import MIB, ballast
from workloads.io.test_definitions import outputs
from workloads.memory.definitions import defs, work

ROOT = Path(__file__).parents[2]
SIZE_MIB = 64

# Prints the resident bytes before, while and after holding the ballast.
MEASURE = f"""
import resource
from workloads.memory import definitions

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()

during = []
definitions.time = type("clock", (), {{"sleep": staticmethod(lambda s: during.append(resident()))}})
before = resident()
definitions.work({{"ballast_mib": {SIZE_MIB}, "hold_s": 1}})
print(before, during[0], resident())
"""


@pytest.mark.integration
def test_the_ballast_is_resident_while_held_and_given_back_afterwards() -> None:
    said = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    before, during, after = map(int, said.split())
    assert during - before >= 0.9 * SIZE_MIB * MIB
    assert after - before <= 0.1 * SIZE_MIB * MIB


@pytest.mark.integration
def test_a_run_reports_the_bytes_it_held() -> None:
    config = {"ballast_mib": 2, "hold_s": 0.0}
    result = defs.get_job_def("load").execute_in_process(run_config=config)
    (done,) = outputs(result)
    assert done["ballast_bytes"] == 2 * MIB
    assert done["work_cpu_s"] > 0


@pytest.mark.unit
def test_no_two_pages_are_alike_and_a_page_hardly_compresses() -> None:
    held = ballast(3)
    pages = [bytes(held[start : start + 4096]) for start in range(0, len(held), 4096)]
    assert len(pages) == len(set(pages)) == 3 * MIB // 4096
    assert len(zlib.compress(pages[-1])) > 0.95 * 4096


@pytest.mark.unit
def test_no_ballast_is_possible() -> None:
    assert work({"ballast_mib": 0, "hold_s": 0.0}) == {"ballast_bytes": 0}
