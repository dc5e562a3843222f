"""The ledger: everything the harness has started and not yet taken down.

Written before a thing is used and struck out after it is gone, so that `harness down` finds
what a `kill -9`, a lost terminal or a power cut left behind. One JSON line an entry.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import psutil

from harness.errors import EnvironmentProblem
from harness.facts.durable import write_text
from harness.rig.assets import state_dir

TOKEN_VARIABLE = "DAGSTER_LOAD_HARNESS_CHILD"
"""Every child carries its entry's id here: that is how its orphans are recognised."""

MARKER = ".dagster-load-harness"
SAME_START_S = 1.0
KILLED_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that exists because of us. Unused fields are empty.

    `kind`: `process` (pid, created_s), `cgroup` (box: its name), `folder` (path), `compose`
    (project; `engine`, the address of the engine it is on, and for one with TLS path its folder of
    keys, box `unverified` where the certificate is not checked), `external` (runs at a webserver:
    project its address, path the file of headers, box that of certificates). `owner_*` is the
    harness process responsible; while it lives, the entry is its business. Stamps are epoch
    seconds; a pid alone proves nothing, it may have been reused.
    """

    id: str
    kind: str
    name: str
    pid: int | None = None
    created_s: float | None = None
    box: str = ""
    path: str = ""
    project: str = ""
    engine: str = ""
    at_s: float = field(default_factory=time.time)
    owner_pid: int = field(default_factory=os.getpid)
    owner_created_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What became of one entry. `problem` is empty when nothing of it is left."""

    entry: Entry
    removed: int = 0
    problem: str = ""


Remover = Callable[[Entry], int]
"""Removes what an entry names; how many things were there. Raises when it cannot."""


class Ledger:
    """The file, safe for several harness processes at once."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_dir() / "ledger.jsonl"

    @classmethod
    def default(cls) -> Ledger:
        """The user's own, in the state folder: the one `harness down` reads."""
        return cls()

    def add(self, entry: Entry) -> Entry:
        """Write an entry, stamped with its owner."""
        owned = entry
        if entry.owner_created_s is None:
            owned = replace(entry, owner_created_s=started_s(entry.owner_pid))
        with self._locked():
            self._write([*self._read(), owned])
        return owned

    def remove(self, entry_id: str) -> None:
        """Strike out an entry; no error when it is not there."""
        with self._locked():
            self._write([e for e in self._read() if e.id != entry_id])

    def entries(self) -> tuple[Entry, ...]:
        """Everything still in the book, oldest first."""
        with self._locked():
            return tuple(self._read())

    def abandoned(self) -> tuple[Entry, ...]:
        """Entries whose owner no longer lives, oldest first."""
        return tuple(e for e in self.entries() if not is_same(e.owner_pid, e.owner_created_s))

    def cleanup(
        self, removers: dict[str, Remover] | None = None, *, everything: bool = False
    ) -> tuple[Cleaned, ...]:
        """Remove what is abandoned, newest first, and strike it out.

        Args:
            removers: by kind; `process` and `folder` need none. A kind without one stays.
            everything: also what a living harness still uses.
        """
        known: dict[str, Remover] = {
            "process": kill_entry,
            "folder": remove_folder,
            **(removers or {}),
        }
        done = []
        for entry in reversed(self.entries() if everything else self.abandoned()):
            cleaned = _clean(entry, known.get(entry.kind))
            if not cleaned.problem:
                self.remove(entry.id)
            done.append(cleaned)
        return tuple(done)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        _make_folder_of(self._path)
        with exclusive(self._path.with_suffix(".lock")):
            yield

    def _read(self) -> list[Entry]:
        if not self._path.exists():
            return []
        known = {f.name for f in fields(Entry)}
        entries = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(Entry(**{k: v for k, v in json.loads(line).items() if k in known}))
            except (ValueError, TypeError, AttributeError):
                continue  # a line of another version, or half a line: it must not block `down`
        return entries

    def _write(self, entries: list[Entry]) -> None:
        # Durably: what a power cut leaves running (a cgroup, a container) must still be in it.
        write_text(self._path, "".join(json.dumps(asdict(e)) + "\n" for e in entries))


def _make_folder_of(path: Path) -> None:
    """Make the folder of the ledger, and its lock.

    Raises:
        EnvironmentProblem: it cannot be written: what is started could not be found again.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".lock").touch()
    except OSError as error:
        raise EnvironmentProblem(
            "The list of what is running cannot be written.",
            evidence=f"{path}: {error.strerror}",
            hint="Set DAGSTER_LOAD_HARNESS_STATE to a folder you may write.",
        ) from error


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file against other processes and threads; the kernel frees it on a crash."""
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def started_s(pid: int) -> float | None:
    """When a living process started (epoch seconds); `None` when there is none, or a zombie."""
    try:
        process = psutil.Process(pid)
        return process.create_time() if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def is_same(pid: int | None, created_s: float | None) -> bool:
    """Whether the process of that pid is still the one that started then."""
    if pid is None or created_s is None:
        return False
    now = started_s(pid)
    return now is not None and abs(now - created_s) < SAME_START_S


def kill_entry(entry: Entry) -> int:
    """Kill a process entry's process, its descendants and its orphans; how many there were."""
    victims: dict[int, psutil.Process] = {p.pid: p for p in with_token(entry.id)}
    if is_same(entry.pid, entry.created_s) and entry.pid is not None:
        try:
            root = psutil.Process(entry.pid)
            victims |= {p.pid: p for p in [root, *root.children(recursive=True)]}
        except psutil.Error:
            pass
    for victim in victims.values():
        try:
            victim.kill()
        except psutil.Error:
            continue
    wait_gone(victims.values())
    return len(victims)


def mark_folder(folder: Path) -> None:
    """Make a folder that `remove_folder` will agree to delete."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()


def remove_folder(entry: Entry) -> int:
    """Delete a folder entry's folder; 1 if it was there.

    Raises:
        ValueError: it is not empty and does not carry our mark; nothing was deleted.
    """
    folder = Path(entry.path)
    if not folder.exists():
        return 0
    if not any(folder.iterdir()):  # a kill came between making and marking it
        folder.rmdir()
        return 1
    if not (folder / MARKER).is_file():
        raise ValueError(f"{folder} does not carry the harness's mark")
    shutil.rmtree(folder)
    return 1


def with_token(token: str) -> list[psutil.Process]:
    """Living processes that inherited the token of a ledger entry, not ourselves."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN_VARIABLE) == token and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError, ValueError):
            continue
    return found


def wait_gone(victims: Iterable[psutil.Process]) -> None:
    """Until none runs. Not `psutil.wait_procs`: it would reap a child its owner waits for."""
    deadline_s = time.monotonic() + KILLED_WITHIN_S
    while any(_runs(victim) for victim in victims) and time.monotonic() < deadline_s:
        time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _clean(entry: Entry, remover: Remover | None) -> Cleaned:
    if remover is None:
        return Cleaned(entry=entry, problem=f"nothing here can remove a {entry.kind}")
    try:
        return Cleaned(entry=entry, removed=remover(entry))
    except Exception as error:
        return Cleaned(entry=entry, problem=str(error) or type(error).__name__)


__all__ = [
    "TOKEN_VARIABLE", "Cleaned", "Entry", "Ledger", "Remover", "exclusive", "is_same",
    "kill_entry", "mark_folder", "remove_folder", "started_s", "state_dir", "wait_gone",
    "with_token",
]  # fmt: skip
