from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.rig.ledger import Entry, Ledger, is_same, mark_folder, started_s

pytestmark = pytest.mark.unit

GONE = {"owner_pid": 2**22 + 1, "owner_created_s": 1.0}  # above the kernel's highest pid


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "ledger.jsonl")


def compose(name: str, **owner: float) -> Entry:
    return Entry(id=name, kind="compose", name=name, project=name, **owner)  # type: ignore[arg-type]


def test_an_entry_stays_until_it_is_removed(ledger: Ledger) -> None:
    ledger.add(compose("a"))
    ledger.add(compose("b"))
    ledger.remove("a")
    ledger.remove("never there")
    assert [entry.id for entry in ledger.entries()] == ["b"]


def test_another_process_reads_the_same_book(ledger: Ledger, tmp_path: Path) -> None:
    written = ledger.add(compose("a"))
    assert Ledger(tmp_path / "state" / "ledger.jsonl").entries() == (written,)


def test_what_a_living_harness_uses_is_not_abandoned(ledger: Ledger) -> None:
    ledger.add(compose("ours"))
    ledger.add(compose("theirs", **GONE))
    assert [entry.id for entry in ledger.abandoned()] == ["theirs"]


def test_cleanup_removes_the_newest_first_and_strikes_it_out(ledger: Ledger) -> None:
    for name in ("a", "b"):
        ledger.add(compose(name, **GONE))
    seen: list[str] = []

    def remove(entry: Entry) -> int:
        seen.append(entry.project)
        return 3

    done = ledger.cleanup({"compose": remove})
    assert seen == ["b", "a"]
    assert [one.removed for one in done] == [3, 3]
    assert ledger.entries() == ()


def test_what_cannot_be_removed_stays_in_the_book_and_does_not_stop_the_rest(
    ledger: Ledger,
) -> None:
    for name in ("a", "stuck", "c"):
        ledger.add(compose(name, **GONE))

    def remove(entry: Entry) -> int:
        if entry.id == "stuck":
            raise OSError("busy")
        return 1

    problems = {one.entry.id: one.problem for one in ledger.cleanup({"compose": remove})}
    assert problems == {"a": "", "stuck": "busy", "c": ""}
    assert [entry.id for entry in ledger.entries()] == ["stuck"]


def test_a_kind_nobody_here_can_remove_is_a_problem_not_a_silence(ledger: Ledger) -> None:
    ledger.add(compose("a", **GONE))
    (cleaned,) = ledger.cleanup()
    assert cleaned.problem == "nothing here can remove a compose"


def test_everything_means_also_what_a_living_harness_uses(ledger: Ledger) -> None:
    ledger.add(compose("ours"))
    assert len(ledger.cleanup({"compose": lambda _: 1}, everything=True)) == 1


def test_a_pid_that_started_at_another_time_is_somebody_else(ledger: Ledger) -> None:
    born_s = started_s(os.getpid())
    assert born_s is not None
    assert is_same(os.getpid(), born_s)
    assert not is_same(os.getpid(), born_s - 60)
    assert not is_same(None, born_s)
    # Were this taken for ours, the test would not survive it.
    ledger.add(Entry(id="x", kind="process", name="x", pid=os.getpid(), created_s=1.0, **GONE))  # type: ignore[arg-type]
    (cleaned,) = ledger.cleanup()
    assert cleaned.removed == 0


def test_only_a_marked_folder_is_deleted(ledger: Ledger, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    mark_folder(ours)
    theirs.mkdir()
    (theirs / "letter.txt").touch()
    for folder in (ours, theirs):
        path = str(folder)
        ledger.add(Entry(id=path, kind="folder", name="f", path=path, **GONE))  # type: ignore[arg-type]
    problems = {Path(one.entry.path).name: one.problem for one in ledger.cleanup()}
    assert problems["ours"] == ""
    assert "mark" in problems["theirs"]
    assert theirs.exists()
    assert not ours.exists()


def test_a_folder_that_a_kill_left_unmarked_is_empty_and_goes(
    ledger: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    ledger.add(Entry(id="w", kind="folder", name="work", path=str(folder), **GONE))  # type: ignore[arg-type]
    (cleaned,) = ledger.cleanup()
    assert (cleaned.removed, cleaned.problem) == (1, "")
    assert not folder.exists()


def test_a_damaged_line_does_not_hide_the_others(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(compose("a"))
    path = tmp_path / "state" / "ledger.jsonl"
    path.write_text('{"half": \n[1]\n' + path.read_text() + '{"id": "b"}\n', encoding="utf-8")
    assert [entry.id for entry in ledger.entries()] == ["a"]
