"""What the observations of `run-task` amount to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations

MIB = 1024**2

HALF, WHOLE = 0.5, 1.0
"""vCPU: what ECS calls 512 and 1024 CPU units."""

ENOUGH_MIB = 2048
"""What the guide gives a run's task."""

IMPORT_MIB = 300
"""What imports that weigh leave resident: more than a library of data frames does."""

_WAYS = {"raise": "by an exception", "exit": "by the end of its process"}
_EXECUTORS: Mapping[str, str] = {
    "in_process": "in-process", "multi": "multiprocess", "docker": "Docker",
}  # fmt: skip


def figures(seen: Observations) -> Figures:
    """Of the coordinator, of sizes and starts, of faults."""
    return {**_coordinator(seen), **_memory(seen), **_start_figures(seen), **_fault_figures(seen)}


def _coordinator(seen: Observations) -> Figures:
    found: dict[str, Figure] = {}
    window, idle = seen.first("window", group="steps"), seen.first("window", group="idle")
    if window:
        found["coordinator_vcpu"] = Figure(
            value=window["cpu_s"] / window["s"], unit="vCPU",
            meaning="CPU the run's container uses while its steps run in others",
        )  # fmt: skip
    if window and idle:
        for key, meaning in (
            ("transactions", "database transactions a minute a run with five steps at work causes"),
            ("connections", "database connections a minute it opens"),
        ):
            rate = window[key] / window["s"] - idle[key] / idle["s"]
            found[f"{key}_per_minute"] = Figure(value=rate * 60, unit="a minute", meaning=meaning)
    run, containers = seen.first("run", group="steps"), seen.first("containers")
    if run:
        meaning = "steps that depend on nothing"
        found["steps"] = Figure(value=run["steps"], unit="steps", meaning=meaning)
        found["steps_at_once"] = Figure(
            value=_at_once(run["step_starts"], run["step_ends"]), unit="steps",
            meaning="of these, how many ran at the same time", n=run["steps"],
        )  # fmt: skip
    if containers:
        found["step_containers"] = Figure(
            value=containers["of_steps"], unit="containers", meaning="containers started for steps"
        )
    return found


def _at_once(starts: Sequence[float], ends: Sequence[float]) -> int:
    """The most intervals that overlap; an end frees its place before a start takes one."""
    changes = sorted([*((end, -1) for end in ends), *((start, 1) for start in starts)])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _memory(seen: Observations) -> Figures:
    found = {}
    half = [each for each in seen.of("size") if each["cpu_cores"] == HALF]
    for name, weight in (("light", 0), ("heavy", IMPORT_MIB)):
        what = f"imports that leave {weight} MiB resident" if weight else "imports of Dagster alone"
        tried = [each for each in half if each["import_mib"] == weight]
        enough = [each["memory_mib"] for each in tried if each["status"] == "SUCCESS"]
        most = [each for each in tried if each["memory_mib"] == ENOUGH_MIB]
        peak_bytes = most[0]["peak_anon_bytes"] if most else None
        found[f"{name}_mib"] = Figure(
            value=None if peak_bytes is None else peak_bytes / MIB, unit="MiB",
            meaning=f"memory of a run's container at its peak, page cache left out, with {what}",
            why="it was not seen alive",
        )  # fmt: skip
        found[f"{name}_enough_mib"] = Figure(
            value=min(enough, default=None), unit="MiB", n=len(tried),
            meaning=f"the smallest limit tried under which a run with {what} succeeded",
            why="none succeeded",
        )  # fmt: skip
        found[f"{name}_killed_mib"] = Figure(
            value=max((e["memory_mib"] for e in tried if e["oom"]), default=0) if tried else None,
            unit="MiB", n=len(tried), why="none was tried",
            meaning=f"the largest limit tried under which it was killed, with {what}; 0: none",
        )  # fmt: skip
    return found


def _start_figures(seen: Observations) -> Figures:
    found = {}
    for name, cores in (("start_s_512", HALF), ("start_s_1024", WHOLE)):
        took = [each["start_s"] for each in seen.of("start", cpu_cores=cores) if each["start_s"]]
        found[name] = Figure(
            value=statistics.median(took) if took else None, unit="s", n=len(took),
            meaning=f"from launch to the run's start, with {cores:g} vCPU", why="no run started",
        )  # fmt: skip
    return found


def _fault_figures(seen: Observations) -> Figures:
    found = {}
    for each in seen.of("fault"):
        name = f"others_done_{each['executor']}_{each['fault']}"
        found[name] = Figure(
            value=_others_done(each["events"]), unit="steps",
            meaning=f"of two steps beside one that fails ({_WAYS[each['fault']]}), those that "
            f"began after it did and succeeded, with the {_EXECUTORS[each['executor']]} executor",
            why="the step that fails did not begin before any other",
        )  # fmt: skip
    return found


def _others_done(events: Sequence[Sequence[Any]]) -> float | None:
    """`None`: every other step had begun before, so that none could show anything."""
    starts = {key: at_s for key, kind, at_s in events if kind == "STEP_START"}
    fails = next((key for key in starts if key.endswith("_a_fails")), None)
    if fails is None:
        return None
    later = {key for key, at_s in starts.items() if key != fails and at_s >= starts[fails]}
    if len(starts) > 1 and not later:
        return None
    return sum(1 for key, kind, _ in events if kind == "STEP_SUCCESS" and key in later)
