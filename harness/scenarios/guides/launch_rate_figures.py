"""Figures of `launch_rate`: what a burst of launches looks like at each number of workers."""

from __future__ import annotations

from statistics import median

import numpy as np

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values

NEARLY = 0.8
"""A launch rate that is nearly the best: this share of it."""

IDLE_CORES = 0.15
"""Where a host has less than that to spare, the server may not get its one vCPU."""
CROWDED = "this host had no CPU to spare beside the server"

HELD_AT_LEAST_S = 3.0
"""A thread that is free again sooner has shown nothing."""


def figures(seen: Observations) -> Figures:
    """Rates, times and counts of every burst, what they say together, and the held thread."""
    bursts = seen.of("burst")
    found: dict[str, Figure] = {}
    for burst in bursts:
        found.update(_of_burst(seen, burst))
    direct = sorted((b for b in bursts if b["feed"] == "direct"), key=lambda b: b["workers"])
    return {**found, **_together(found, direct), **_of_one_worker(seen), **_of_held(seen)}


def _of_burst(seen: Observations, burst: Values) -> Figures:
    """Of the direct feed from the first request, of the queue from the first run taken out."""
    about = {"feed": burst["feed"], "workers": burst["workers"]}
    runs, launches = seen.of("run", **about), seen.of("launch", **about)
    sent_s = {each["run_id"]: each["sent_s"] for each in launches}
    started = [run for run in runs if run["started_s"] is not None]
    if not started:
        return {}
    direct = burst["feed"] == "direct"
    name = f"{burst['workers']}" if direct else burst["feed"].replace("-", "_")
    words = f"{burst['workers']} worker threads, 1 vCPU"
    words += "" if direct else f", {burst['feed']}"
    begun_s = min(run["dequeued_s"] for run in started)
    if direct:
        begun_s = min(sent_s.values())
    rate = len(started) / (max(run["started_s"] for run in started) - begun_s)
    waits_s = [run["started_s"] - sent_s[run["run_id"]] for run in started]
    n = len(started)
    return {
        f"launch_rate_{name}": Figure(
            value=rate, unit="runs/s", n=n, meaning=f"runs of a burst that start a second: {words}"
        ),
        f"start_s_median_{name}": Figure(
            value=median(waits_s), unit="s", n=n, meaning=f"median from request to start: {words}"
        ),
        f"start_s_p95_{name}": Figure(
            value=float(np.percentile(waits_s, 95)), unit="s", n=n,
            meaning=f"p95 from request to start: {words}",
        ),
        f"cpu_s_a_launch_{name}": Figure(
            value=burst["used_s"] / n, unit="CPU-s", n=n,
            meaning=f"CPU the server uses for a launch: {words}",
        ),
        f"resident_{name}": Figure(
            value=burst["resident"], unit="runs", n=1,
            meaning=f"runs resident after a burst of {burst['runs']}: {words}",
            why="the server had ended",
        ),
    }  # fmt: skip


def _together(found: Figures, direct: list[Values]) -> Figures:
    """What the bursts of all sizes say: each burst is of as many runs."""
    rates = {
        burst["workers"]: rate.value
        for burst in direct
        if (rate := found.get(f"launch_rate_{burst['workers']}")) and rate.value is not None
    }
    if len(rates) < 2:
        return {}
    n, fewest, most = len(rates), min(rates), max(rates)
    nearly = NEARLY * max(rates.values())
    more = max(rate for workers, rate in rates.items() if workers > fewest)
    told = {
        "enough_workers": (
            min(workers for workers, rate in rates.items() if rate >= nearly), "threads",
            f"the fewest worker threads that launch at {NEARLY:.0%} of the best rate seen",
        ),
        "gain_of_threads": (
            more / rates[fewest], "×",
            f"the best launch rate of more worker threads over that of {fewest}, on 1 vCPU",
        ),
        "delay_of_threads": (
            _over(found, "start_s_median", most, fewest), "×",
            f"median time to start with {most} worker threads over that with {fewest}",
        ),
    }  # fmt: skip
    crowded = any(_idle_cores(burst) < IDLE_CORES for burst in direct)
    return {
        "burst_runs": Figure(
            value=direct[0]["runs"], unit="runs", meaning="runs of a burst: all could run at once"
        ),
        "cpu_of_threads": Figure(
            value=_over(found, "cpu_s_a_launch", most, fewest), unit="×", n=n,
            meaning=f"CPU of a launch with {most} worker threads over that with {fewest}",
        ),
        **{
            name: Figure(value=None if crowded else value, unit=unit, meaning=meaning, n=n,
                         why=CROWDED if crowded else "")
            for name, (value, unit, meaning) in told.items()
        },
    }  # fmt: skip


def _over(found: Figures, prefix: str, most: int, fewest: int) -> float:
    over, under = found[f"{prefix}_{most}"].value, found[f"{prefix}_{fewest}"].value
    return (over or 0.0) / (under or 1.0)


def _idle_cores(burst: Values) -> float:
    return float(burst["idle_s"] / burst["window_s"])


def _of_one_worker(seen: Observations) -> Figures:
    """One thread serves one launch after the other: what is between two answers is how long it
    was held.
    """
    burst = seen.first("burst", feed="direct", workers=1)
    if burst is None:
        return {}
    answers = [each["answered_s"] for each in seen.of("launch", feed="direct", workers=1)]
    gaps = np.diff(sorted(answers))
    return {
        "start_run_hold_s": Figure(
            value=float(np.median(gaps)) if len(gaps) else None, unit="s", n=len(gaps),
            meaning="how long a launch holds a worker thread, on 1 vCPU", why="one launch only",
        ),
        "waiting_starting": Figure(
            value=burst["starting"], unit="runs",
            meaning="most runs STARTING at once, launched directly on 1 worker thread",
        ),
        "waiting_queued": Figure(
            value=burst["queued"], unit="runs", meaning="most runs QUEUED at once then"
        ),
    }  # fmt: skip


def _of_held(seen: Observations) -> Figures:
    tick = seen.first("tick")
    told = {name: (seen.first("launch", group=name), seen.first("run", group=name))
            for name in ("free", "held")}  # fmt: skip
    found = {
        f"start_s_{name}": Figure(
            value=run["started_s"] - launch["sent_s"], unit="s",
            meaning=f"from request to start with the only worker thread {name}",
        )
        for name, (launch, run) in told.items()
        if launch and run and run["started_s"] is not None
    }  # fmt: skip
    launch, run = told["held"]
    meaning = "from the end of the tick that held the only thread to the run's process"
    if tick is None or launch is None or run is None or run["process_started_s"] is None:
        return {**found, "process_after_tick_s": _unknown(meaning, "not measured")}
    held_s = tick["ended_s"] - launch["sent_s"]
    if tick["error"] or held_s < HELD_AT_LEAST_S:
        return {**found, "process_after_tick_s": _unknown(meaning, "the thread was not held")}
    value = run["process_started_s"] - tick["ended_s"]
    return {
        **found,
        "held_s": Figure(value=held_s, unit="s", meaning="how long the launch found it held"),
        "process_after_tick_s": Figure(value=value, unit="s", meaning=meaning),
    }


def _unknown(meaning: str, why: str) -> Figure:
    return Figure(value=None, unit="s", meaning=meaning, n=0, why=why)
