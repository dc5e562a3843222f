"""`history.jsonl` of a results root: an entry a line, which outlives the facts and the folders.

Entries are derived from findings, so a line that is damaged or of another schema is made anew; only
where its folder is gone is it carried along as it is, in case another version can read it.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from harness.analysis.history.types import Entry, Figure, Form, Role
from harness.facts.durable import write_text, writing

SCHEMA = 1
"""Of a line; another number means that its keys mean something else."""

SORTS: tuple[tuple[Role, Form], ...] = (
    ("subject", "value"), ("baseline", "value"), ("subject", "ratio"), ("baseline", "ratio"),
)  # fmt: skip
PLAIN = ("folder", "stamp", "campaign", "started_s", "subject", "baseline", "host", "harness",
         "method", "problem", "gone")  # fmt: skip


@dataclass(slots=True)
class StoredIndex:
    """What a file held: entries by folder, `foreign` lines by folder, and whether it was all of it
    that this version would write.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    whole: bool = True


def history_jsonl(root: Path) -> Path:
    """The index of all campaigns in `root`, also of those whose folders are gone."""
    return root / "history.jsonl"


@contextmanager
def index_locked(root: Path) -> Iterator[None]:
    """One process at a time reads and rewrites the index; the system frees it after a kill.

    Raises:
        EnvironmentProblem: no right to write there.
    """
    path = root / ".history.lock"
    with writing(path):
        stream = path.open("a")
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def read_index(root: Path) -> StoredIndex:
    """What is stored; empty where there is nothing yet, or nothing that can be read."""
    stored = StoredIndex()
    try:
        lines = history_jsonl(root).read_bytes().splitlines()
    except OSError:
        return stored
    for line in lines:
        _take(line, stored)
    return stored


def write_index(root: Path, entries: Iterable[Entry], foreign: Iterable[str] = ()) -> None:
    """Replace the index as a whole; for whoever holds `index_locked`.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    lines = [*map(line_of, entries), *foreign]
    write_text(history_jsonl(root), "".join(f"{line}\n" for line in lines))


def line_of(entry: Entry) -> str:
    """An entry as a line; kinds are told once, figures as rows."""
    kinds = {kind: n for n, kind in enumerate(dict.fromkeys(f.kind for f in entry.figures))}
    sorts = {sort: n for n, sort in enumerate(SORTS)}
    rows = [
        [kinds[f.kind], f.key, sorts[f.role, f.form], f.value, f.rounds, f.sd, f.free]
        for f in entry.figures
    ]
    plain = {name: getattr(entry, name) for name in PLAIN}
    document = {"schema": SCHEMA, **plain, "kinds": list(kinds), "figures": rows}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_from(document: Mapping[str, Any]) -> Entry:
    """The entry of a parsed line.

    Raises:
        KeyError, TypeError, ValueError, IndexError: it is none of ours.
    """
    kinds = document["kinds"]
    figures = tuple(
        Figure(
            kind=kinds[kind], key=key, role=SORTS[sort][0], form=SORTS[sort][1], value=value,
            rounds=rounds, sd=sd, free=free,
        )
        for kind, key, sort, value, rounds, sd, free in document["figures"]
    )  # fmt: skip
    return Entry(figures=figures, **{name: document[name] for name in PLAIN})


def _take(line: bytes, stored: StoredIndex) -> None:
    try:
        document = from_json(line)
        folder = document["folder"]
        if document["schema"] == SCHEMA:
            stored.entries[folder] = entry_from(document)
            return
        stored.foreign[folder] = line.decode()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        pass
    stored.whole = False
