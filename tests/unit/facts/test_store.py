"""What is written survives a kill, and what cannot be read is named."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from records import CELL, a_step, an_event, runs_of, samples_at

from harness.errors import EnvironmentProblem, StoredDataError
from harness.facts.layout import CellFolder
from harness.facts.model import SCHEMA
from harness.facts.store import CellWriter, read_cell

pytestmark = pytest.mark.unit


def moments(folder: CellFolder) -> list[float]:
    return list(read_cell(folder).samples.series("cgroup", "usage")[0])


def record(folder: CellFolder) -> None:
    """A whole cell; taken up where an earlier attempt left it."""
    writer = CellWriter(folder)
    done = 0
    if folder.cell_json.exists():
        facts = read_cell(folder)
        done = len(facts.steps)
        if facts.cell.sealed:
            writer.seal(CELL)
            return
    writer.write_cell(CELL)
    if done < 1:
        writer.append_step(a_step(0), runs_of(0), samples_at(0, 1), [an_event(0.5)])
    if done < 2:
        writer.append_loose(samples_at(2.5))
        writer.append_step(a_step(1), runs_of(1), samples_at(2, 3), [])
    writer.seal(replace(CELL, run_s=3.2))


@pytest.fixture
def folder(tmp_path: Path) -> CellFolder:
    return CellFolder(tmp_path / "cells" / CELL.id)


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


class Kernel:
    """Counts the steps towards the disk, and dies before the `nth` of them."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def watch(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return real(*args, **kwargs)

        patch.setattr(owner, name, counted)


def record_until_killed(folder: CellFolder, nth: int) -> bool:
    """Record, dying before the nth of all syncs, renames and removals; whether it died."""
    kernel = Kernel(nth)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "replace"), (os, "unlink"), (os, "rmdir")):
            kernel.watch(patch, owner, name)
        try:
            record(folder)
        except Killed:
            return True
    return False


def test_a_kill_at_any_moment_costs_at_most_the_step_in_progress(tmp_path: Path) -> None:
    deaths = 0
    while record_until_killed(folder := CellFolder(tmp_path / str(deaths)), deaths):
        deaths += 1
        if not folder.cell_json.exists():
            continue
        facts = read_cell(folder)
        assert facts.steps == [a_step(index) for index in range(len(facts.steps))]
        assert facts.runs == [run for step in facts.steps for run in runs_of(step.index)]
        assert len(moments(folder)) >= 2 * len(facts.steps)
    assert deaths > 20


def test_after_a_kill_at_any_moment_the_cell_can_be_finished(tmp_path: Path) -> None:
    deaths = 0
    while record_until_killed(folder := CellFolder(tmp_path / str(deaths)), deaths):
        deaths += 1
        record(folder)
        facts = read_cell(folder)
        assert facts.cell.sealed
        assert facts.steps == [a_step(0), a_step(1)]
        assert facts.runs == runs_of(0) + runs_of(1)
        assert set(moments(folder)) == {0, 1, 2, 2.5, 3}
        assert not folder.parts.exists()
    assert deaths > 20


def test_a_cell_reads_the_same_before_and_after_sealing(folder: CellFolder) -> None:
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.append_step(a_step(0), runs_of(0), samples_at(1, 0), [an_event(2)])
    writer.append_loose(samples_at(0.5), [an_event(1)])
    before, moments_before = read_cell(folder), moments(folder)
    writer.seal(CELL)
    after = read_cell(folder)
    assert (after.steps, after.runs, after.events) == (before.steps, before.runs, before.events)
    assert moments(folder) == moments_before == [0, 0.5, 1]
    assert [sample.taken_s for sample in after.samples] == [0, 0.5, 1]
    assert (before.cell, after.cell) == (CELL, replace(CELL, sealed=True))


def test_events_come_back_in_order_of_time(folder: CellFolder) -> None:
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.append_loose(events=[an_event(3), an_event(1)])
    writer.append_loose(events=[an_event(2)])
    assert [event.at_s for event in read_cell(folder).events] == [1, 2, 3]


def test_a_sealed_cell_has_only_the_files_of_the_contract(folder: CellFolder) -> None:
    record(folder)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "cell.json",
        "events.jsonl",
        "logs",
        "runs.parquet",
        "samples.parquet",
        "steps.jsonl",
    ]


def test_a_cell_of_which_nothing_was_measured_can_be_sealed(folder: CellFolder) -> None:
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.seal(replace(CELL, ended="the server never became ready"))
    facts = read_cell(folder)
    assert (facts.steps, facts.runs, len(facts.samples), facts.events) == ([], [], 0, [])
    assert facts.cell.ended == "the server never became ready"


def test_a_sealed_cell_is_never_edited(folder: CellFolder) -> None:
    record(folder)
    writer = CellWriter(folder)
    with pytest.raises(StoredDataError, match="sealed"):
        writer.write_cell(CELL)
    with pytest.raises(StoredDataError, match="sealed"):
        writer.append_step(a_step(2), [], [], [])
    with pytest.raises(StoredDataError, match="sealed"):
        writer.append_loose(samples_at(9))


def test_a_step_is_recorded_once(folder: CellFolder) -> None:
    CellWriter(folder).append_step(a_step(0), [], [], [])
    with pytest.raises(ValueError, match="step 0 is recorded"):
        CellWriter(folder).append_step(a_step(0), [], [], [])


@pytest.mark.parametrize("torn_bytes", [1, 20, 60])
def test_a_torn_last_line_is_ignored_and_healed_by_the_next(
    folder: CellFolder, torn_bytes: int
) -> None:
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.append_step(a_step(0), runs_of(0), [], [])
    writer.append_step(a_step(1), runs_of(1), [], [])
    whole = folder.steps_jsonl.read_bytes()
    folder.steps_jsonl.write_bytes(whole[:-torn_bytes])
    assert read_cell(folder).steps == [a_step(0)]
    assert read_cell(folder).runs == runs_of(0)
    CellWriter(folder).append_step(a_step(1), runs_of(1), [], [])
    assert folder.steps_jsonl.read_bytes() == whole


def test_a_newer_schema_is_refused_with_a_way_out(folder: CellFolder) -> None:
    record(folder)
    plain = json.loads(folder.cell_json.read_text())
    assert plain["schema"] == SCHEMA
    folder.cell_json.write_text(json.dumps({**plain, "schema": SCHEMA + 1}))
    with pytest.raises(StoredDataError) as caught:
        read_cell(folder)
    assert str(folder.cell_json) in caught.value.what
    assert "Upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cell.json", b'{"schema": 1}'),
        ("cell.json", b"\x00" * 20),
        ("steps.jsonl", b'{"index": 0}\n'),
        ("events.jsonl", b"not json\n"),
        ("runs.parquet", b"PAR1 half a file"),
        ("samples.parquet", b""),
    ],
)
def test_a_damaged_file_is_named(folder: CellFolder, name: str, content: bytes) -> None:
    record(folder)
    (folder.path / name).write_bytes(content)
    with pytest.raises(StoredDataError) as caught:
        read_cell(folder)
    assert str(folder.path / name) in caught.value.what
    assert "damaged" in caught.value.what
    assert caught.value.evidence
    assert caught.value.hint


def test_a_damaged_line_is_named_by_its_number(folder: CellFolder) -> None:
    record(folder)
    whole = folder.steps_jsonl.read_text()
    folder.steps_jsonl.write_text(whole + '{"index": "two"}\n')
    with pytest.raises(StoredDataError, match="line 3"):
        read_cell(folder)


@pytest.mark.parametrize("name", ["cell.json", "runs.parquet", "samples.parquet"])
def test_a_missing_file_is_named(folder: CellFolder, name: str) -> None:
    record(folder)
    (folder.path / name).unlink()
    with pytest.raises(StoredDataError, match=f"{name} is missing"):
        read_cell(folder)


def fail_with(number: int) -> Callable[[int], None]:
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    return fsync


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_reported_with_path_and_free_bytes(
    folder: CellFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    writer = CellWriter(folder)
    monkeypatch.setattr(os, "fsync", fail_with(number))
    with pytest.raises(EnvironmentProblem) as caught:
        writer.write_cell(CELL)
    assert str(folder.cell_json) in caught.value.what
    assert " bytes (" in caught.value.evidence
    assert "disk space" in caught.value.hint
    assert [path.name for path in folder.path.iterdir() if path.is_file()] == []


def test_a_full_disk_while_appending_loses_only_what_was_appended(
    folder: CellFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = CellWriter(folder)
    writer.write_cell(CELL)
    writer.append_step(a_step(0), runs_of(0), [], [])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_with(errno.ENOSPC))
        with pytest.raises(EnvironmentProblem, match="no room"):
            writer.append_step(a_step(1), runs_of(1), [], [])
    assert read_cell(folder).steps == [a_step(0)]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem) as caught:
        CellWriter(CellFolder(tmp_path / "file" / "cell"))
    assert "cannot be written" in caught.value.what


def test_a_read_only_file_system_is_reported(
    folder: CellFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = CellWriter(folder)
    monkeypatch.setattr(os, "fsync", fail_with(errno.EROFS))
    with pytest.raises(EnvironmentProblem, match=r"cannot be written[\s\S]*Read-only"):
        writer.append_step(a_step(0), [], [], [])
