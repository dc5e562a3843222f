"""`harness run --dry-run` shows the plan and starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.loading import preset_names
from harness.cli.app import main
from harness.cli.run import run
from harness.errors import CampaignError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object, **__: object) -> Path:
        raise AssertionError("a dry run must not measure")

    monkeypatch.setattr("harness.cli.run._measure", measure)


@pytest.mark.parametrize("preset", preset_names())
def test_a_dry_run_shows_every_preset_and_starts_nothing(
    preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(None, preset=preset, dry_run=True) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Campaign {preset} · target auto")
    assert out.endswith(".\nNothing was started.\n")


def test_options_of_the_command_line_are_in_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["max_workers=[4]", "search={strategy: bisect, highest: 8}"]
    assert run(None, preset="day", target="process", set_=changes, dry_run=True) == 0
    out = capsys.readouterr().out
    assert "target process" in out
    assert "_w4_" in out
    assert "bisect over 1-24" in out


def test_long_lines_are_printed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = tmp_path / "c.yaml"
    rungs = [1, *range(100, 140)]
    text = f"name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\nsearch: {{concurrencies: {rungs}}}"
    campaign.write_text(text, encoding="utf-8")
    assert run(campaign, dry_run=True) == 0
    assert f"adaptive over {', '.join(map(str, rungs))}: gallops up" in capsys.readouterr().out


def test_a_campaign_that_cannot_be_meant_is_refused_before_anything_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = tmp_path / "c.yaml"
    campaign.write_text("name: a\nprofiles: [1vcpu-2gb]\nworkloads: [ioo]\n", encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        run(campaign, dry_run=True)
    assert f"{campaign}:3: workloads.0: there is no package 'ioo'" in caught.value.evidence
    assert capsys.readouterr().out == ""


def test_a_file_and_a_preset_are_two_campaigns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them would be left out in silence, for as long as the other takes."""
    with pytest.raises(SystemExit) as ended:
        main(["run", str(tmp_path / "c.yaml"), "--preset", "smoke", "--dry-run"])
    assert ended.value.code == 2
    assert "is a campaign already" in " ".join(capsys.readouterr().err.split())
