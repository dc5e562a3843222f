"""The asset that profiles itself: what it tells, and that it can be left out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from workloads.guides.profiled import MIB, build, build_traced, defs, resident_bytes


def told(config: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What a run of the asset wrote into its log."""
    result = defs.resolve_job_def("profiled").execute_in_process(
        run_config={"ops": {"rows": {"config": config}}}
    )
    assert result.success
    line = re.search(r"profile: (.*)", capfd.readouterr().err)
    assert line
    return {key: float(value) for key, value in re.findall(r"(\w+)=(-?[\d.]+)", line[1])}


@pytest.mark.unit
def test_rows_take_the_memory_asked_for() -> None:
    made, _, peak = build_traced(4)
    assert peak == pytest.approx(4 * MIB, rel=0.15)
    assert len(set(made)) == len(made)
    assert build(0) == []


@pytest.mark.unit
def test_resident_memory_is_that_of_a_python() -> None:
    assert 5 * MIB < resident_bytes() < 4096 * MIB


@pytest.mark.integration
def test_a_run_tells_what_its_rows_took(capfd: pytest.CaptureFixture[str]) -> None:
    seen = told({"mib": 4}, capfd)
    assert seen["traced_peak"] == pytest.approx(4 * MIB, rel=0.15)
    assert seen["rss_delta"] >= 0
    assert seen["built_s"] > 0


@pytest.mark.integration
def test_without_profiling_there_is_nothing_to_tell(capfd: pytest.CaptureFixture[str]) -> None:
    seen = told({"mib": 1, "profile": False}, capfd)
    assert (seen["rss_delta"], seen["traced_peak"]) == (-1, -1)


@pytest.mark.integration
def test_there_is_a_job_in_either_executor() -> None:
    names = [
        defs.resolve_job_def(name).executor_def.name for name in ("profiled", "profiled_multi")
    ]
    assert names == ["in_process", "multiprocess"]
