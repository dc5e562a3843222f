"""Names in a results folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.facts.layout import CellFolder, ResultsFolder, new_results_path, parse_results_name

pytestmark = pytest.mark.unit

NOON = datetime(2025, 1, 31, 12, 0, 5, tzinfo=UTC)


def test_a_results_folder_is_named_by_utc_time_and_campaign(tmp_path: Path) -> None:
    assert new_results_path(tmp_path, "smoke", NOON) == tmp_path / "20250131T120005Z-smoke"


def test_a_local_time_is_converted_to_utc(tmp_path: Path) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=5)))
    assert new_results_path(tmp_path, "smoke", local).name == "20250131T120005Z-smoke"


def test_a_time_without_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        new_results_path(tmp_path, "smoke", NOON.replace(tzinfo=None))


def test_two_campaigns_of_one_second_get_different_folders(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = new_results_path(tmp_path, "smoke", NOON)
        path.mkdir()
        names.append(path.name)
    assert len(set(names)) == 3
    assert {parse_results_name(name) for name in names} == {(NOON, "smoke")}


@pytest.mark.parametrize("campaign", ["a", "io-1.7.0", "w6_r2-night.ly"])
def test_a_name_can_be_read_back(tmp_path: Path, campaign: str) -> None:
    assert parse_results_name(new_results_path(tmp_path, campaign, NOON).name) == (NOON, campaign)


@pytest.mark.parametrize(
    "name", ["baselines", "README.md", "20251399T120005Z-x", "20250131T120005Z-"]
)
def test_a_foreign_name_is_no_results_folder(name: str) -> None:
    assert parse_results_name(name) is None


def test_parts_sort_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    cell = CellFolder(tmp_path)
    cell.parts.mkdir()
    for number in (10, 2, 0):
        cell.loose_part(number).touch()
    cell.samples_part(1).touch()
    assert cell.loose_parts() == [cell.loose_part(0), cell.loose_part(2), cell.loose_part(10)]


def test_a_cell_counts_from_its_cell_json_on(tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path)
    for cell_id in ("b", "a", "started-only"):
        results.cell(cell_id).path.mkdir(parents=True)
    for cell_id in ("b", "a"):
        results.cell(cell_id).cell_json.touch()
    assert results.cell_folders() == [results.cell("a"), results.cell("b")]
