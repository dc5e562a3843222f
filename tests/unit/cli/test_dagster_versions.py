"""`--dagster`: what a word on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from harness.campaign.loading import load_campaign, preset_text
from harness.campaign.plan import Campaign
from harness.cli.app import main
from harness.cli.dagster_versions import version_overrides
from harness.cli.run import run

pytestmark = pytest.mark.unit


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with builds, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "1.13.28").mkdir()
    (tmp_path / "My Build (2)").mkdir()
    (tmp_path / "dagster-1.13.28+slow-py3-none-any.whl").touch()
    return tmp_path


def planned(*words: str) -> Campaign:
    text = preset_text("compare")
    return load_campaign(text, source="compare", overrides=version_overrides(words))


def test_nothing_said_changes_nothing() -> None:
    assert version_overrides([]) == []


def test_releases_replace_the_versions_and_the_first_is_the_baseline(here: Path) -> None:
    plan = planned("1.12.22", "latest", "1.13.28")
    assert plan.dagster == ("1.12.22", "latest", "1.13.28")
    assert plan.baseline_version == "1.12.22"
    assert plan.builds == {}


def test_the_baseline_and_builds_of_a_file_go_with_its_versions() -> None:
    text = preset_text("compare") + (
        "\ndagster: [1.12.22, mine]\nbuilds: {mine: 1.13.0}\nbaseline: mine\n"
    )
    words = version_overrides(["1.13.27", "1.13.28"])
    plan = load_campaign(text, source="c", overrides=words)
    assert (plan.builds, plan.baseline_version) == ({}, "1.13.27")


def test_a_name_makes_a_version_another_one(here: Path) -> None:
    plan = planned("1.13.28", "again=1.13.28", "mine=dagster", "newest=latest")
    assert plan.dagster == ("1.13.28", "again", "mine", "newest")
    assert plan.builds == {
        "again": "1.13.28", "mine": str(here / "dagster"), "newest": "latest"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("dagster", "dagster"),
        ("./dagster/", "dagster"),
        ("dagster-1.13.28+slow-py3-none-any.whl", "dagster-1.13.28-slow"),
        ("My Build (2)", "my-build-2"),
        ("./1.13.28", "1.13.28-build"),
    ],
)
def test_a_path_is_called_by_its_own_name_and_written_whole(
    here: Path, path: str, label: str
) -> None:
    plan = planned(path)
    assert plan.dagster == (label,)
    assert plan.builds == {label: str((here / path).resolve())}


def test_two_paths_of_one_name_are_told_apart(here: Path) -> None:
    (here / "other" / "dagster").mkdir(parents=True)
    assert planned("dagster", "other/dagster").dagster == ("dagster", "dagster-2")


@pytest.mark.parametrize("word", ["1.13", "dagsterr", "mine=nowhere", "newest=1.13", "1.13.28="])
def test_what_is_neither_release_nor_path_is_refused_with_the_ways_there_are(
    here: Path, word: str
) -> None:
    with pytest.raises(typer.BadParameter, match="neither a release such as") as caught:
        version_overrides([word])
    assert "mine=PATH" in str(caught.value)


def test_a_release_cannot_be_the_name_of_a_build(here: Path) -> None:
    with pytest.raises(typer.BadParameter, match="is a release"):
        version_overrides(["1.13.28=dagster"])


def test_a_version_twice_is_told_how_to_compare_it_with_itself() -> None:
    with pytest.raises(typer.BadParameter, match="twice") as caught:
        version_overrides(["1.13.28", "1.13.28"])
    assert "--dagster 1.13.28 --dagster again=1.13.28" in str(caught.value)


def test_several_versions_without_a_campaign_are_the_preset_compare(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(None, dagster=["1.12.22", "1.13.28"], dry_run=True) == 0
    out = capsys.readouterr().out
    assert out.startswith("Campaign compare ")
    assert "compared: 1.13.28 with 1.12.22" in out


def test_one_version_is_the_quick_preset_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(None, dagster=["1.12.22"], dry_run=True) == 0
    out = capsys.readouterr().out
    assert out.startswith("Campaign quick ")
    assert "_1.12.22_" in out


def test_a_named_preset_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(None, preset="smoke", dagster=["1.12.22", "1.13.28"], dry_run=True) == 0
    assert capsys.readouterr().out.startswith("Campaign smoke ")


def test_a_wrong_version_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--dagster", "1.13", "--dry-run"])
    assert ended.value.code == 2
    assert "--dagster" in capsys.readouterr().err
