"""Then and now: what differs between two records of a machine and its software."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.units import show_bytes

Weight = Literal["campaign", "cell", "note"]
"""What a difference ends: nothing (`note`), a cell under way, or the campaign."""

MEMORY_TOLERANCE = 0.01
"""Firmware and kernel keep a little more or less of the same memory for themselves."""

_FIELDS: tuple[tuple[str, str, str, Weight], ...] = (
    ("host", "cpus", "CPUs", "campaign"),
    ("host", "cpu_model", "CPU model", "campaign"),
    ("host", "machine", "machine", "campaign"),
    ("host", "memory_bytes", "memory", "cell"),
    ("host", "kernel", "kernel", "cell"),
    ("host", "cgroup", "cgroup version", "cell"),
    ("harness", "version", "harness version", "cell"),
    ("harness", "commit", "harness commit", "cell"),
    ("host", "cpus_usable", "usable CPUs", "cell"),
    ("host", "swap_bytes", "swap", "note"),
    ("host", "system", "system", "note"),
    ("engine", "place", "engine's place", "campaign"),
    ("engine", "name", "engine's host", "campaign"),
    ("engine", "cpus", "CPUs of the engine's host", "campaign"),
    ("engine", "machine", "machine of the engine's host", "campaign"),
    ("engine", "memory_bytes", "memory of the engine's host", "cell"),
    ("engine", "kernel", "kernel of the engine's host", "cell"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `words`: `kernel: 6.1.0 then, 6.2.0 now`."""

    words: str
    weight: Weight


def changes_between(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two environments as `record_environment` makes them.

    What must be the same for a campaign to be one (its CPUs) counts as different only where both
    are known, and so does the engine's host; of all else, not knowing is a difference too. A record
    without an engine is of one on this machine.
    """
    return tuple(_changes(then, now))


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for part, key, name, weight in _FIELDS:
        before, after = _value(then, part, key), _value(now, part, key)
        optional = weight == "campaign" or part == "engine"
        unknown = optional and None in (before, after)
        if not unknown and not _same(key, before, after):
            yield Change(words=_words(name, _shown(key, before), _shown(key, after)), weight=weight)
    if then.get("python") != now.get("python"):
        yield Change(words=_words("Python", then.get("python"), now.get("python")), weight="note")
    libraries = then.get("libraries") or {}, now.get("libraries") or {}
    for name in sorted({*libraries[0], *libraries[1]}):
        versions = [each.get(name) for each in libraries]
        if versions[0] != versions[1]:
            yield Change(words=_words(name, *versions), weight="note")


def _value(environment: Mapping[str, Any], part: str, key: str) -> Any:
    values = environment.get(part)
    if part == "engine" and key == "place" and values is None:
        return "local"
    return values.get(key) if isinstance(values, Mapping) else None


def _same(key: str, before: Any, after: Any) -> bool:
    if key == "memory_bytes" and isinstance(before, int) and isinstance(after, int):
        return abs(before - after) <= MEMORY_TOLERANCE * before
    return bool(before == after)


def _shown(key: str, value: Any) -> Any:
    return show_bytes(value) if key.endswith("_bytes") and isinstance(value, int) else value


def _words(name: str, before: Any, after: Any) -> str:
    told = ["not known" if value is None else str(value) for value in (before, after)]
    return f"{name}: {told[0]} then, {told[1]} now"
