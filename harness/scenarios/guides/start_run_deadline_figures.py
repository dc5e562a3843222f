"""Figures of `start_run_deadline`: what Dagster says of runs, against what their processes did."""

from __future__ import annotations

from collections.abc import Callable

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values

DEADLINE_S = 5.0
"""For one launch, in place of Dagster's 60 s."""

DAGSTERS_DEADLINE_S = 60.0

COUNTS: dict[str, tuple[str, Callable[[Values], bool]]] = {
    "succeeded": ("runs that ended well", lambda run: run["status"] == "SUCCESS"),
    "failed": ("runs said to have failed", lambda run: run["status"] == "FAILURE"),
    "failed_unlaunched": (
        "runs said to have failed of which no process was started",
        lambda run: run["status"] == "FAILURE" and not run["processes"],
    ),
    "failed_though_launched": (
        "runs said to have failed of which a process was started all the same",
        lambda run: run["status"] == "FAILURE" and run["processes"] > 0,
    ),
    "failed_though_finished": (
        "runs said to have failed whose work was done to its end",
        lambda run: run["status"] == "FAILURE" and run["finished"] > 0,
    ),
    "launched_twice": (
        "runs for which more than one process was started",
        lambda run: run["processes"] > 1,
    ),
    "executed_twice": ("runs that were executed more than once", lambda run: run["starts"] > 1),
    "past_deadline": (
        "runs of which a launch took longer than its deadline",
        lambda run: run["too_late"] > 0,
    ),
    "unended": (
        "runs of which Dagster does not say that they ended",
        lambda run: run["status"] not in ("SUCCESS", "FAILURE", "CANCELED"),
    ),
}


def figures(seen: Observations) -> Figures:
    """How many runs of each burst ended how, and how many starts the deadline leaves time for."""
    found: dict[str, Figure] = {}
    for burst in seen.of("burst"):
        about = {"server": burst["server"], "retries": burst["retries"]}
        runs = seen.of("run", **about)
        name = f"{burst['server']}_{burst['retries']}"
        words = f"{burst['accepted']} launches at once, {burst['workers']} worker threads, " + (
            f"{burst['retries']} retries" if burst["retries"] else "no retries"
        )
        for what, (meaning, counts) in COUNTS.items():
            found[f"{what}_{name}"] = Figure(
                value=float(sum(map(counts, runs))) if burst["settled"] else None, unit="runs",
                n=len(runs), meaning=f"{meaning}: {words}", why="the burst did not settle in time",
            )  # fmt: skip
    return {**found, **_starts_in_time(seen)}


def _starts_in_time(seen: Observations) -> Figures:
    """On one vCPU a start of c CPU-seconds takes n × c seconds when n are under way at once: all
    of them are in time up to n = deadline ÷ c. What a run uses after its start is counted in c, so
    this errs on the safe side.
    """
    burst = seen.first("burst", server="many", retries=0)
    if burst is None:
        return {}
    runs = seen.of("run", server="many", retries=0)
    processes = sum(run["processes"] for run in runs)
    meaning = "launches at once that 1 vCPU gets done within {} s"
    why = "no process was started"
    start_s = burst["used_s"] / processes if processes else None
    return {
        "start_cpu_s": Figure(
            value=start_s, unit="CPU-s", n=processes, why=why,
            meaning="CPU the server used for each process it started",
        ),
        "starts_in_deadline": Figure(
            value=DEADLINE_S / start_s if start_s else None, unit="launches", n=processes,
            meaning=meaning.format(f"{DEADLINE_S:.0f}"), predicted=True, why=why,
        ),
        "starts_in_60_s": Figure(
            value=DAGSTERS_DEADLINE_S / start_s if start_s else None, unit="launches", n=processes,
            meaning=meaning.format("Dagster's own 60"), predicted=True, why=why,
        ),
    }  # fmt: skip
