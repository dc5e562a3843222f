"""The sensor that keeps what it has read."""

from __future__ import annotations

import pytest
from dagster import SkipReason, build_sensor_context

from workloads.common import MIB
from workloads.guides import hoard

pytestmark = pytest.mark.unit


def test_every_evaluation_keeps_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOARD_MIB", "1")
    monkeypatch.setattr(hoard, "_KEPT", [])
    said = [hoard.hoard(build_sensor_context()) for _ in range(2)]
    assert said == [SkipReason(f"keeps {count * MIB} bytes") for count in (1, 2)]


def test_the_jobs_are_there_beside_it() -> None:
    assert {"sleep", "hold", "noop"} <= {job.name for job in hoard.defs.jobs or ()}
