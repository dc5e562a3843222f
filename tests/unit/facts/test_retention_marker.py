"""Facts that were removed on purpose are told from facts that are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.retention_marker import (
    MARKER,
    facts_in,
    facts_removed,
    is_kept,
    refuse_removed,
    remove_facts,
    size_of,
)
from harness.facts.store import read_results

pytestmark = pytest.mark.unit

NOW_S = 1_767_225_600.0  # 2026-01-01
FACTS = (
    "cells/a/runs.parquet", "cells/a/samples.parquet", "cells/a/logs/server.log",
    "cells/b/parts/runs-0001.parquet", "superseded/a+1/runs.parquet",
)  # fmt: skip
KEPT = (
    "campaign.yaml", "environment.json", "journal.jsonl", "findings.json", "report.html",
    "report.md", "junit.xml", "comparison.json", "nightly.json", "cells/a/cell.json",
    "cells/a/steps.jsonl", "cells/a/events.jsonl", "superseded/a+1/cell.json",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    for name in (*FACTS, *KEPT):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0123456789", encoding="utf-8")
    return ResultsFolder(tmp_path)


def names(folder: ResultsFolder) -> set[str]:
    found = (path for path in folder.path.rglob("*") if path.is_file() or path.is_symlink())
    return {path.relative_to(folder.path).as_posix() for path in found}


def remove(folder: ResultsFolder) -> object:
    return remove_facts(folder, now_s=NOW_S, keep_days=30)


def test_runs_samples_parts_and_logs_go_and_all_else_stays(folder: ResultsFolder) -> None:
    assert remove(folder) is not None
    assert names(folder) == {*KEPT, MARKER}
    assert not (folder.path / "cells/a/logs").exists()


def test_the_marker_says_when_why_and_how_much(folder: ResultsFolder) -> None:
    remove(folder)
    told = json.loads((folder.path / MARKER).read_text(encoding="utf-8"))
    assert told == {
        "schema": 1, "removed_utc": "2026-01-01T00:00:00+00:00", "keep_days": 30, "files": 5,
        "bytes": 50,
    }  # fmt: skip


def test_where_there_are_no_facts_nothing_is_said(tmp_path: Path) -> None:
    assert remove(ResultsFolder(tmp_path)) is None
    assert facts_removed(ResultsFolder(tmp_path)) is None


def test_a_reader_is_told_that_it_was_retention(folder: ResultsFolder) -> None:
    refuse_removed(folder)  # nothing was removed yet
    remove(folder)
    with pytest.raises(StoredDataError) as refused:
        refuse_removed(folder)
    assert "were removed on 2026-01-01 by retention" in refused.value.what
    assert "30 days" in refused.value.evidence
    assert ".keep" in refused.value.hint


def test_reading_a_whole_campaign_says_so_too(folder: ResultsFolder) -> None:
    remove(folder)
    with pytest.raises(StoredDataError, match="by retention"):
        read_results(folder.path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 9}', '{"schema": 1, "files": 1}'])
def test_a_marker_that_cannot_be_read_still_says_it(folder: ResultsFolder, text: str) -> None:
    (folder.path / MARKER).write_text(text, encoding="utf-8")
    with pytest.raises(StoredDataError, match="by retention"):
        refuse_removed(folder)


def test_the_marker_is_there_before_the_first_file_goes(
    folder: ResultsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as at_work:
        at_work.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            remove(folder)
    assert names(folder) == {*KEPT, *FACTS, MARKER}
    with pytest.raises(StoredDataError, match="by retention"):
        refuse_removed(folder)


def test_what_a_kill_left_goes_the_next_time_and_counts_once(folder: ResultsFolder) -> None:
    remove(folder)
    left = folder.path / "cells/a/logs/server.log"
    left.parent.mkdir()
    left.write_text("0123456789", encoding="utf-8")
    remove(folder)
    assert names(folder) == {*KEPT, MARKER}
    removed = facts_removed(folder)
    assert removed is not None
    assert (removed.files, removed.bytes) == (5, 50)


def test_a_link_to_logs_elsewhere_leads_nobody_astray(
    folder: ResultsFolder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.log").write_text("0", encoding="utf-8")
    (folder.path / "cells/b/logs").symlink_to(elsewhere)
    (folder.path / "cells/a/logs/more").symlink_to(elsewhere)
    remove(folder)
    assert (elsewhere / "precious.log").exists()


def test_a_file_that_just_went_weighs_nothing(folder: ResultsFolder, tmp_path: Path) -> None:
    assert size_of([*facts_in(folder), tmp_path / "gone"]) == 50


def test_a_folder_is_kept_by_a_file_in_it(folder: ResultsFolder) -> None:
    assert not is_kept(folder)
    (folder.path / ".keep").touch()
    assert is_kept(folder)
