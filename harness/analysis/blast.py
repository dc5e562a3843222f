"""What an out-of-memory kill cost: who died, what was lost, how long nobody served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.facts.model import Event, Run, Step

OOM_ERROR_CLASS = "oom_sigkill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """The blast radius of one step's OOM kills.

    `victim`: `server` when a code server's container ended, `run` when only run processes were
    killed. `runs_lost` counts runs that ended because of it, `until_serving_s` the time from
    asking for a fresh server to its first answer (`None`: the server never stopped, or nobody
    asked for a fresh one). `witnesses` says who spoke of OOM.
    """

    victim: Literal["server", "run"]
    kills: int
    runs_lost: int
    runs_offered: int
    until_serving_s: float | None
    witnesses: tuple[str, ...]


def blast_of(step: Step, runs: Sequence[Run], events: Sequence[Event]) -> Blast | None:
    """The blast of one step, or `None` when nothing was killed for memory.

    Args:
        step: the step.
        runs: that step's runs.
        events: the whole cell's events, by time.
    """
    start_s = step.phases[0].start_s if step.phases else float("-inf")
    later = [event for event in events if event.at_s >= start_s]
    deaths = [e for e in later if e.kind == "server_died" and e.detail.get("oom")]
    if not step.oom_kills:
        return None
    lost = [run for run in runs if run.status == "LOST" or run.error_class == OOM_ERROR_CLASS]
    fresh = next((e for e in later if e.kind == "fresh_server"), None) if deaths else None
    witnesses = [w for death in deaths for w in death.detail.get("witnesses", [])]
    witnesses += ["cgroup: oom_kill"] if any(e.kind == "oom_kill" for e in later) else []
    witnesses += ["engine event: oom"] if any(e.kind == "oom" for e in later) else []
    return Blast(
        victim="server" if deaths else "run",
        kills=step.oom_kills,
        runs_lost=len(lost),
        runs_offered=len(runs),
        until_serving_s=fresh.detail.get("until_serving_s") if fresh else None,
        witnesses=tuple(dict.fromkeys(witnesses)),
    )
