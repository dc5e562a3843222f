"""What the code servers of a deployment say of themselves: their limits, and what they can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.campaign.profiles import Profile
from harness.facts.model import Limits
from harness.rig.code_server_rpc import CallError, CodeServerClient, PingMetrics
from harness.rig.server_word import ServerWord
from harness.units import show_bytes, show_cores

PATIENCE_S = 20.0
LIMIT_TOLERANCE = 0.01

AskServer = Callable[[str], PingMetrics]
"""What a code server at `host:port` says in a Ping; never raises."""

OUTSIDE = "it cannot be seen from outside, only in servers the harness starts itself"
NO_SERVER = "no code server was named: --code-server HOST:PORT"
UNSEEN = ("processes", "pool", "run_queue", "support", "stacks", "docker_events")
"""Devices that have nothing to look at from outside."""


def ask_server(address: str) -> PingMetrics:
    """Ask once; a server that does not answer says nothing, and why."""
    client = CodeServerClient(address)
    try:
        return client.ping(PATIENCE_S)
    except CallError as error:
        return PingMetrics(container=ServerWord(why=f"it did not answer a Ping ({error.code})"))
    finally:
        client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The words of all code servers, by name, and the size somebody `said` (`None`: nobody)."""

    words: Mapping[str, ServerWord]
    said: Profile | None = None

    def limits(self, name: str) -> Limits:
        """Of one server: as was said, else as it tells; `None` what neither does."""
        return self._as_said(self.words[name].limits)

    def all_limits(self) -> Limits | None:
        """Those every server has at least; `None` where nothing is known of any."""
        found = Limits(
            cpu_cores=_least(word.limits.cpu_cores for word in self.words.values()),
            memory_bytes=_least(word.limits.memory_bytes for word in self.words.values()),
        )
        known = self._as_said(found)
        return None if known.cpu_cores is None and known.memory_bytes is None else known

    @property
    def tells(self) -> bool:
        """Whether every server tells: figures of all together must not be those of some."""
        return bool(self.words) and not any(word.why for word in self.words.values())

    def unavailable(self) -> dict[str, str]:
        """Why a device has nothing to tell of this deployment, by device."""
        found = dict.fromkeys(UNSEEN, OUTSIDE)
        if not self.words:
            return {**found, **dict.fromkeys(("cgroup", "ping", "probe"), NO_SERVER)}
        silent = [(name, word.why) for name, word in self.words.items() if word.why]
        if silent:
            name, why = silent[0]
            found["cgroup"] = why if len(self.words) == 1 else f"{name}: {why}"
        return found

    def record(self) -> dict[str, Any]:
        """For `cell.json`: by server what it told, and of which cgroup version."""
        return {name: _record(word) for name, word in self.words.items()}

    def lines(self) -> list[str]:
        """A sentence a server for whoever watches."""
        return [f"{name}: {self._sentence(word)}" for name, word in self.words.items()]

    def _as_said(self, told: Limits) -> Limits:
        said = self.said
        if said is None:
            return told
        return replace(told, cpu_cores=said.vcpu, memory_bytes=said.memory_bytes)

    def _sentence(self, word: ServerWord) -> str:
        if word.why:
            return f"memory and CPU are not known: {word.why}"
        limits = f"limits {show_limits(word.limits)}"
        if word.unlimited:
            limits = "no limit: of its container, or of its machine where it runs in none"
        differing = self._differing(word)
        said = f"; {differing} was said, and counts" if differing else ""
        return f"tells its own memory and CPU ({limits}){said}"

    def _differing(self, word: ServerWord) -> str:
        """The size somebody said, where the server tells another."""
        if self.said is None:
            return ""
        pairs = (
            (word.limits.cpu_cores, self.said.vcpu),
            (word.limits.memory_bytes, self.said.memory_bytes),
        )
        off = any(a is not None and abs(a - b) > LIMIT_TOLERANCE * b for a, b in pairs)
        return self.said.name if off else ""


def show_limits(limits: Limits) -> str:
    """`1 vCPU, 1 GiB`."""
    cores = "any CPU" if limits.cpu_cores is None else show_cores(limits.cpu_cores)
    memory = "any memory" if limits.memory_bytes is None else show_bytes(limits.memory_bytes)
    return f"{cores}, {memory}"


def _record(word: ServerWord) -> dict[str, Any]:
    if word.why:
        return {"unavailable": word.why}
    return {
        "cgroup": word.cgroup, "cpu_cores": word.limits.cpu_cores,
        "memory_bytes": word.limits.memory_bytes,
        "memory_is": "working set" if word.working_set else
        "charged, page cache included, up to Dagster 1.13.4; later the working set",
    }  # fmt: skip


def _least(values: Iterable[Any]) -> Any:
    known = list(values)
    return None if not known or None in known else min(known)
