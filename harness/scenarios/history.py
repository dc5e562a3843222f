"""What a results root has seen over the years: its index kept up to date, and old facts removed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from harness.analysis.history.retention import expired
from harness.analysis.history.types import Entry
from harness.facts.layout import ResultsFolder, trends_html
from harness.facts.retention_marker import facts_in, is_kept, remove_facts
from harness.scenarios.collecting import without_collector
from harness.scenarios.history_index import StoredIndex, index_locked, read_index, write_index
from harness.scenarios.history_reading import Place, places_in, read_all
from harness.scenarios.trends import keep_trends, told_by

BASELINES = "baselines"
"""Nothing is ever removed below a folder of this name."""


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
    safe = {name for each in kept for name in (Path(each).name, Path(each).resolve().name)}
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
    found, unread = dict[str, Entry](), list[Place]()
    for place in places_in(root):
        before = stored.entries.get(place.folder)
        if before is not None and before.stamp == place.stamp and not before.gone:
            found[place.folder] = before
        else:
            unread.append(place)
    for entry in read_all(unread):
        found[entry.folder] = _since(stored.entries.get(entry.folder), entry)
    gone = {
        folder: replace(entry, gone=True) if not entry.gone else entry
        for folder, entry in stored.entries.items()
        if folder not in found
    }
    return tuple(sorted((gone | found).values(), key=lambda entry: (entry.started_s, entry.folder)))


def _since(before: Entry | None, entry: Entry) -> Entry:
    """What was known once stays known: the facts behind it may be gone."""
    if entry.problem and before is not None and before.valid:
        return replace(before, stamp=entry.stamp, gone=False, problem=entry.problem)
    return entry
