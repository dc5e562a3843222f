"""What the server's worker threads are doing, seen from outside while the server runs on.

The pool probe says how many workers are busy; this says with what.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Protocol

import psutil

from harness.facts.model import Event
from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.processes import Tree, role_of
from harness.rig.telemetry.py_spy import Dump, PySpy, find_command
from harness.rig.telemetry.sampler import CostLedger
from harness.rig.telemetry.stack_dump import counts, most_common, parse

COST = DeviceCost(
    name="stacks",
    reads="what the server's gRPC workers are doing; only where the `py-spy` command is found "
    "(the extra `stacks`) and may read other processes",
    rate_hz=0.2,
    cost="20 to 40 ms of CPU a look and replica, outside the server's limits; the server is not "
    "paused",
)
PATIENCE_S = 4.0  # below one beat
STACKS_TOLD = 5


class Spy(Protocol):
    """Dumps the process with this pid, and gives up after so many seconds."""

    def __call__(self, pid: int, timeout_s: float) -> Dump: ...
    def close(self) -> None: ...


class ServerPid:
    """The pid, on this host, of the Python process that serves: in a container below an init."""

    def __init__(self, root: int) -> None:
        self._tree = Tree(root)
        self._found: psutil.Process | None = None

    def __call__(self) -> int | None:
        """The pid; `None` when no server is to be seen."""
        if self._found is None or not self._found.is_running():
            self._found = self._search()
        return self._found.pid if self._found is not None else None

    def _search(self) -> psutil.Process | None:
        # Parents come first: a fresh fork looks like the server until it execs, but is below it.
        for process in self._tree.processes():
            with contextlib.suppress(psutil.Error):  # it may end at any moment
                if role_of(process.cmdline()) == "server":
                    return process
        return None


class StacksDevice:
    """Keys by replica: `launching sensor idle database other`, numbers of gRPC worker threads.

    `dump_failed` is 0 or 1: the server changes while it is read, so now and then a look finds
    nothing that fits together. At every second look at most, an event `stack` with the most
    common stacks of what is at work, most shared first: `stacks`, each with `kind` (`None`: not
    a worker), `threads`, `active` and the innermost `frames`.

    Args:
        servers: by replica name, who knows its server's pid just now.
        spy: makes a dump; closed with the device.
        ledger: charged with what the dumps cost, beside this device's own thread.
        clock: epoch seconds.
    """

    cost = COST

    def __init__(
        self,
        servers: Mapping[str, Callable[[], int | None]],
        spy: Spy,
        *,
        ledger: CostLedger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._servers = dict(servers)
        self._spy = spy
        self._ledger = ledger
        self._clock = clock
        self._told: set[str] = set()

    def read(self) -> Reading:
        """Look once at every replica whose server is there.

        Raises:
            OSError: py-spy cannot be started.
        """
        reading = Reading()
        patience_s = PATIENCE_S / len(self._servers)
        for name, find in self._servers.items():
            pid = find()
            if pid is not None:
                dump = self._spy(pid, patience_s)
                self._ledger.add(COST.name, dump.cpu_s)
                self._take(name, dump, reading)
        return reading

    def close(self) -> None:
        """End a look under way. Safe to call twice."""
        self._spy.close()

    def _take(self, name: str, dump: Dump, reading: Reading) -> None:
        try:
            threads = parse(dump.text)
        except ValueError:
            reading.values[name, "dump_failed"] = 1.0
            return
        reading.values[name, "dump_failed"] = 0.0
        for kind, number in counts(threads).items():
            reading.values[name, kind] = float(number)
        stacks = [] if name in self._told else most_common(threads, STACKS_TOLD)
        self._told.discard(name)
        if stacks:
            self._told.add(name)
            detail = {"stacks": [asdict(stack) | {"frames": [*stack.frames]} for stack in stacks]}
            event = Event(at_s=self._clock(), kind="stack", source=name, detail=detail)
            reading.events.append(event)


def offer(endpoints: Endpoints, ledger: CostLedger) -> StacksDevice | None:
    """The stacks of all servers whose processes can be seen, where py-spy is there and may look."""
    command = find_command()
    servers = {r.name: ServerPid(r.pid) for r in endpoints.replicas if r.pid is not None}
    if command is None or not servers:
        return None
    spy = PySpy(command)
    return StacksDevice(servers, spy, ledger=ledger) if _may_look(servers, spy) else None


def _may_look(servers: Mapping[str, Callable[[], int | None]], spy: Spy) -> bool:
    """One look tells; one that fails for another reason may succeed the next time."""
    pids = [pid for find in servers.values() if (pid := find()) is not None]
    try:
        return not (pids and spy(pids[0], PATIENCE_S).refused)
    except OSError:  # a command this machine cannot run
        return False
