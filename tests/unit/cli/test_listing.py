"""`harness list`, and how every command finds the results folder that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.app import main
from harness.cli.listing import resolve
from harness.errors import StoredDataError

pytestmark = pytest.mark.unit


def test_a_root_that_is_not_there_is_told_from_an_empty_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for root, words in (
        (tmp_path, f"{tmp_path}. M"),
        (tmp_path / "x", "(there is no such folder)"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["list", "--root", str(root)])
        assert ended.value.code == 0
        assert words in capsys.readouterr().out


def test_a_name_in_brackets_is_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "[red]" / "20260101T000000Z-quick").mkdir(parents=True)
    with pytest.raises(SystemExit):
        main(["list", "--root", str(tmp_path / "[red]")])
    assert "[red]/20260101T000000Z-quick" in capsys.readouterr().out


def test_a_path_is_in_one_piece_however_narrow_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    folder = tmp_path / "20260101T000000Z-a-long-name-of-a-campaign"
    folder.mkdir()
    with pytest.raises(SystemExit):
        main(["list", "--root", str(tmp_path)])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if str(folder) in line)
    assert line.split()[:3] == ["2026-01-01", "00:00:00", "a-long-name-of-a-campaign"]


def test_what_is_not_there_is_told_with_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(StoredDataError) as no_root:
        resolve("latest", tmp_path / "x")
    assert no_root.value.evidence == "There is no such folder."
    assert "--root FOLDER" in no_root.value.hint
    with pytest.raises(StoredDataError) as no_folder:
        resolve("frob", tmp_path)
    assert no_folder.value.hint == f"See which there are: harness list --root {tmp_path}"
    with pytest.raises(StoredDataError) as usual:
        resolve("frob", Path("results"))
    assert usual.value.hint == "See which there are: harness list"
