"""Who lives in a code server's process tree, and how much memory each kind holds.

A run is a `multiprocessing` spawn child of the server; a step, where the executor makes one, is
a spawn child of a run. In a container the root is often an init: the server is then the first
process below it whose command line says `api grpc`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Literal, Protocol

import psutil

from harness.rig.protocols import DeviceCost, Endpoints, Reading, Watched

COST = DeviceCost(
    name="processes",
    reads="the process tree of every replica: counts and RSS, PSS and handles at every fifth look",
    rate_hz=1.0,
    cost="on the host about 6 ms of CPU a look with 10 runs; PSS walks page tables, 1 to 2 ms a "
    "process more, and briefly holds off that process's own memory calls; by an engine elsewhere a "
    "`ps` on its host, without PSS",
)
PSS_EVERY_LOOKS = 5

Role = Literal["server", "spawned", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One live process of a tree, as seen in one look."""

    pid: int
    parent: int
    role: Role
    rss_bytes: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A tree by kind.

    `in_runs` is every process below the server's run workers, them included; `in_steps`, a part of
    it, every process below the runs' step workers, them included.
    """

    server: Member
    runs: tuple[Member, ...]
    steps: tuple[Member, ...]
    in_runs: tuple[Member, ...]
    in_steps: tuple[Member, ...]


class Tree:
    """The living processes below a pid; never a stranger that was given the same pid later."""

    def __init__(self, pid: int) -> None:
        self._root: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._root = psutil.Process(pid)

    def processes(self) -> list[psutil.Process]:
        """The root first, then all its descendants; empty once the root has ended."""
        if self._root is None:
            return []
        try:
            if not self._root.is_running():
                return []
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []


class ServerTree:
    """One replica's tree, looked at again and again."""

    def __init__(self, pid: int) -> None:
        self._tree = Tree(pid)
        self._spawned: set[psutil.Process] = set()
        self._looks = 0

    def look(self) -> dict[str, float]:
        """Counts and memory by key; empty when there is no server to be seen."""
        alive = {process.pid: process for process in self._tree.processes()}
        self._spawned &= set(alive.values())
        members = [m for m in map(self._member, alive.values()) if m is not None]
        found = sort_members(members)
        if found is None:
            return {}
        values = counts(found)
        if self._looks % PSS_EVERY_LOOKS == 0:
            values |= _pss(found, alive.__getitem__) | _handles(alive[found.server.pid])
        self._looks += 1
        return values

    def _member(self, process: psutil.Process) -> Member | None:
        try:
            with process.oneshot():
                rss_bytes = process.memory_info().rss
                if rss_bytes == 0:  # ended, and waiting to be reaped
                    return None
                return Member(
                    pid=process.pid,
                    parent=process.ppid(),
                    role=self._role(process),
                    rss_bytes=rss_bytes,
                    threads=process.num_threads(),
                )
        except psutil.Error:  # ended between two reads
            return None

    def _role(self, process: psutil.Process) -> Role:
        # Only this answer is final: a fresh fork shows its parent's command line until it execs.
        if process in self._spawned:
            return "spawned"
        role = role_of(process.cmdline())
        if role == "spawned":
            self._spawned.add(process)
        return role


class Look(Protocol):
    """A tree that can be looked at; empty when there is no server to be seen."""

    def look(self) -> dict[str, float]:
        """Counts and memory by key."""


class ProcessesDevice:
    """Keys by replica: `server_rss_bytes runs_rss_bytes steps_rss_bytes resident_runs steps
    server_threads`.

    Every fifth look also `server_pss_bytes runs_pss_bytes steps_pss_bytes` and `server_fds` (open
    handles), absent where the kernel will not tell us (another user's processes). RSS counts shared
    pages once per process; PSS shares them out, so only PSS adds up. The memory of steps is part of
    that of their runs: server and runs make the whole.
    """

    cost = COST

    def __init__(self, trees: Mapping[str, Look]) -> None:
        self._trees = trees

    def read(self) -> Reading:
        """Look once at every tree."""
        return Reading(
            values={
                (name, key): value
                for name, tree in self._trees.items()
                for key, value in tree.look().items()
            }
        )

    def close(self) -> None:
        """Nothing to let go of."""


def offer(endpoints: Endpoints) -> ProcessesDevice | None:
    """The trees of all replicas whose processes can be seen from here, or told by an engine
    elsewhere.
    """
    watched: Iterable[Watched] = endpoints.replicas
    trees: dict[str, Look] = {w.name: ServerTree(w.pid) for w in watched if w.pid is not None}
    if endpoints.elsewhere:
        from harness.rig.telemetry.engine_top import EngineTree, engine_top

        told = {w.name: w.container for w in watched if w.container is not None}
        trees |= {name: EngineTree(engine_top(container)) for name, container in told.items()}
    return ProcessesDevice(trees) if trees else None


def counts(found: Sorted) -> dict[str, float]:
    """What one look tells of a tree, by key; bytes as summed RSS."""
    return {
        "server_rss_bytes": float(found.server.rss_bytes),
        "runs_rss_bytes": float(sum(m.rss_bytes for m in found.in_runs)),
        "steps_rss_bytes": float(sum(m.rss_bytes for m in found.in_steps)),
        "resident_runs": float(len(found.runs)),
        "steps": float(len(found.steps)),
        "server_threads": float(found.server.threads),
    }


def role_of(command_line: list[str]) -> Role:
    """What a process is, by its command line."""
    if "--multiprocessing-fork" in command_line:
        return "spawned"
    # An init repeats the server's whole command line after its own name.
    program = PurePath(command_line[0]).name if command_line else ""
    if program.startswith(("python", "dagster")) and ("api", "grpc") in pairwise(command_line):
        return "server"
    return "other"


def sort_members(members: list[Member]) -> Sorted | None:
    """Tell server, runs and steps apart; `None` when no server is among them.

    Args:
        members: the root first; the rest in any order.
    """
    below: dict[int, list[Member]] = {}
    for member in members:
        below.setdefault(member.parent, []).append(member)
    server = next((m for m in _descend(members[:1], below) if m.role == "server"), None)
    if server is None:
        return None
    runs = [m for m in below.get(server.pid, []) if m.role == "spawned"]
    steps = [m for run in runs for m in below.get(run.pid, []) if m.role == "spawned"]
    return Sorted(
        server=server,
        runs=tuple(runs),
        steps=tuple(steps),
        in_runs=tuple(_descend(runs, below)),
        in_steps=tuple(_descend(steps, below)),
    )


def _descend(roots: list[Member], below: dict[int, list[Member]]) -> list[Member]:
    """The roots and everything below them, nearest first."""
    found = list(roots)
    for member in found:  # grows while we walk it
        found.extend(below.get(member.pid, []))
    return found


def _handles(server: psutil.Process) -> dict[str, float]:
    try:
        return {"server_fds": float(server.num_fds())}
    except psutil.Error:
        return {}


def _pss(found: Sorted, process: Callable[[int], psutil.Process]) -> dict[str, float]:
    try:
        server = process(found.server.pid).memory_full_info().pss
    except psutil.Error:
        return {}
    runs = steps = 0
    in_steps = {member.pid for member in found.in_steps}
    for member in found.in_runs:
        with contextlib.suppress(psutil.NoSuchProcess):
            pss_bytes = process(member.pid).memory_full_info().pss
            runs += pss_bytes
            steps += pss_bytes if member.pid in in_steps else 0
    return {
        "server_pss_bytes": float(server),
        "runs_pss_bytes": float(runs),
        "steps_pss_bytes": float(steps),
    }
