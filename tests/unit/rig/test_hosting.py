"""Where a campaign's servers are reachable: on this machine alone, or for load workers too."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import EnvironmentProblem
from harness.rig import hosting
from harness.rig.hosting import Hosting, prepare
from harness.rig.ledger import Ledger

pytestmark = pytest.mark.unit


def campaign(master: str | None) -> Campaign:
    """One whose load comes from two workers of a master there."""
    text = """
name: x
profiles: [1vcpu-2gb]
workloads: [{name: io}]
load: {workers: 2}
"""
    overrides = (f"load.master='{master}'",) if master else ()
    return load_campaign(text, source="test", overrides=overrides)


def prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, master: str | None, kind: str = "process"
) -> tuple[Hosting, list[str]]:
    """What is prepared for a campaign whose master listens there, and what was said."""
    monkeypatch.setattr(hosting, "software_of", lambda campaign, say: {})
    monkeypatch.setattr(hosting, "check_master", lambda master: None)
    said: list[str] = []
    plan = campaign(master)
    made = prepare(
        kind,
        plan,
        ledger=Ledger(tmp_path / "ledger"),
        say=said.append,
        log=tmp_path / "log",  # type: ignore[arg-type]
    )
    return made, said


@pytest.mark.parametrize("master", [None, "127.0.0.1:5557"])
def test_without_workers_elsewhere_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, master: str | None
) -> None:
    made, said = prepared(tmp_path, monkeypatch, master)
    assert made.web_address == "127.0.0.1"
    assert said == []


def test_the_webserver_is_opened_where_the_master_is_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = prepared(tmp_path, monkeypatch, "10.0.0.5:5557")
    assert made.web_address == "10.0.0.5"
    assert "10.0.0.5" in said[0]


def test_of_a_deployment_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = prepared(tmp_path, monkeypatch, "10.0.0.5:5557", kind="external")
    assert made.web_address == "127.0.0.1"
    assert said == []


def test_an_address_that_is_not_ours_is_refused_before_anything_starts(tmp_path: Path) -> None:
    plan = campaign("192.0.2.1:5557")
    with pytest.raises(EnvironmentProblem, match=r"cannot be waited for at 192\.0\.2\.1:5557"):
        prepare("process", plan, ledger=Ledger(tmp_path / "l"), say=print, log=tmp_path / "log")
