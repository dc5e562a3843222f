"""The index of a results root: every folder is a row, also those nobody can read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.report.index.rows import CampaignRow
from harness.scenarios.overview import refresh_index, rows_of, write_index

pytestmark = pytest.mark.unit

Edit = Callable[[dict[str, Any]], None]
Put = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    path.mkdir()
    return path


@pytest.fixture
def put(root: Path, repo_root: Path) -> Put:
    """Store the findings of the quick campaign under another name, changed."""
    source = repo_root / "results/baselines/quick-compose/findings.json"

    def store(name: str, edit: Edit = lambda _: None) -> Path:
        document = json.loads(source.read_text(encoding="utf-8"))
        edit(document)
        folder = root / name
        folder.mkdir()
        (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        return folder

    return store


def holds(concurrency: int, low: int, high: int) -> Edit:
    """The first cell holds so many."""

    def edit(document: dict[str, Any]) -> None:
        capacity = document["cells"][0]["capacity"]
        capacity.update(concurrency=concurrency, low=low, high=high)

    return edit


def only_row(root: Path) -> CampaignRow:
    (row,) = rows_of(root)
    return row


def test_campaigns_are_told_newest_first(root: Path, put: Put) -> None:
    for name in ("20260102T000000Z-b", "20260103T000000Z-a", "20260101T000000Z-c"):
        put(name)
    assert [row.campaign for row in rows_of(root)] == ["a", "b", "c"]


def test_a_row_says_what_it_holds_what_binds_and_how_it_ended(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick")
    row = only_row(root)
    assert (row.verdict, row.gaps, row.fatal, row.warnings) == ("pass", (), 0, 1)
    assert row.doubts == ("1 warning (work_inflated)",)
    assert [cell.holds for cell in row.cells] == [
        "4 (80 %: 4 to 5)", "1 (80 %: 1 to 2)", "3 (80 %: 3)"
    ]  # fmt: skip
    assert [cell.binds for cell in row.cells] == ["launch_cpu", "~launch_cpu", "launch_cpu"]
    assert (row.least, row.worst_ratio) == (1, None)
    assert row.cells[0].rest == "Dagster 1.13.27, 6 workers, direct feed, compose"


def test_a_row_says_what_changed_since_the_one_before(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick")
    put("20260102T000000Z-quick", holds(8, 7, 9))
    put("20260103T000000Z-quick", holds(2, 1, 3))
    down, up, first = (row.cells[0].change for row in rows_of(root))
    assert first is not None
    assert (first.lead, first.against) == ("first of its kind", "")
    assert up is not None
    assert (up.lead, up.tone) == ("4 → 8, outside of both intervals", "good")
    assert up.against == "20260101T000000Z-quick"
    assert up.more == ("launch CPU 2.63 → 2.63 CPU-s (×1.00); memory a run 66 → 66 MiB (×1.00)",)
    assert down is not None
    assert (down.lead, down.tone) == ("8 → 2, outside of both intervals", "bad")
    assert rows_of(root)[0].worst_ratio == 0.25


@pytest.mark.parametrize(
    ("edit", "lead", "tone"),
    [
        (holds(4, 4, 6), "4, as before", "plain"),
        (holds(5, 4, 6), "4 → 5, inside both intervals: no difference shown", "plain"),
        (holds(5, 5, 6), "4 → 5, inside one interval only: not clear", "plain"),
        (lambda d: d["cells"][0]["capacity"].update(concurrency=None, status="invalid"),
         "4 → no capacity", "plain"),
        (lambda d: d["cells"][0]["capacity"].update(
            concurrency=0, low=0, high=0, first_failing=1, status="below_min"),
         "4 → < 1, outside of both intervals", "bad"),
        (lambda d: d["cells"][0]["capacity"].update(concurrency=9, low=8, high=None,
                                                   status="above_max"),
         "4 → ≥ 9, outside of both intervals", "good"),
    ],
)  # fmt: skip
def test_a_change_is_told_with_its_intervals(
    root: Path, put: Put, edit: Edit, lead: str, tone: str
) -> None:
    put("20260101T000000Z-quick")
    put("20260102T000000Z-quick", edit)
    change = rows_of(root)[0].cells[0].change
    assert change is not None
    assert (change.lead, change.tone) == (lead, tone)


def test_what_cannot_be_compared_names_the_difference(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick")
    put("20260102T000000Z-quick", lambda d: d.update(method=9))
    change = rows_of(root)[0].cells[0].change
    assert change is not None
    assert (change.lead, change.more) == ("not comparable", ("other method: 2 → 9",))


def test_unreadable_findings_break_no_chain_of_changes(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick")
    put("20260102T000000Z-quick", lambda d: d.update(schema=1))
    put("20260103T000000Z-quick")
    newest, unreadable, _ = rows_of(root)
    assert unreadable.verdict == "unreadable"
    assert "schema 1; this version reads 2" in unreadable.gaps[0]
    assert newest.cells[0].change is not None
    assert newest.cells[0].change.against == "20260101T000000Z-quick"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2}', "\x00\xff", '"x"'])
def test_damaged_findings_are_a_row_that_says_so(root: Path, text: str) -> None:
    folder = root / "20260101T000000Z-quick"
    folder.mkdir()
    (folder / "findings.json").write_text(text, encoding="latin-1")
    row = only_row(root)
    assert row.verdict == "unreadable"
    assert "harness analyse 20260101T000000Z-quick" in row.gaps[0]


def test_findings_that_say_nonsense_are_a_row_too(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick", lambda document: document["campaign"].update(slos=[1]))
    assert only_row(root).verdict == "unreadable"


def test_a_campaign_that_was_not_judged_shows_its_cells(root: Path, repo_root: Path) -> None:
    for name in ("20261125T151345Z-half-finished", "20261125T151535Z-failed"):
        shutil.copytree(repo_root / "tests/data/results" / name, root / name)
    failed, half = rows_of(root)
    assert {failed.verdict, half.verdict} == {"not judged"}
    assert failed.cells[0].note.startswith("failed: ")
    assert [cell.workload for cell in half.cells] == ["io", "mixed"]
    assert [cell.note for cell in half.cells] == [
        "measured: the ladder is at its end", "cut off, or still being measured"
    ]  # fmt: skip
    assert "harness report 20261125T151345Z-half-finished" in half.gaps[0]


def test_an_empty_folder_and_a_damaged_cell_are_rows(root: Path) -> None:
    (root / "20260101T000000Z-empty").mkdir()
    damaged = root / "20260102T000000Z-damaged" / "cells" / "io"
    damaged.mkdir(parents=True)
    (damaged / "cell.json").write_text("{", encoding="utf-8")
    (root / "20260102T000000Z-damaged" / "environment.json").write_text("{}", encoding="utf-8")
    newer, older = rows_of(root)
    assert newer.gaps == ("No cell was begun, or none can be read: there is nothing to judge.",)
    assert older.gaps == ("environment.json is missing: this record cannot be judged.",)


def test_a_campaign_with_gaps_does_not_pass(root: Path, put: Put) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["cells"][1]["search"]["ended"] = "failed: the engine is gone"
        document["cells"][2]["search"]["ended"] = ""
        document["cells"] = document["cells"][1:]

    put("20260101T000000Z-quick", edit)
    row = only_row(root)
    assert row.verdict == "inconclusive"
    assert row.gaps == ("2 cells broke off", "1 cell not measured")
    assert [(cell.workload, cell.note) for cell in row.cells] == [
        ("cpu", "failed: the engine is gone"),
        ("mixed", "cut off, or still being measured; judged by the steps that were recorded"),
        ("io", "not measured"),
    ]


def test_a_plan_of_another_version_is_not_missed(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick", lambda document: document["campaign"].update(unknown=1))
    assert only_row(root).verdict == "pass"


def test_only_files_that_are_there_are_linked(root: Path, put: Put) -> None:
    folder = put("20260101T000000Z-quick")
    (folder / "report.html").write_text("", encoding="utf-8")
    links = [(link.what, link.path) for link in only_row(root).links]
    assert links == [("report", "report.html"), ("JSON", "findings.json"), ("folder", "")]


def test_other_folders_and_files_are_no_campaigns(root: Path, put: Put) -> None:
    put("20260101T000000Z-quick")
    put("baselines")
    (root / "20260101T000000Z-file").write_text("", encoding="utf-8")
    assert len(rows_of(root)) == 1


def test_the_index_is_written_into_the_root(root: Path, put: Put) -> None:
    folder = put("20260101T000000Z-quick")
    assert write_index(root) == root / "index.html"
    assert "4 (80 %: 4 to 5)" in (root / "index.html").read_text(encoding="utf-8")
    (root / "index.html").unlink()
    assert refresh_index(folder) == root / "index.html"
    assert refresh_index(put("quick-compose")) is None
