"""A container's process tree as its engine tells it (`docker top`), for servers on another host."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from docker.errors import APIError

from harness.rig.engine_place import reach
from harness.rig.telemetry.processes import Member, counts, role_of, sort_members

COLUMNS = ("pid", "ppid", "rss", "nlwp", "args")
PS_ARGUMENTS = f"-ww -eo {','.join(COLUMNS)}"
"""Whole command lines, however narrow a terminal the engine was started in."""

Top = Callable[[], Mapping[str, Any]]
"""Asks the engine: `Titles` and, a row each, `Processes`. Raises what its client raises."""


class EngineTree:
    """One replica's tree, looked at again and again: the same keys as from here, but no PSS."""

    def __init__(self, top: Top) -> None:
        self._top = top

    def look(self) -> dict[str, float]:
        """Counts and memory by key; empty when there is no server to be seen.

        Raises:
            APIError: the engine cannot run `ps` on its host.
        """
        try:
            rows = self._top().get("Processes") or []
        except APIError as error:
            if error.status_code in (404, 409):  # gone, or it has ended
                return {}
            raise
        found = sort_members(_members(rows))
        return {} if found is None else counts(found)


def engine_top(container: str) -> Top:
    """Asks the engine the environment names for the processes of a container."""
    connect = functools.cache(lambda: reach.here().client(timeout_s=5))  # at the first look

    def top() -> Mapping[str, Any]:
        return cast(Mapping[str, Any], connect().api.top(container, ps_args=PS_ARGUMENTS))

    return top


def _members(rows: Sequence[Sequence[str]]) -> list[Member]:
    """The living processes, the root first. PIDs are those of the engine's host: names, no more."""
    found = [member for row in rows if (member := _member(row)) is not None]
    known = {member.pid for member in found}
    return sorted(found, key=lambda member: member.parent in known)


def _member(row: Sequence[str]) -> Member | None:
    try:
        pid, parent, rss_kib, threads = (int(each) for each in row[:4])
    except ValueError:
        return None
    if rss_kib == 0:  # ended, and waiting to be reaped
        return None
    role = role_of(" ".join(row[4:]).split())
    return Member(pid=pid, parent=parent, role=role, rss_bytes=rss_kib * 1024, threads=threads)
