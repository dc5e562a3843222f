"""What a results root has seen over the years: its index kept up to date, and old facts removed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from harness.analysis.findings.document import SCHEMA
from harness.analysis.history.entries import entry_of
from harness.analysis.history.outline import Outline
from harness.analysis.history.retention import expired
from harness.analysis.history.types import Entry
from harness.facts.layout import ResultsFolder, parse_results_name
from harness.facts.retention_marker import facts_in, is_kept, remove_facts
from harness.scenarios.collecting import without_collector
from harness.scenarios.history_index import StoredIndex, index_locked, read_index, write_index
from harness.scenarios.trends import keep_trends, told_by, trends_html

BASELINES = "baselines"
"""Nothing is ever removed below a folder of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A results folder. `stamp` is empty where there are no findings."""

    folder: str
    campaign: str
    started_s: float
    path: Path
    stamp: str


def refresh_history(root: Path) -> tuple[Entry, ...]:
    """Every campaign that was ever seen in `root`, ascending; its index is brought up to date.

    Only findings that changed are parsed. May be killed at any moment, and run twice at once.

    Raises:
        EnvironmentProblem: the index cannot be written.
    """
    if not root.is_dir():
        return ()
    with index_locked(root), without_collector():
        stored = read_index(root)
        entries = _current(root, stored)
        foreign = {k: line for k, line in stored.foreign.items() if not (root / k).is_dir()}
        if not stored.whole or tuple(stored.entries.values()) != entries:
            write_index(root, entries, foreign.values())
    return entries


def read_history(root: Path) -> tuple[Entry, ...]:
    """The same without writing, for a root that cannot be written to."""
    return _current(root, read_index(root)) if root.is_dir() else ()


def write_trends(root: Path) -> Path:
    """Bring the index up to date and write `trends.html` of all of it; returns where it is.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    path = trends_html(root)
    keep_trends(told_by(refresh_history(root)), path)
    return path


def prunable(
    root: Path, *, now_s: float, keep_days: float, kept: Collection[str]
) -> tuple[Path, ...]:
    """Results folders whose facts may go and are still there, oldest first.

    Args:
        root: of the results folders.
        now_s: epoch seconds.
        keep_days: how long facts stay.
        kept: names or paths of folders that keep theirs.

    Raises:
        EnvironmentProblem: the index cannot be written.
    """
    if BASELINES in root.resolve().parts:
        return ()
    entries = refresh_history(root)
    safe = {Path(each).name for each in kept}
    old = expired(entries, now_s=now_s, keep_days=keep_days, kept=safe)
    paths = (root / folder for folder in old)
    return tuple(
        path
        for path in paths
        if not path.is_symlink()
        and not is_kept(ResultsFolder(path))
        and facts_in(ResultsFolder(path))
    )


def prune_facts(
    root: Path, *, now_s: float, keep_days: float, kept: Collection[str]
) -> tuple[Path, ...]:
    """Remove the facts of `prunable`; returns the folders. Each then says so itself.

    Raises:
        EnvironmentProblem: something cannot be written or removed.
    """
    paths = prunable(root, now_s=now_s, keep_days=keep_days, kept=kept)
    for path in paths:
        remove_facts(ResultsFolder(path), now_s=now_s, keep_days=keep_days)
    return paths


def _current(root: Path, stored: StoredIndex) -> tuple[Entry, ...]:
    """Stored entries where nothing changed; of folders that are gone as they were."""
    found = {
        place.folder: _entry(place, stored.entries.get(place.folder)) for place in _places(root)
    }
    gone = {
        folder: replace(entry, gone=True) if not entry.gone else entry
        for folder, entry in stored.entries.items()
        if folder not in found
    }
    return tuple(sorted((gone | found).values(), key=lambda entry: (entry.started_s, entry.folder)))


def _places(root: Path) -> Iterator[_Place]:
    with os.scandir(root) as entries:
        for each in entries:
            parsed = parse_results_name(each.name)
            if parsed is None or not each.is_dir():
                continue
            started_utc, campaign = parsed
            path = Path(each.path)
            yield _Place(
                folder=each.name, campaign=campaign, started_s=started_utc.timestamp(), path=path,
                stamp=_stamp(ResultsFolder(path).findings_json),
            )  # fmt: skip


def _stamp(findings: Path) -> str:
    try:
        found = findings.stat()
    except OSError:
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"


def _entry(place: _Place, before: Entry | None) -> Entry:
    if before is not None and before.stamp == place.stamp and not before.gone:
        return before
    entry = _read(place)
    if entry.problem and before is not None and before.valid:
        # What was known once stays known: the facts behind it may be gone.
        return replace(before, stamp=place.stamp, gone=False, problem=entry.problem)
    return entry


def _read(place: _Place) -> Entry:
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


def _problem(place: _Place, problem: str) -> Entry:
    return Entry(
        folder=place.folder, stamp=place.stamp, campaign=place.campaign,
        started_s=place.started_s, subject="", baseline="", host="", harness="", method=0,
        figures=(), problem=problem,
    )  # fmt: skip


@cache
def _outlines() -> TypeAdapter[Outline]:
    return TypeAdapter(Outline)
