"""Where the cgroup of a process is, on this machine.

On a hybrid machine (v1 controllers beside a v2 tree) the version is whichever holds the memory
controller: the v2 tree beside v1 controllers serves only to group processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from harness.rig.cgroup import CgroupReader
from harness.rig.cgroup.v1 import V1Reader
from harness.rig.cgroup.v2 import V2Reader

Version = Literal["v1", "v2"]

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")

CONTROLLERS = ("memory", "cpu", "cpuacct", "pids")
"""What we read under v1. Only `memory` and `cpuacct` are indispensable."""

UNIFIED = "unified"
"""Our name for the v2 tree, where v1 has a controller's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mounted cgroup tree. `top` is the cgroup that appears at `point`."""

    point: Path
    top: str
    controllers: frozenset[str]


def mounts(root: Path = ROOT, proc: Path = PROC) -> list[Mount]:
    """The cgroup trees mounted at or below `root`; empty where the kernel offers none."""
    try:
        lines = (proc / "self" / "mountinfo").read_text().splitlines()
    except OSError:
        return []
    found = [mount for line in lines if (mount := _parse_mount(line)) is not None]
    return [mount for mount in found if mount.point.is_relative_to(root)]


def _parse_mount(line: str) -> Mount | None:
    # proc_pid_mountinfo(5): the number of optional fields before the lone dash varies.
    left, _, right = line.partition(" - ")
    top, point = left.split()[3:5]
    kind, _, options = right.split(maxsplit=2)
    if kind not in ("cgroup", "cgroup2"):
        return None
    names = {UNIFIED} if kind == "cgroup2" else set(options.split(",")) & set(CONTROLLERS)
    return Mount(point=Path(point), top=top, controllers=frozenset(names))


def version_here(root: Path = ROOT, proc: Path = PROC) -> Version | None:
    """The version that accounts for memory on this machine; `None` where none does."""
    for mount in mounts(root, proc):
        if "memory" in mount.controllers:
            return "v1"
    for mount in mounts(root, proc):
        if UNIFIED in mount.controllers and "memory" in _offered(mount.point):
            return "v2"
    return None


def _offered(folder: Path) -> list[str]:
    try:
        return (folder / "cgroup.controllers").read_text().split()
    except OSError:
        return []


def folders(pid: int | Literal["self"], root: Path = ROOT, proc: Path = PROC) -> dict[str, Path]:
    """The folders of a process's cgroup by controller name (v1), or by `UNIFIED` (v2).

    A controller whose folder cannot be seen from here is left out; empty when the process has
    ended.
    """
    version = version_here(root, proc)
    wanted = (UNIFIED,) if version == "v2" else CONTROLLERS
    paths = dict(_memberships(pid, proc))
    found: dict[str, Path] = {}
    for mount in mounts(root, proc):
        for name in mount.controllers & set(wanted) & paths.keys():
            folder = _resolve(mount, paths[name])
            if folder is not None and name not in found:
                found[name] = folder
    return found


def _memberships(pid: int | Literal["self"], proc: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, names, path = line.split(":", 2)
        for name in names.split(",") if names else [UNIFIED if number == "0" else ""]:
            yield name, path


def _resolve(mount: Mount, path: str) -> Path | None:
    """The folder of cgroup `path` under a mount, or `None` when it is not below its top.

    Both are given as seen from our cgroup namespace; a leading `/..` is outside of it.
    """
    try:
        below = PurePosixPath(path).relative_to(mount.top)
    except ValueError:
        return None
    if ".." in below.parts:
        return None
    folder = mount.point / below
    return folder if folder.is_dir() else None


def find(pid: int, root: Path = ROOT, proc: Path = PROC) -> CgroupReader | None:
    """A reader of the cgroup a process is in, also of a container's, seen from the host.

    The caller vouches that the cgroup is the process's own: a process that was never put into
    one shares its parent's.

    Returns:
        `None` when the process has ended, or its memory or CPU time is not accounted for here.
    """
    found = folders(pid, root, proc)
    if UNIFIED in found:
        folder = found[UNIFIED]
        # The root of the v2 tree, and a group without the controller, have no such file.
        return V2Reader(folder) if (folder / "memory.current").exists() else None
    found = _without_tops(found, mounts(root, proc))
    return V1Reader(found) if {"memory", "cpuacct"} <= found.keys() else None


def _without_tops(found: dict[str, Path], known: list[Mount]) -> dict[str, Path]:
    """Only the controllers that single the process out, where memory does.

    A process limited by some controllers alone sits in the top group of the others, and there
    the numbers are everybody's.
    """
    tops = {mount.point for mount in known}
    if found.get("memory") in tops:
        return found
    return {name: folder for name, folder in found.items() if folder not in tops}
