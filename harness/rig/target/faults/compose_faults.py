"""What can be broken in a cell's Compose project, and how each is taken back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container

from harness.campaign.faults import FaultKind
from harness.errors import TargetFailed
from harness.rig.breaking import Broken, StaysBroken
from harness.rig.target.compose_project import ComposeProject
from harness.rig.target.faults.helper import AT_MOST_S, HelperOrder, run_helper

DISKS: Mapping[FaultKind, str] = {
    "server-disk-full": "scratch",
    "database-disk-full": "database",
}
"""The volume of `compose/compose.yaml` that is filled."""

DISK_MIB: Mapping[FaultKind, int] = {"server-disk-full": 512, "database-disk-full": 2048}
"""A volume that is to be filled gets a file system of its own, in memory, so that no disk of the
host is filled. Postgres keeps up to 1 GiB of its write-ahead log there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """Something broken by a call of the engine, and the call that takes it back."""

    at_s: float
    detail: Mapping[str, Any]
    undo: Callable[[], object] = lambda: None

    def mend(self) -> None:
        """Take it back.

        Raises:
            TargetFailed: the engine refused.
        """
        try:
            self.undo()
        except (DockerException, OSError) as error:  # OSError: the engine did not answer in time
            raise TargetFailed("What was broken stays broken.", evidence=str(error)) from error


class ComposeFaults:
    """Breaks the parts of one project.

    `killed`: ids of the containers that were killed on purpose.

    Args:
        project: whose.
        image: has a Python to break things with.
        here: a stamp of the engine's host on our clock.
        clock: ours, epoch seconds.
    """

    def __init__(
        self,
        project: ComposeProject,
        image: str,
        *,
        here: Callable[[float], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._project = project
        self._image = image
        self._here = here
        self._clock = clock
        self.killed: set[str] = set()

    def break_(self, kind: FaultKind) -> Broken:
        """See `harness.rig.breaking.Breakable`."""
        try:
            return self._by_kind()[kind]()
        except (DockerException, OSError) as error:
            raise TargetFailed(f"{kind} could not be done.", evidence=str(error)) from error

    def _by_kind(self) -> Mapping[FaultKind, Callable[[], Broken]]:
        return {
            "database-pause": self._pause_database,
            "server-kill": self._kill_server,
            "run-kill": self._kill_run,
            "network-cut": self._cut_network,
            "server-disk-full": lambda: self._fill("server-disk-full"),
            "database-disk-full": lambda: self._fill("database-disk-full"),
        }

    @property
    def _server(self) -> Container:
        return self._project.container("code-server")

    def _pause_database(self) -> Broken:
        database = self._project.container("postgres")
        at_s = self._clock()
        try:
            database.pause()
        except (DockerException, OSError):  # it may have been done all the same
            _make_run(database)
            raise
        return Undone(at_s=at_s, detail={"container": database.name}, undo=database.unpause)

    def _kill_server(self) -> Broken:
        server = self._server
        self.killed.add(str(server.id))  # before it is: whoever watches may see it dead at once
        at_s = self._clock()
        try:
            server.kill()
        except (DockerException, OSError):
            self.killed.discard(str(server.id))
            raise
        return Undone(at_s=at_s, detail={"container": server.name})

    def _kill_run(self) -> Broken:
        shares = {"pid_mode": f"container:{self._server.id}"}
        return self._run(HelperOrder(script="kill_run.py", shares=shares, lasts=False))

    def _cut_network(self) -> Broken:
        shares = {"network_mode": f"container:{self._server.id}", "cap_add": ["NET_ADMIN"]}
        return self._run(
            HelperOrder(script="cut_network.py", arguments=(f"{AT_MOST_S:g}",), shares=shares)
        )

    def _fill(self, kind: FaultKind) -> Broken:
        volume = f"{self._project.name}_{DISKS[kind]}"
        shares = {"volumes": {volume: {"bind": "/full", "mode": "rw"}}, "network_mode": "none"}
        return self._run(
            HelperOrder(script="fill_disk.py", arguments=("/full", f"{AT_MOST_S:g}"), shares=shares)
        )

    def _run(self, order: HelperOrder) -> Broken:
        broken = run_helper(self._project.engine(), self._image, self._project.name, order)
        broken.at_s = self._here(broken.at_s)
        return broken


def _make_run(container: Container) -> None:
    """Whatever became of a pause, take it back.

    Raises:
        StaysBroken: nobody knows whether it stands still.
    """
    try:
        container.reload()
        if container.status == "paused":
            container.unpause()
    except (DockerException, OSError) as error:
        raise StaysBroken("What may be paused stays so.", evidence=str(error)) from error


def disks_override(kinds: Collection[FaultKind]) -> str:
    """A Compose file (JSON) that gives each disk to be filled a small file system; empty text
    where none is.
    """
    volumes = {
        DISKS[kind]: {
            "driver": "local",
            "driver_opts": {
                "type": "tmpfs", "device": "tmpfs", "o": f"size={DISK_MIB[kind]}m,mode=1777",
            },
        }
        for kind in DISKS
        if kind in kinds
    }  # fmt: skip
    return json.dumps({"volumes": volumes}, indent=2) + "\n" if volumes else ""
