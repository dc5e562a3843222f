"""What may be opened again, and that nothing is lost or gained by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from records import CELL, a_step, an_event, runs_of, samples_at

from harness.errors import StoredDataError
from harness.facts.layout import CellFolder
from harness.facts.reopening import finish_sealing, reopen
from harness.facts.store import CellWriter, read_cell

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> CellFolder:
    return CellFolder(tmp_path / "cells" / CELL.id)


def measured(folder: CellFolder) -> CellWriter:
    """Two steps and what was between them."""
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.append_step(a_step(0), runs_of(0), samples_at(0, 1), [an_event(0.5)])
    writer.append_loose(samples_at(2.5), [an_event(2.5)])
    writer.append_step(a_step(1), runs_of(1), samples_at(3), [])
    return writer


def sealed(folder: CellFolder, ended: str) -> None:
    measured(folder).seal(replace(CELL, ended=ended))


@pytest.mark.parametrize("ended", ["interrupted", "failed: the database is gone"])
def test_a_cell_that_broke_off_reads_the_same_when_it_is_open_again(
    folder: CellFolder, ended: str
) -> None:
    sealed(folder, ended)
    before = read_cell(folder)
    told = reopen(folder)
    after = read_cell(folder)
    assert after.cell == told.cell == replace(before.cell, sealed=False, ended="")
    assert (after.steps, after.runs, after.events) == (before.steps, before.runs, before.events)
    assert list(after.samples) == list(before.samples)


def test_it_can_be_written_on_and_sealed_again(folder: CellFolder) -> None:
    sealed(folder, "interrupted")
    reopen(folder)
    writer = CellWriter(folder)
    writer.append_loose(samples_at(4))
    writer.append_step(a_step(2), runs_of(2), samples_at(5), [])
    writer.seal(replace(CELL, ended="done"))
    facts = read_cell(folder)
    assert [step.index for step in facts.steps] == [0, 1, 2]
    assert facts.runs == runs_of(0) + runs_of(1) + runs_of(2)
    assert [sample.taken_s for sample in facts.samples] == [0, 1, 2.5, 3, 4, 5]
    assert (facts.cell.ended, facts.cell.sealed) == ("done", True)
    assert not folder.parts.exists()


@pytest.mark.parametrize("ended", ["the ladder is at its end", ""])
def test_a_cell_that_came_to_its_own_end_stays_closed(folder: CellFolder, ended: str) -> None:
    sealed(folder, ended)
    before = folder.cell_json.read_bytes()
    with pytest.raises(StoredDataError, match="never edited") as caught:
        reopen(folder)
    assert "--again" in caught.value.hint
    assert folder.cell_json.read_bytes() == before


def test_a_cell_that_was_cut_off_is_open_already(folder: CellFolder) -> None:
    measured(folder)
    before = sorted(folder.path.rglob("*"))
    assert [step.index for step in reopen(folder).steps] == [0, 1]
    assert sorted(folder.path.rglob("*")) == before


def test_parts_of_an_opening_that_was_cut_off_do_not_count(folder: CellFolder) -> None:
    sealed(folder, "interrupted")
    folder.parts.mkdir()
    folder.runs_part(0).write_bytes(b"half")
    folder.samples_part(7).write_bytes(b"half")
    reopen(folder)
    assert read_cell(folder).runs == runs_of(0) + runs_of(1)
    assert not folder.samples_part(7).exists()


def test_sealing_that_was_cut_off_is_finished(folder: CellFolder) -> None:
    sealed(folder, "done")
    before = read_cell(folder)
    folder.parts.mkdir()
    folder.runs_part(0).write_bytes(b"half")
    finish_sealing(folder)
    assert not folder.parts.exists()
    assert read_cell(folder).runs == before.runs


def without_its_line(folder: CellFolder) -> None:
    """As a kill leaves a step: everything is there but the line that makes it count."""
    lines = folder.steps_jsonl.read_bytes().splitlines(keepends=True)
    folder.steps_jsonl.write_bytes(b"".join(lines[:-1]))


def appended(writer: CellWriter) -> None:
    writer.append_loose(events=[an_event(20)])


def recorded(writer: CellWriter) -> None:
    writer.append_step(a_step(2), [], [], [an_event(20)])


def closed(writer: CellWriter) -> None:
    writer.seal(CELL)


@pytest.mark.parametrize(
    ("go_on", "moments"),
    [(appended, [0.5, 2.5, 20]), (recorded, [0.5, 2.5, 20]), (closed, [0.5, 2.5])],
)
def test_events_of_a_step_that_was_lost_are_those_of_no_step(
    folder: CellFolder, go_on: Callable[[CellWriter], None], moments: list[float]
) -> None:
    measured(folder).append_step(a_step(2), runs_of(2), samples_at(9), [an_event(9), an_event(8)])
    without_its_line(folder)
    assert [event.at_s for event in read_cell(folder).events] == [0.5, 2.5]
    go_on(CellWriter(folder))
    assert [event.at_s for event in read_cell(folder).events] == moments


def test_events_after_a_full_disk_are_kept_and_those_of_the_lost_step_are_not(
    folder: CellFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One writer: the step fails in its last line, the cell is ended and sealed all the same."""
    writer = measured(folder)
    real = writer.folder.steps_jsonl.__class__.open

    def full(self: Path, *args: object, **kwargs: object) -> object:
        if self == folder.steps_jsonl:
            raise OSError(28, "No space left on device")
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(Exception, match="no room left"):
            writer.append_step(a_step(2), runs_of(2), samples_at(9), [an_event(9)])
    writer.append_loose(events=[an_event(30)])
    writer.seal(replace(CELL, ended="failed: no room"))
    assert [event.at_s for event in read_cell(folder).events] == [0.5, 2.5, 30]


def test_a_cell_of_the_repository_that_was_interrupted_can_be_opened(
    tmp_path: Path, repo_root: Path
) -> None:
    (source,) = (repo_root / "tests/data/results").glob("*-failed/cells/*")
    folder = CellFolder(Path(shutil.copytree(source, tmp_path / source.name)))
    before = read_cell(folder)
    assert before.cell.sealed
    reopen(folder)
    after = read_cell(folder)
    assert (after.steps, after.runs) == (before.steps, before.runs)
    assert len(after.samples) == len(before.samples)
