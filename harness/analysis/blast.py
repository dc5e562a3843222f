"""What an out-of-memory kill cost: who died, what was lost, how long nobody served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.measures.windows import CellRecord
from harness.facts.model import Event, Run, Step

OOM_ERROR_CLASS = "oom_sigkill"
CUT_OFF_ERROR_CLASS = "server_unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """The blast radius of one step's OOM kills.

    Attributes:
        step, concurrency, repetition: which step.
        victim: `server` when a code server ended for memory, `run` when only run processes did.
        servers: the replicas that ended so, sorted; empty for the victim `run`.
        kills: processes killed; `None` where nobody counted, and the runs alone tell of it.
        runs_offered: all runs of the step.
        runs_lost: those a server that ended for memory took with it: started and left without
            a server, or cut off while they were launched.
        runs_killed: those that failed because signal 9 ended their process.
        until_serving_s: seconds from asking for a fresh server until its location could be
            launched again; `None` when no server ended, or nobody asked for a fresh one.
        witnesses: who spoke of memory.
    """

    step: int
    concurrency: int
    repetition: int
    victim: Literal["server", "run"]
    servers: tuple[str, ...]
    kills: int | None
    runs_offered: int
    runs_lost: int
    runs_killed: int
    until_serving_s: float | None
    witnesses: tuple[str, ...]


def blasts_of(record: CellRecord) -> tuple[Blast, ...]:
    """The blasts of a cell, warm-up included, in the order of its steps."""
    found = (blast_of(record, step) for step in sorted(record.steps, key=lambda s: s.index))
    return tuple(blast for blast in found if blast is not None)


def blast_of(record: CellRecord, step: Step) -> Blast | None:
    """The blast of one step, or `None` when nothing was killed for memory.

    A signal 9 alone is taken for the OOM killer's only where nothing counted its kills: where
    the kernel's counter was read and stood still, somebody else sent it.

    Args:
        record: the cell's facts.
        step: one of its steps.
    """
    runs = [run for run in record.runs if run.step == step.index]
    events = _events_of(record, step)
    deaths = [e for e in events if e.kind == "server_died" and e.detail.get("oom")]
    killed = sum(run.error_class == OOM_ERROR_CLASS for run in runs)
    counted = bool(record.samples.sources("cgroup", "oom_kills"))
    kills = max(step.oom_kills, len(deaths))
    if not kills and (counted or not killed):
        return None
    return Blast(
        step=step.index,
        concurrency=step.concurrency,
        repetition=step.repetition,
        victim="server" if deaths else "run",
        servers=tuple(sorted({death.source for death in deaths})),
        kills=kills or None,
        runs_offered=len(runs),
        runs_lost=sum(map(_lost, runs)) if deaths else 0,
        runs_killed=killed,
        until_serving_s=_until_serving_s(events) if deaths else None,
        witnesses=_witnesses(events, deaths, runs),
    )


def _lost(run: Run) -> bool:
    """Which of the two a kill leaves behind is luck: did it fall before StartRun had answered?"""
    cut_off = run.status == "REJECTED" and run.error_class == CUT_OFF_ERROR_CLASS
    return run.status == "LOST" or cut_off


def _events_of(record: CellRecord, step: Step) -> list[Event]:
    """From the step's start to the start of the next one: a fresh server comes in between."""
    starts = sorted(other.phases[0].start_s for other in record.steps if other.phases)
    if not step.phases:
        return []
    start_s = step.phases[0].start_s
    end_s = next((other_s for other_s in starts if other_s > start_s), float("inf"))
    return [event for event in record.events if start_s <= event.at_s < end_s]


def _until_serving_s(events: Sequence[Event]) -> float | None:
    fresh = next((event for event in events if event.kind == "fresh_server"), None)
    told = fresh.detail.get("until_serving_s") if fresh else None
    return float(told) if isinstance(told, int | float) else None


def _witnesses(
    events: Sequence[Event], deaths: Sequence[Event], runs: Sequence[Run]
) -> tuple[str, ...]:
    words = [word for death in deaths for word in death.detail.get("witnesses", ())]
    kinds = {event.kind for event in events}
    words += ["cgroup: oom_kill"] if "oom_kill" in kinds else []
    words += ["engine event: oom"] if "oom" in kinds else []
    if any(run.error_class == OOM_ERROR_CLASS for run in runs):
        words.append("Dagster: a run's process was ended by signal 9")
    return tuple(dict.fromkeys(words))
