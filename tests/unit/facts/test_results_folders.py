"""Whole results folders: written, read back, listed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from records import CELL, a_step, runs_of, samples_at

from harness.errors import StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.model import SCHEMA
from harness.facts.store import ResultsWriter, list_results, read_results

pytestmark = pytest.mark.unit


def write_results(root: Path, name: str, *, seal: bool = True) -> ResultsFolder:
    results = ResultsFolder(root / name)
    writer = ResultsWriter(results)
    writer.write_campaign("name: smoke\n")
    writer.write_environment({"kernel": "6.1", "cpus": [0, 1]})
    writer.journal({"step": 0, "why": "unloaded first"})
    writer.journal({"step": 1, "why": "next on the ladder"})
    cell = writer.cell(CELL.id)
    cell.write_cell(CELL)
    cell.append_step(a_step(0), runs_of(0), samples_at(0), [])
    if seal:
        cell.seal(CELL)
    return results


def test_a_campaign_is_read_back_as_written(tmp_path: Path) -> None:
    results = write_results(tmp_path, "20250131T120005Z-smoke")
    facts = read_results(results.path)
    assert facts.campaign == "smoke"
    assert facts.started_utc == datetime(2025, 1, 31, 12, 0, 5, tzinfo=UTC)
    assert facts.campaign_text == "name: smoke\n"
    assert facts.environment == {"kernel": "6.1", "cpus": [0, 1]}
    assert [entry["step"] for entry in facts.journal] == [0, 1]
    assert [cell.cell.id for cell in facts.cells] == [CELL.id]
    assert json.loads(results.environment_json.read_text())["schema"] == SCHEMA


def test_cells_come_in_the_order_they_were_measured(tmp_path: Path) -> None:
    results = write_results(tmp_path, "20250131T120005Z-smoke")
    writer = ResultsWriter(results)
    for cell_id, start_s in (("b", 1.0), ("a", 2.0)):
        writer.cell(cell_id).write_cell(replace(CELL, id=cell_id, idle_start_s=start_s))
    assert [each.cell.id for each in read_results(results.path).cells] == ["b", "a", CELL.id]


def test_a_renamed_folder_is_still_read(tmp_path: Path) -> None:
    facts = read_results(write_results(tmp_path, "baseline").path)
    assert (facts.campaign, facts.started_utc) == ("baseline", None)


def test_a_folder_without_environment_is_no_results_folder(tmp_path: Path) -> None:
    with pytest.raises(StoredDataError, match="not a results folder"):
        read_results(tmp_path)


def test_findings_are_replaced_as_a_whole(tmp_path: Path) -> None:
    results = write_results(tmp_path, "20250131T120005Z-smoke")
    writer = ResultsWriter(results)
    writer.write_findings({"schema": 1, "cells": ["a", "b"]})
    writer.write_findings({"schema": 1, "cells": []})
    assert json.loads(results.findings_json.read_text()) == {"schema": 1, "cells": []}


def test_results_are_listed_newest_first(tmp_path: Path) -> None:
    write_results(tmp_path, "20250131T120005Z-old")
    write_results(tmp_path, "20250201T000000Z-new", seal=False)
    (tmp_path / "baselines").mkdir()
    (tmp_path / "README.md").touch()
    listed = [(each.campaign, each.cells, each.sealed) for each in list_results(tmp_path)]
    assert listed == [("new", 1, False), ("old", 1, True)]


def test_one_damaged_folder_does_not_hide_the_others(tmp_path: Path) -> None:
    write_results(tmp_path, "20250131T120005Z-good")
    bad = write_results(tmp_path, "20250201T000000Z-bad")
    bad.cell(CELL.id).cell_json.write_text("{")
    first, second = list_results(tmp_path)
    assert (first.campaign, first.sealed) == ("bad", False)
    assert "cell.json is damaged" in first.problem
    assert (second.campaign, second.sealed, second.problem) == ("good", True, "")


def test_no_results_folder_yet_lists_nothing(tmp_path: Path) -> None:
    assert list_results(tmp_path / "results") == []
