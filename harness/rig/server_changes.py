"""What differs between two servers, by the records of their cells."""

from __future__ import annotations

from typing import Any

from harness.facts.model import Cell, Limits
from harness.units import show_bytes, show_cores

_CHANCE = ("project", "limits_reason", "clock")
"""What a target tells of itself that may be another with every server."""

_SOFTWARE = ("dagster_version", "lock", "wheels", "environment", "images", "postgres", "engine")


def server_changes(before: Cell, after: Cell) -> tuple[str, ...]:
    """Of one cell's servers: target, limits in force, and all that the target tells of itself."""
    told = [name for name in {**before.detail, **after.detail} if name not in _CHANCE]
    pairs: dict[str, tuple[Any, Any]] = {
        "target": (before.target, after.target),
        "limits in force": (_limits(before.effective_limits), _limits(after.effective_limits)),
        **{name: (before.detail.get(name), after.detail.get(name)) for name in told},
    }
    return _differing(pairs)


def software_changes(before: Cell, after: Cell) -> tuple[str, ...]:
    """Of the servers of two cells that are to run the same Dagster."""
    return _differing(
        {name: (before.detail.get(name), after.detail.get(name)) for name in _SOFTWARE}
    )


def _differing(pairs: dict[str, tuple[Any, Any]]) -> tuple[str, ...]:
    return tuple(
        f"{name.replace('_', ' ')}: {_words(before, after)}"
        for name, (before, after) in pairs.items()
        if before != after
    )


def _words(before: Any, after: Any) -> str:
    if all(isinstance(value, str | int | float | None) for value in (before, after)):
        told = ["not known" if value is None else str(value) for value in (before, after)]
        return f"{told[0]} then, {told[1]} now"
    return "not the same"


def _limits(limits: Limits | None) -> str:
    if limits is None:
        return "none"
    cores = "all CPUs" if limits.cpu_cores is None else show_cores(limits.cpu_cores)
    memory = "all memory" if limits.memory_bytes is None else show_bytes(limits.memory_bytes)
    return f"{cores}, {memory}"
