"""The index of a results root, whatever happened to it and to the folders."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.history.retention import DAY_S
from harness.analysis.history.types import Entry
from harness.errors import EnvironmentProblem
from harness.scenarios import history_reading
from harness.scenarios.history import prunable, prune_facts, read_history, refresh_history
from harness.scenarios.history_index import entry_from, history_jsonl, line_of
from harness.scenarios.history_reading import Place, places_in, read_all

pytestmark = pytest.mark.unit

Edit = Callable[[dict[str, Any]], None]
Put = Callable[..., Path]
READ_APART = history_reading._read_apart


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def source(repo_root: Path) -> str:
    path = repo_root / "results/baselines/quick-compose/findings.json"
    return path.read_text(encoding="utf-8")


@pytest.fixture
def put(root: Path, source: str) -> Put:
    """Store the findings of the quick campaign as those of some day, changed."""

    def store(day: int, edit: Edit = lambda _: None, *, name: str = "quick") -> Path:
        document = json.loads(source)
        edit(document)
        folder = root / f"202601{day:02}T000000Z-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        return folder

    return store


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders whose findings are parsed."""
    seen: list[str] = []
    whole = history_reading.entry_of

    def spy(folder: str, *rest: Any) -> Entry:
        seen.append(folder)
        return whole(folder, *rest)

    monkeypatch.setattr(history_reading, "entry_of", spy)
    return seen


def lines(root: Path) -> list[str]:
    return history_jsonl(root).read_text(encoding="utf-8").splitlines()


def test_campaigns_come_in_the_order_of_time(root: Path, put: Put) -> None:
    for day in (3, 1, 2):
        put(day)
    (root / "baselines").mkdir()
    entries = refresh_history(root)
    assert [entry.folder[:8] for entry in entries] == ["20260101", "20260102", "20260103"]
    assert all(entry.valid for entry in entries)
    assert len(lines(root)) == 3


def test_a_line_holds_all_of_an_entry(root: Path, put: Put) -> None:
    put(1)
    (entry,) = refresh_history(root)
    assert entry.figures
    assert entry_from(json.loads(line_of(entry))) == entry
    assert refresh_history(root) == (entry,)


def test_only_what_changed_is_parsed(root: Path, put: Put, parsed: list[str]) -> None:
    put(1)
    put(2)
    refresh_history(root)
    parsed.clear()
    refresh_history(root)
    assert parsed == []
    put(2, lambda document: document["campaign"].update(name="other"))
    put(3)
    entries = refresh_history(root)
    assert sorted(folder[:8] for folder in parsed) == ["20260102", "20260103"]
    assert [entry.campaign for entry in entries] == ["quick", "other", "quick"]


def test_an_index_that_is_up_to_date_is_not_written(root: Path, put: Put) -> None:
    put(1)
    refresh_history(root)
    before = history_jsonl(root).stat().st_ino
    refresh_history(root)
    assert history_jsonl(root).stat().st_ino == before


def test_a_folder_that_is_gone_stays_in_the_index(root: Path, put: Put) -> None:
    shutil.rmtree(refresh_and_return(root, put(1)))
    put(2)
    first, second = refresh_history(root)
    assert (first.gone, second.gone) == (True, False)
    assert first.figures == second.figures
    assert refresh_history(root) == (first, second)


def refresh_and_return(root: Path, folder: Path) -> Path:
    refresh_history(root)
    return folder


def test_a_folder_that_came_back_is_not_gone(root: Path, put: Put) -> None:
    shutil.rmtree(refresh_and_return(root, put(1)))
    assert refresh_history(root)[0].gone
    put(1)
    assert not refresh_history(root)[0].gone


@pytest.mark.parametrize(
    "damage",
    [b"", b"not json", b'{"schema": 1, "folder": "x"}', b"[1, 2]", b"\xff\xfe", b"null"],
)
def test_damaged_lines_are_dropped_and_made_anew(root: Path, put: Put, damage: bytes) -> None:
    put(1)
    put(2)
    whole = refresh_history(root)
    good = lines(root)
    history_jsonl(root).write_bytes(damage + b"\n" + good[1].encode() + b"\n")
    assert refresh_history(root) == whole
    assert lines(root) == good


def test_a_line_cut_off_in_the_middle_is_made_anew(root: Path, put: Put) -> None:
    put(1)
    whole = refresh_history(root)
    text = history_jsonl(root).read_bytes()
    history_jsonl(root).write_bytes(text[: len(text) // 2])
    assert refresh_history(root) == whole


def test_lines_of_another_schema_are_made_anew_and_kept_where_that_is_not_possible(
    root: Path, put: Put
) -> None:
    folder = put(1)
    shutil.rmtree(refresh_and_return(root, put(2)))
    whole = refresh_history(root)
    other = [line.replace('"schema":1', '"schema":9', 1) for line in lines(root)]
    history_jsonl(root).write_text("\n".join(other) + "\n", encoding="utf-8")
    assert refresh_history(root) == whole[:1]
    assert whole[0].folder == folder.name
    assert lines(root)[1:] == other[1:]  # its folder is gone: another version may still read it
    assert refresh_history(root) == whole[:1]


def test_a_campaign_without_findings_says_so(root: Path) -> None:
    (root / "20260101T000000Z-quick").mkdir()
    (entry,) = refresh_history(root)
    assert (entry.campaign, entry.valid, entry.problem) == ("quick", False, "without findings.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "findings.json is damaged: Invalid JSON: EOF while parsing"),
        ("[]", "findings.json is damaged: Input should be an object"),
        ('{"schema": 1}', "findings.json is of schema 1; this version reads 2"),
        ('{"schema": 2}', "findings.json is damaged: method: Field required"),
    ],
)
def test_findings_that_cannot_be_read_say_why(root: Path, text: str, problem: str) -> None:
    folder = root / "20260101T000000Z-quick"
    folder.mkdir()
    (folder / "findings.json").write_text(text, encoding="utf-8")
    assert refresh_history(root)[0].problem.startswith(problem)


def test_what_was_known_once_stays_known(root: Path, put: Put) -> None:
    folder = put(1)
    (before,) = refresh_history(root)
    (folder / "findings.json").write_text('{"schema": 3}', encoding="utf-8")
    (after,) = refresh_history(root)
    assert after.figures == before.figures
    assert after.problem == "findings.json is of schema 3; this version reads 2"
    assert refresh_history(root) == (after,)


def test_a_root_that_cannot_be_written_can_still_be_read(
    root: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(1)
    (root / ".history.lock").mkdir()  # nobody can open that
    with pytest.raises(EnvironmentProblem):
        refresh_history(root)
    assert len(read_history(root)) == 1
    assert not history_jsonl(root).exists()


def test_without_a_root_there_is_no_history(tmp_path: Path) -> None:
    assert refresh_history(tmp_path / "none") == ()
    assert read_history(tmp_path / "none") == ()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two processors, a child worth it for three folders; the children that were started."""
    started: list[int] = []

    def spy(places: Sequence[Place], workers: int) -> dict[str, Entry]:
        started.append(workers)
        return READ_APART(places, workers)

    monkeypatch.setattr(history_reading, "_read_apart", spy)
    monkeypatch.setattr(history_reading, "WORTH_A_PROCESS", 3)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr("threading.active_count", lambda: 1)
    return started


def places_of(root: Path, put: Put) -> list[Place]:
    for day in range(1, 9):
        put(day)
    (root / "20260109T000000Z-quick").mkdir()
    return sorted(places_in(root), key=lambda place: place.folder)


def test_many_are_read_by_several_processes_to_the_same_end(
    root: Path, put: Put, children: list[int]
) -> None:
    places = places_of(root, put)
    alone = [entry for place in places for entry in read_all([place])]
    assert children == []
    assert read_all(places) == alone
    assert children == [2]


def test_a_child_that_dies_costs_nothing_but_time(
    root: Path, put: Put, children: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = places_of(root, put)
    whole = read_all(places)
    monkeypatch.setattr(history_reading, "_write_lines", lambda *_: os._exit(9))
    assert read_all(places) == whole
    assert children == [2, 2]


def test_without_room_for_what_children_find_it_is_read_alone(
    root: Path, put: Put, children: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    places = places_of(root, put)
    monkeypatch.setattr(history_reading, "TemporaryFile", full)
    assert all(entry.valid for entry in read_all(places)[:-1])


REFRESH = "import sys; from pathlib import Path; from harness.scenarios.history import \
refresh_history; print(len(refresh_history(Path(sys.argv[1]))))"


def test_two_processes_at_once_leave_a_whole_index(root: Path, put: Put) -> None:
    for day in range(1, 20):
        put(day)
    both = [
        subprocess.Popen([sys.executable, "-c", REFRESH, str(root)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [each.communicate()[0].strip() for each in both] == [b"19", b"19"]
    assert len(lines(root)) == 19
    assert sorted(path.name for path in root.iterdir() if path.is_file()) == [
        ".history.lock", "history.jsonl"
    ]  # fmt: skip


def now_s(entries: tuple[Entry, ...], days: float) -> float:
    return entries[-1].started_s + days * DAY_S


def with_facts(folder: Path) -> Path:
    facts = folder / "cells/c/runs.parquet"
    facts.parent.mkdir(parents=True)
    facts.write_bytes(b"facts")
    return folder


def test_old_facts_go_and_figures_stay(root: Path, put: Put) -> None:
    old, new = with_facts(put(1)), with_facts(put(20))
    entries = refresh_history(root)
    at_s = now_s(entries, 15)
    assert prunable(root, now_s=at_s, keep_days=30, kept=()) == (old,)
    assert (old / "cells/c/runs.parquet").exists()
    assert prune_facts(root, now_s=at_s, keep_days=30, kept=()) == (old,)
    assert not (old / "cells/c/runs.parquet").exists()
    assert (new / "cells/c/runs.parquet").exists()
    assert refresh_history(root) == entries
    assert prune_facts(root, now_s=at_s, keep_days=30, kept=()) == ()


@pytest.mark.parametrize("wish", ["pinned by name", "pinned by path", "a file .keep"])
def test_what_somebody_wants_stays(root: Path, put: Put, wish: str) -> None:
    old = with_facts(put(1))
    with_facts(put(20))
    kept = {"pinned by name": [old.name], "pinned by path": [str(old)]}.get(wish, [])
    if not kept:
        (old / ".keep").touch()
    at_s = now_s(refresh_history(root), 100)
    assert prune_facts(root, now_s=at_s, keep_days=30, kept=kept) == ()


def test_a_link_to_results_elsewhere_is_left_alone(root: Path, put: Put, tmp_path: Path) -> None:
    elsewhere = tmp_path / put(1).name
    with_facts(put(1)).rename(elsewhere)
    (root / elsewhere.name).symlink_to(elsewhere)
    with_facts(put(20))
    at_s = now_s(refresh_history(root), 100)
    assert prune_facts(root, now_s=at_s, keep_days=30, kept=()) == ()


def test_baselines_are_never_touched(tmp_path: Path, source: str) -> None:
    root = tmp_path / "baselines" / "versions"
    for day in (1, 2):
        folder = root / f"2026010{day}T000000Z-quick"
        folder.mkdir(parents=True)
        (folder / "findings.json").write_text(source, encoding="utf-8")
        with_facts(folder)
    at_s = now_s(refresh_history(root), 1000)
    assert prune_facts(root, now_s=at_s, keep_days=1, kept=()) == ()
