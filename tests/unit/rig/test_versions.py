"""`latest` becomes a number before anything is measured."""

from __future__ import annotations

from typing import Any

import pytest

from harness.campaign.plan import Campaign, Workload
from harness.campaign.profiles import Profile
from harness.rig import versions
from harness.rig.versions import pinned

pytestmark = pytest.mark.unit


def campaign(*dagster: str, **more: Any) -> Campaign:
    return Campaign(
        name="test", profiles=(Profile(name="small", vcpu=1, memory_mib=1024),),
        workloads=(Workload(name="io"),), dagster=dagster, **more,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def newest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    asked: list[int] = []

    def latest_release() -> str:
        asked.append(1)
        return "1.13.27"

    monkeypatch.setattr(versions, "latest_release", latest_release)
    return asked


def test_latest_gets_its_number_everywhere() -> None:
    told: list[str] = []
    plan = campaign("1.12.22", "latest", "again", builds={"again": "latest"}, baseline="latest")
    made = pinned(plan, say=told.append)
    assert made.dagster == ("1.12.22", "1.13.27", "again")
    assert made.baseline == "1.13.27"
    assert made.builds == {"again": "1.13.27"}
    assert told == ["The latest Dagster is 1.13.27"]


def test_a_campaign_without_latest_asks_nobody(newest: list[int]) -> None:
    plan = campaign("1.12.22", "1.13.27")
    assert pinned(plan, say=print) is plan
    assert newest == []


def test_a_version_that_is_the_latest_too_is_measured_once_and_that_is_said() -> None:
    told: list[str] = []
    made = pinned(campaign("1.13.27", "latest"), say=told.append)
    assert made.dagster == ("1.13.27",)
    assert made.baseline_version is None
    assert told[-1] == "The campaign names 1.13.27 and latest: it is measured once"
