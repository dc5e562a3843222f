"""What an experiment saw: written once, line by line, and read as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StoredDataError
from harness.facts.observations import DONE, ScenarioFolder, ScenarioRecord

pytestmark = pytest.mark.unit

RECORD = ScenarioRecord(
    name="model", version=1, quick=True, dagster="1.13.27", started_s=5.0, took_s=7.5, ended=DONE
)


def test_observations_come_back_as_they_were_noted(tmp_path: Path) -> None:
    folder = ScenarioFolder(tmp_path / "model")
    note = folder.writer(clock=lambda: 12.5)
    note("burst", runs=8, took_s=3.25, states=["STARTED", None])
    note("idle", runs=0)
    note("burst", runs=4)
    seen = folder.read()
    assert len(seen) == 3
    assert [each.at_s for each in seen] == [12.5] * 3
    assert seen.of("burst", runs=8) == [{"runs": 8, "took_s": 3.25, "states": ["STARTED", None]}]
    assert seen.first("burst") == {"runs": 8, "took_s": 3.25, "states": ["STARTED", None]}
    assert seen.first("nothing") is None


def test_beginning_anew_forgets_what_was_cut_off(tmp_path: Path) -> None:
    folder = ScenarioFolder(tmp_path)
    folder.writer()("burst", runs=8)
    folder.writer()("burst", runs=4)
    assert folder.read().of("burst") == [{"runs": 4}]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    folder = ScenarioFolder(tmp_path)
    folder.writer()("burst", runs=8)
    with folder.observations.open("a") as stream:
        stream.write('{"what": "burst", "at_')
    assert folder.read().of("burst") == [{"runs": 8}]


@pytest.mark.parametrize("line", ["{}", "[1]", "no json"])
def test_damage_is_named(tmp_path: Path, line: str) -> None:
    folder = ScenarioFolder(tmp_path)
    folder.observations.write_text(f"{line}\n")
    with pytest.raises(StoredDataError, match="cannot be read"):
        folder.read()


def test_a_number_json_cannot_say_is_refused(tmp_path: Path) -> None:
    note = ScenarioFolder(tmp_path).writer()
    with pytest.raises(ValueError, match="JSON"):
        note("burst", took_s=float("nan"))


def test_how_it_went_is_there_once_it_is_sealed(tmp_path: Path) -> None:
    folder = ScenarioFolder(tmp_path)
    assert folder.read_record() is None
    folder.seal(RECORD)
    assert folder.read_record() == RECORD


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    folder = ScenarioFolder(tmp_path)
    folder.record.write_text('{"name": "model"}')
    with pytest.raises(StoredDataError, match="damaged"):
        folder.read_record()
