"""Containers that are no longer there: what the engine says of why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker.models.containers import Container

from harness.facts.model import Limits
from harness.rig.protocols import ServerDeath
from harness.rig.target.container_logs import tail
from harness.rig.target.readiness import Never, exit_reason
from harness.units import show_bytes


def replica_name(number: int) -> str:
    """How a replica is called in the facts, from 1."""
    return f"code-server-{number}"


def death_of(
    number: int, container: Container, state: Mapping[str, Any], *, on_purpose: bool = False
) -> ServerDeath:
    """What speaks about why a server's container is no longer there.

    Args:
        number: of the replica, from 1.
        container: its container.
        state: what the engine says of it.
        on_purpose: it was killed by a fault.
    """
    exit_code = state.get("ExitCode")
    witnesses = []
    if on_purpose:
        return ServerDeath(
            replica=replica_name(number), exit_code=exit_code, oom=False,
            witnesses=("killed on purpose",), log_tail=tail(container, 20),
        )  # fmt: skip
    if state.get("OOMKilled"):
        witnesses.append("docker inspect: OOMKilled")
    if exit_code == 137:
        witnesses.append("exit code 137 (SIGKILL)")
    return ServerDeath(
        replica=replica_name(number),
        exit_code=exit_code,
        # `OOMKilled` alone is not proof either way; with a SIGKILL nobody else sends, it is enough.
        oom=bool(witnesses),
        witnesses=tuple(witnesses),
        log_tail=tail(container, 20),
    )


def never_serves(container: Container, state: Mapping[str, Any], limits: Limits) -> Never:
    """Why a container that exited before it served will not serve, and the way out."""
    death = death_of(1, container, state)
    hint = ""
    if death.oom and limits.memory_bytes:
        hint = f"Raise the profile's memory (now {show_bytes(limits.memory_bytes)})."
    reason = exit_reason("the container", death.exit_code, oom=death.oom)
    return Never(reason, evidence=death.log_tail, hint=hint)
