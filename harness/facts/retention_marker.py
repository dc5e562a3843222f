"""That facts were removed on purpose, told by a file in their place.

It is written before the first file goes: whoever reads a folder in between must not take it for
damaged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import StoredDataError
from harness.facts.durable import write_text, writing
from harness.facts.layout import ResultsFolder

MARKER = "facts-removed.json"
KEEP = ".keep"
"""Whoever puts a file of this name into a results folder keeps all of it for ever."""
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsRemoved:
    """When, why, and how much; `keep_days` is `None` where the marker cannot be read."""

    removed_utc: str
    keep_days: float | None
    files: int
    bytes: int


def facts_removed(folder: ResultsFolder) -> FactsRemoved | None:
    """What retention took of this folder; `None` where it took nothing.

    A marker that cannot be read still says that facts were removed.
    """
    path = folder.path / MARKER
    if not path.exists():
        return None
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        said = json.loads(path.read_text(encoding="utf-8"))
        said.pop("schema")
        return FactsRemoved(**said)
    return FactsRemoved(removed_utc="", keep_days=None, files=0, bytes=0)


def refuse_removed(folder: ResultsFolder) -> None:
    """For whoever is about to read facts.

    Raises:
        StoredDataError: retention removed them.
    """
    removed = facts_removed(folder)
    if removed is None:
        return
    day = removed.removed_utc[:10]
    kept = "some time" if removed.keep_days is None else f"{removed.keep_days:g} days"
    raise StoredDataError(
        f"The facts of {folder.path} were removed{f' on {day}' if day else ''} by retention.",
        evidence=f"Facts are kept for {kept} ({MARKER} says so).",
        hint=f"{_what_is_left(folder)} To keep the facts of a campaign for ever, put a file {KEEP} "
        "into its folder.",
    )


def _what_is_left(folder: ResultsFolder) -> str:
    """What can still be read of it, or how to get it back."""
    files = (folder.report_html, folder.report_md, folder.findings_json)
    there = [path.name for path in files if path.exists()]
    if there:
        return f"What was found is still there: {', '.join(there)}."
    return f"Without facts {folder.findings_json.name} cannot be made anew: restore it from a copy."


def is_kept(folder: ResultsFolder) -> bool:
    """Whether somebody wants this folder whole."""
    return (folder.path / KEEP).exists()


def facts_in(folder: ResultsFolder) -> list[Path]:
    """The files that retention would remove: runs, samples, parts and logs of every cell, also of
    those that were measured anew.
    """
    return [path for cell in _cells(folder) for path in _facts_of(cell)]


def remove_facts(folder: ResultsFolder, *, now_s: float, keep_days: float) -> FactsRemoved | None:
    """Remove the facts and say so; `None` where there were none. May be repeated at any point.

    Args:
        folder: of a campaign that nobody measures or reads now.
        now_s: epoch seconds.
        keep_days: told as the reason.

    Raises:
        EnvironmentProblem: no right to, or no room for the marker.
    """
    files = facts_in(folder)
    if not files:
        return None
    # After a kill some of what the marker tells of is still there: it must not count twice.
    before = facts_removed(folder)
    removed = FactsRemoved(
        removed_utc=datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds"),
        keep_days=keep_days,
        files=max(len(files), before.files if before else 0),
        bytes=max(size_of(files), before.bytes if before else 0),
    )
    document = {"schema": SCHEMA, **asdict(removed)}
    write_text(folder.path / MARKER, json.dumps(document, indent=2) + "\n")
    with writing(folder.path):
        for path in files:
            path.unlink(missing_ok=True)
    for path in (path for cell in _cells(folder) for path in _trees(cell)):
        shutil.rmtree(path, ignore_errors=True)
    return removed


def size_of(files: Iterable[Path]) -> int:
    """Together, in bytes; a file that just went counts nothing."""
    total = 0
    for path in files:
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _cells(folder: ResultsFolder) -> list[Path]:
    return [cell for top in (folder.cells, folder.path / "superseded") for cell in top.glob("*")]


def _facts_of(cell: Path) -> Iterator[Path]:
    merged = (cell / "runs.parquet", cell / "samples.parquet")
    yield from (path for path in merged if path.is_file())
    for tree in _trees(cell):
        yield from (path for path in tree.rglob("*") if path.is_symlink() or not path.is_dir())


def _trees(cell: Path) -> list[Path]:
    """What goes as a whole; a link leads to what is not ours."""
    trees = (cell / "parts", cell / "logs")
    return [tree for tree in trees if tree.is_dir() and not tree.is_symlink()]
