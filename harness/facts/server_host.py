"""Which machine the servers of a campaign ran on: this one, or that of an engine elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_THE_ENGINE = ("cpus", "memory_bytes", "kernel", "system", "machine", "cgroup")


def is_elsewhere(environment: Mapping[str, Any]) -> bool:
    """Whether the servers ran on another host than the generator, by `environment.json`."""
    engine = environment.get("engine")
    return isinstance(engine, Mapping) and engine.get("place") not in (None, "local")


def server_host(environment: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of the host the servers ran on, by the keys of `environment.json`'s `host`.

    Of another host than the generator's its engine told: nothing of its CPU's model, so the
    engine's name stands in for that.
    """
    if not is_elsewhere(environment):
        host = environment.get("host")
        return host if isinstance(host, Mapping) else {}
    engine = environment["engine"]
    told = {key: engine.get(key) for key in _OF_THE_ENGINE}
    return {**told, "cpu_model": f"engine {engine.get('name') or engine.get('url')}"}
