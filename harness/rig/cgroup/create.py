"""A cgroup of its own for a process target: made, joined, read, emptied and removed.

A box is made below the cgroup the harness itself is in, so that whatever limits the harness
limits the box too. Under v2 a group that holds processes can have no limited children, so the
nearest ancestor that may have them is taken.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.cgroup import CgroupReader, has_ended, read_pids, read_text
from harness.rig.cgroup.locate import CONTROLLERS, PROC, ROOT, UNIFIED, folders, mounts
from harness.rig.cgroup.v1 import V1Reader
from harness.rig.cgroup.v2 import V2Reader

PREFIX = "dagster-load-harness-"

_PERIOD_US = 100_000  # the kernel's default, and Docker's
_NEEDED_V1 = frozenset({"memory", "cpu", "cpuacct"})
_NEEDED_V2 = frozenset({"memory", "cpu"})
_HINT = (
    "Start the harness as root, inside `systemd-run --user --scope -p Delegate=yes`, or where a "
    "Docker engine answers."
)

# $1: how many procs files follow; after them the command. The shell joins, then becomes it.
_JOIN = (
    'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1" || exit 126; shift; n=$((n - 1)); done; '
    'exec "$@"'
)


class CgroupBox:
    """A cgroup made by us. As a context manager it kills what is inside and removes itself."""

    def __init__(self, name: str, folders: Mapping[str, Path]) -> None:
        """Take charge of an existing box: its folder for each v1 controller, or `UNIFIED`."""
        self.name = name
        self._folders = dict(folders)

    @classmethod
    def create(
        cls, name: str, limits: Limits, *, root: Path = ROOT, proc: Path = PROC
    ) -> CgroupBox:
        """Make an empty box and set its limits.

        Args:
            name: a word; `PREFIX` is put before it where it is missing.
            limits: `None` leaves a resource unlimited. With a memory limit, `swap_bytes=None`
                means no swap (the ECS way), where the kernel counts swap.
            root: where cgroups are mounted.
            proc: the proc file system.

        Raises:
            EnvironmentProblem: no box can be made here, or not with these limits; nothing is
                left behind.
        """
        full = name if name.startswith(PREFIX) else PREFIX + name
        if not re.fullmatch(r"[A-Za-z0-9._-]+", full):
            raise ValueError(f"not a cgroup name: {name!r}")
        box = cls(full, {key: path / full for key, path in _parents(limits, root, proc).items()})
        made = []
        try:
            for folder in box._unique():
                _make_folder(folder)
                made.append(folder)
            for path, value in _settings(box._folders, limits):
                path.write_text(value, encoding="ascii")
        except OSError as error:
            for folder in made:
                _remove_folder(folder)
            raise _problem(f"The cgroup {full} cannot be made.", str(error)) from error
        return box

    def add(self, pid: int) -> None:
        """Move a process in; its later children start inside.

        Raises:
            EnvironmentProblem: the kernel refused.
        """
        try:
            for path in self._procs():
                path.write_text(f"{pid}\n", encoding="ascii")
        except OSError as error:
            what = f"Process {pid} cannot be put into the cgroup {self.name}."
            raise _problem(what, str(error)) from error

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, joining the box before it starts: no moment of it runs outside.

        Exits with 126 where it may not join.
        """
        paths = [str(path) for path in self._procs()]
        return ["/bin/sh", "-c", _JOIN, "sh", str(len(paths)), *paths, *command]

    def reader(self) -> CgroupReader:
        """A new reader of this box."""
        if UNIFIED in self._folders:
            return V2Reader(self._folders[UNIFIED])
        return V1Reader(self._folders)

    def limits(self) -> Limits:
        """The limits as the kernel has them, which may round (memory to whole pages)."""
        return self.reader().limits()

    def pids(self) -> list[int]:
        """The processes inside, ascending."""
        return sorted({pid for path in self._procs() for pid in read_pids(path)})

    def kill(
        self,
        *,
        timeout_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """SIGKILL everything inside, again until it is empty. Never the calling process.

        Raises:
            EnvironmentProblem: something survives for `timeout_s` (stuck in the kernel).
        """
        deadline_s = clock() + timeout_s
        while pids := [pid for pid in self.pids() if pid != os.getpid()]:
            if clock() > deadline_s:
                what = f"Processes in the cgroup {self.name} do not die."
                raise _problem(what, f"still there: {pids}")
            self._kill_once(pids)
            sleep(0.02)

    def remove(
        self,
        *,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remove the empty box. Safe to call twice.

        Raises:
            EnvironmentProblem: it is not empty, or not ours to remove.
        """
        deadline_s = clock() + timeout_s
        for folder in self._unique():
            while (error := _remove_folder(folder)) is not None:
                # The kernel may hold a group busy for a moment after its last process died.
                if error.errno != errno.EBUSY or clock() > deadline_s:
                    what = f"The cgroup {folder} cannot be removed."
                    raise _problem(what, f"{error}; inside: {self.pids()}") from error
                sleep(0.05)

    def __enter__(self) -> CgroupBox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self.remove()

    def _unique(self) -> list[Path]:
        # cpu and cpuacct are often one tree.
        return list(dict.fromkeys(self._folders.values()))

    def _procs(self) -> list[Path]:
        return [folder / "cgroup.procs" for folder in self._unique()]

    def _kill_once(self, pids: Iterable[int]) -> None:
        switch = self._folders.get(UNIFIED, Path()) / "cgroup.kill"
        if UNIFIED in self._folders and switch.exists() and os.getpid() not in self.pids():
            switch.write_text("1", encoding="ascii")
            return
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):  # what stays is reported
                os.kill(pid, signal.SIGKILL)


def available(root: Path = ROOT, proc: Path = PROC) -> str:
    """Why no box can be made here; empty when one can. Tries it, and takes it away again."""
    limits = Limits(cpu_cores=1, memory_bytes=64 << 20, pids=64)
    try:
        with CgroupBox.create(f"probe-{os.getpid()}", limits, root=root, proc=proc) as box:
            tried = subprocess.run(
                box.wrap(["/bin/true"]), capture_output=True, text=True, check=False
            )
            return tried.stderr.strip() if tried.returncode else ""
    except EnvironmentProblem as problem:
        return " ".join(part for part in (problem.what, problem.evidence) if part)


def list_boxes(prefix: str = PREFIX, root: Path = ROOT, proc: Path = PROC) -> list[CgroupBox]:
    """All boxes whose name starts so, anywhere below `root`, by name.

    Those of harnesses at work are among them: name yours, and look at `pids()`.
    """
    boxes: dict[str, list[dict[str, Path]]] = {}
    for mount in mounts(root, proc):
        for folder in _walk(mount.point, prefix):
            same_name = boxes.setdefault(folder.name, [])
            fitting = (each for each in same_name if not mount.controllers & each.keys())
            box = next(fitting, None)
            if box is None:
                same_name.append(box := {})
            box.update(dict.fromkeys(mount.controllers, folder))
    return [CgroupBox(name, each) for name in sorted(boxes) for each in boxes[name]]


def _walk(point: Path, prefix: str) -> Iterator[Path]:
    for here, names, _ in os.walk(point):
        ours = [name for name in names if name.startswith(prefix)]
        names[:] = sorted(set(names) - set(ours))
        yield from (Path(here) / name for name in sorted(ours))


def _problem(what: str, evidence: str) -> EnvironmentProblem:
    return EnvironmentProblem(what, evidence=evidence, hint=_HINT)


# The kernel fills and empties these folders itself; a test puts a kernel of its own here.
def _make_folder(folder: Path) -> None:
    folder.mkdir()


def _remove_folder(folder: Path) -> OSError | None:
    try:
        folder.rmdir()
    except OSError as error:
        return None if has_ended(error) else error
    return None


def _parents(limits: Limits, root: Path, proc: Path) -> dict[str, Path]:
    """The folder below which a box belongs, for each controller."""
    own = folders("self", root, proc)
    if UNIFIED in own:
        tops = [mount.point for mount in mounts(root, proc) if UNIFIED in mount.controllers]
        return {UNIFIED: _v2_parent(own[UNIFIED], tops[0], _with_pids(_NEEDED_V2, limits))}
    missing = _with_pids(_NEEDED_V1, limits) - own.keys()
    if missing:
        evidence = f"controllers out of reach: {', '.join(sorted(missing))}"
        raise _problem("No cgroup can be made here.", evidence)
    return {name: own[name] for name in CONTROLLERS if name in own}


def _with_pids(needed: frozenset[str], limits: Limits) -> frozenset[str]:
    return needed if limits.pids is None else needed | {"pids"}


def _v2_parent(own: Path, top: Path, needed: frozenset[str]) -> Path:
    candidates = [own, *(path for path in own.parents if path.is_relative_to(top))]
    for candidate in candidates:  # first one that is ready: nobody's settings change
        if needed <= _delegated(candidate) and os.access(candidate, os.W_OK):
            return candidate
    refusals = []
    for candidate in candidates:
        try:
            _delegate(candidate, needed)
        except OSError as error:
            refusals.append(f"{candidate}: {error.strerror}")
        else:
            return candidate
    raise _problem("No cgroup can be made here.", "; ".join(refusals))


def _delegated(folder: Path) -> set[str]:
    return set((read_text(folder / "cgroup.subtree_control") or "").split())


def _delegate(folder: Path, needed: frozenset[str]) -> None:
    """Let the children of a group have these controllers, if we may.

    The kernel says EBUSY where the group itself holds processes, ENOENT for a controller it
    was not given.
    """
    words = " ".join(f"+{name}" for name in sorted(needed - _delegated(folder)))
    (folder / "cgroup.subtree_control").write_text(words, encoding="ascii")


def _settings(folders: Mapping[str, Path], limits: Limits) -> Iterator[tuple[Path, str]]:
    """Which file gets which value, in the order the kernel wants them."""
    quota_us = None if limits.cpu_cores is None else round(limits.cpu_cores * _PERIOD_US)
    if UNIFIED in folders:
        yield from _v2_settings(folders[UNIFIED], limits, quota_us)
        return
    if quota_us is not None:
        yield folders["cpu"] / "cpu.cfs_period_us", str(_PERIOD_US)
        yield folders["cpu"] / "cpu.cfs_quota_us", str(quota_us)
    if limits.memory_bytes is not None:
        yield folders["memory"] / "memory.limit_in_bytes", str(limits.memory_bytes)
        with_swap = folders["memory"] / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            yield with_swap, str(limits.memory_bytes + (limits.swap_bytes or 0))
    if limits.pids is not None:
        yield folders["pids"] / "pids.max", str(limits.pids)


def _v2_settings(folder: Path, limits: Limits, quota_us: int | None) -> Iterator[tuple[Path, str]]:
    if quota_us is not None:
        yield folder / "cpu.max", f"{quota_us} {_PERIOD_US}"
    if limits.memory_bytes is not None:
        yield folder / "memory.max", str(limits.memory_bytes)
        swap = folder / "memory.swap.max"
        if swap.exists():
            yield swap, str(limits.swap_bytes or 0)
    if limits.pids is not None:
        yield folder / "pids.max", str(limits.pids)
