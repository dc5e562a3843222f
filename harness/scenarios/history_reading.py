"""Findings of results folders as entries, many at a time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from harness.analysis.findings.document import SCHEMA
from harness.analysis.history.entries import entry_of
from harness.analysis.history.outline import Outline
from harness.analysis.history.types import Entry
from harness.facts.layout import ResultsFolder, parse_results_name
from harness.scenarios.history_index import entry_from, line_of

WORTH_A_PROCESS = 100
"""Folders: for fewer a process costs more than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A results folder. `stamp` tells its findings from later ones; empty where there are none."""

    folder: str
    campaign: str
    started_s: float
    path: Path
    stamp: str


def places_in(root: Path) -> Iterator[Place]:
    """Every results folder there is, in no order."""
    with os.scandir(root) as entries:
        for each in entries:
            parsed = parse_results_name(each.name)
            if parsed is None or not each.is_dir():
                continue
            started_utc, campaign = parsed
            path = Path(each.path)
            yield Place(
                folder=each.name, campaign=campaign, started_s=started_utc.timestamp(), path=path,
                stamp=_stamp(ResultsFolder(path).findings_json),
            )  # fmt: skip


def read_all(places: Sequence[Place]) -> list[Entry]:
    """The entry of each, in their order; what cannot be read is an entry that says why.

    A root of years is read by all processors: children of this process, where it has one thread
    (a fork of several may inherit a lock that nobody will open).
    """
    workers = min(len(os.sched_getaffinity(0)), len(places) // WORTH_A_PROCESS)
    found: dict[str, Entry] = {}
    if workers > 1 and threading.active_count() == 1:
        with suppress(OSError):
            found = _read_apart(places, workers)
    return [found.get(place.folder) or _read(place) for place in places]


def _read_apart(places: Sequence[Place], workers: int) -> dict[str, Entry]:
    """By folder, of those children that came to their end."""
    context, found = get_context("fork"), dict[str, Entry]()
    with ExitStack() as files:
        children = []
        for number in range(workers):
            file = files.enter_context(TemporaryFile())
            child = context.Process(target=_write_lines, args=(places[number::workers], file))
            child.start()
            children.append((child, file))
        for child, file in children:
            child.join()
            if child.exitcode == 0:
                file.seek(0)
                found |= {entry.folder: entry for entry in map(entry_from, map(from_json, file))}
    return found


def _write_lines(places: Sequence[Place], file: IO[bytes]) -> None:
    """In a child. It waits for nobody, so that it ends by itself whatever becomes of its parent:
    until then it holds the lock that its parent held.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A line is sooner written and read again than an entry is pickled.
    file.writelines(f"{line_of(_read(place))}\n".encode() for place in places)
    file.flush()


def _stamp(findings: Path) -> str:
    try:
        found = findings.stat()
    except OSError:
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"


def _read(place: Place) -> Entry:
    if not place.stamp:
        return _problem(place, "without findings.json")
    try:
        text = ResultsFolder(place.path).findings_json.read_bytes()
    except OSError as error:
        return _problem(place, f"findings.json: {error.strerror}")
    try:
        findings = _outlines().validate_json(text)
    except ValidationError as error:
        return _problem(place, _what_is_wrong(text, error))
    if findings.schema != SCHEMA:
        return _problem(place, _other_schema(findings.schema))
    entry = entry_of(place.folder, place.stamp, place.started_s, findings)
    return replace(entry, campaign=entry.campaign or place.campaign)


def _what_is_wrong(text: bytes, error: ValidationError) -> str:
    with suppress(ValueError, AttributeError):
        schema = from_json(text).get("schema")
        if schema != SCHEMA:
            return _other_schema(schema)
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"findings.json is damaged: {where + ': ' if where else ''}{first['msg']}"


def _other_schema(schema: object) -> str:
    return f"findings.json is of schema {schema}; this version reads {SCHEMA}"


def _problem(place: Place, problem: str) -> Entry:
    return Entry(
        folder=place.folder, stamp=place.stamp, campaign=place.campaign,
        started_s=place.started_s, subject="", baseline="", host="", harness="", method=0,
        figures=(), problem=problem,
    )  # fmt: skip


@cache
def _outlines() -> TypeAdapter[Outline]:
    return TypeAdapter(Outline)
