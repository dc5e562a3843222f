"""A release with more packages beside it: which ones, and whose lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import CampaignError
from harness.rig.target import launcher_software as beside
from harness.rig.target.launcher_software import LAUNCHER, READERS, Beside, software_beside

pytestmark = pytest.mark.unit


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """An empty cache, and the locks that were made in it."""
    names: list[str] = []

    def make(_: Beside, version: str, target: Path) -> Path:
        names.append(target.name)
        target.write_text(f"dagster=={version}\n")
        return target

    monkeypatch.setattr(beside, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(beside, "make_lock_beside", make)
    return names


def test_libraries_count_as_companions_and_the_cloud_agent_as_dagster() -> None:
    assert LAUNCHER.requirements("1.13.27") == ("dagster-docker==0.29.27",)
    assert READERS.requirements("1.12.3") == ("dagster-cloud==1.12.3", "dagster-aws==0.28.3")
    with pytest.raises(CampaignError):
        READERS.requirements("latest")


def test_a_committed_lock_wins(made: list[str]) -> None:
    software = software_beside(READERS, "1.13.27")
    assert software.lock.name == "readers-1.13.27.txt"
    assert "dagster-cloud==1.13.27" in software.lock.read_text()
    assert made == []


def test_a_lock_is_made_once_and_said_so(made: list[str]) -> None:
    said: list[str] = []
    for _ in range(2):
        software = software_beside(READERS, "1.10.0", say=said.append)
        assert software.version == "1.10.0"
    assert made == ["readers-1.10.0.txt"]
    assert said == ["Locking Dagster 1.10.0 with dagster-cloud and dagster-aws (once)"]
