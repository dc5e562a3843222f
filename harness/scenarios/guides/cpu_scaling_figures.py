"""Figures of `cpu_scaling`: what runs and ticks that compute get done, alone and together."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values

CLUTCH_S = 10.0
"""Seconds of CPU the tick takes that computes in a single call into C."""

SURVIVORS = {"two": "api grpc", "proxied": "code-server start"}
"""Servers that ticked, and the command behind `dagster` each was started with."""

MEANT = {
    "half": "on 0.5 vCPU",
    "one": "on 1 vCPU",
    "two": "on 2 vCPU, which is all this host has",
    "pair": "on two servers of 1 vCPU, which together is all this host has",
}

CROWDED_CORES = 0.6
"""Other work on this host takes more than that: runs cannot get what they might use."""
CROWDED = "other work on this host took the CPU"


def figures(seen: Observations) -> Figures:
    """Work done per second by runs and by ticks, probes beside ticks, CPU of starting a run."""
    return {
        **_of_runs(seen), **_of_ticks(seen), **_of_cores(seen), **_of_probes(seen),
        **_of_nothing(seen),
    }  # fmt: skip


def _of_runs(seen: Observations) -> Figures:
    rows = sorted(seen.of("together"), key=lambda v: (v["group"], v["runs"]))
    rates = {
        f"{group}_{runs}": Figure(
            value=median(map(_rate, of)), unit="CPU-s/s", n=len(of),
            meaning=f"work {_runs(runs)} get done per second, {MEANT[group]}",
        )
        for group, runs in dict.fromkeys((v["group"], v["runs"]) for v in rows)
        if (of := _quiet([v for v in rows if (v["group"], v["runs"]) == (group, runs)]))
    }  # fmt: skip
    one_each = [v for v in rows if v["group"] == "two" and v["runs"] == 1]
    one, two, pair = (
        [v for v in rows if v["group"] == group and v["runs"] >= least]
        for group, least in (("one", 2), ("two", 3), ("pair", 3))
    )
    return {
        **rates,
        "run_speedup": _ratio(two, one_each, "work of runs at once over that of 1, on 2 vCPU"),
        "two_vcpu_over_one": _ratio(two, one, "work that runs at once get done on 2 vCPU over 1"),
        "two_servers_over_one": _ratio(
            pair, two, "work of runs on two servers of 1 vCPU over that on one of 2 vCPU"
        ),
    }


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _rate(values: Values) -> float:
    """CPU-seconds of the runs' own work per second, from the gate to the last end."""
    done_s: float = len(values["ended_s"]) * values["cpu_s"]
    took_s: float = max(values["ended_s"]) - values["begin_s"]
    return done_s / took_s


def _crowded(values: Values) -> bool:
    return bool(values["others_s"] / values["window_s"] > CROWDED_CORES)


def _quiet(rows: Sequence[Values]) -> list[Values]:
    """Those that others did not disturb; all of them where each was."""
    return [v for v in rows if not _crowded(v)] or list(rows)


def _ratio(over: Sequence[Values], under: Sequence[Values], meaning: str) -> Figure:
    """Of their medians, of what others did not disturb."""
    quiet = [[_rate(v) for v in rows if not _crowded(v)] for rows in (over, under)]
    if not all(quiet):
        why = CROWDED if over and under else "not measured"
        return Figure(value=None, unit="×", meaning=meaning, n=0, why=why)
    n = min(map(len, quiet))
    return Figure(value=median(quiet[0]) / median(quiet[1]), unit="×", meaning=meaning, n=n)


def _of_ticks(seen: Observations) -> Figures:
    """Ticks of equal work: how much longer than one alone several take says how they share."""
    meaning = "work of {} sensor ticks that compute at once over that of 1, on 2 vCPU"
    batches = {v["ticks"]: v for v in seen.of("ticking", server="two", clutch=False)}
    found: dict[str, Figure] = {}
    for ticks in sorted({4} | (set(batches) - {0, 1})):
        alone, several = batches.get(1), batches.get(ticks)
        value, why = None, ""
        if alone is None or several is None:
            why = "not measured"
        elif any([*alone["errors"], *several["errors"]]):
            why = "a tick failed"
        elif _crowded(alone) or _crowded(several):
            why = CROWDED
        else:
            value = ticks * _span_s(alone) / _span_s(several)
        found[f"tick_speedup_{ticks}"] = Figure(
            value=value, unit="×", meaning=meaning.format(ticks), why=why
        )
    return found


def _span_s(values: Values) -> float:
    return float(max(values["ended_s"]) - values["began_s"])


def _of_cores(seen: Observations) -> Figures:
    """What the kernel says the same server used: work cannot be counted twice."""
    busy = {
        "runs": _quiet(seen.of("together", group="two", runs=4)),
        "sensor ticks": _quiet(seen.of("ticking", server="two", ticks=4)),
    }
    return {
        f"cores_of_{name.split()[-1]}": Figure(
            value=median(v["used_s"] / v["window_s"] for v in rows), unit="cores", n=len(rows),
            meaning=f"CPU the server of 2 vCPU uses while 4 {name} compute",
        )
        for name, rows in busy.items()
        if rows
    }  # fmt: skip


def _of_probes(seen: Observations) -> Figures:
    found: dict[str, Figure] = {}
    for values in seen.of("ticking", server="two"):
        name, beside = f"{values['ticks']}_ticks", f"{values['ticks']} sensor ticks compute"
        if values["clutch"]:
            name, beside = "clutch", f"a tick computes {CLUTCH_S:.0f} s in one call into C"
        for prefix, share, what in (("", 95, "p95 of"), ("slowest_", 100, "the slowest")):
            found[f"{prefix}probe_s_{name}"] = Figure(
                value=float(np.percentile(values["probes_s"], share)), unit="s",
                n=len(values["probes_s"]), meaning=f"{what} GetServerId while {beside}",
            )  # fmt: skip
    for name, command in SURVIVORS.items():
        values = seen.first("survivor", server=f"{name}-1") or {}
        found[f"{name}_survived"] = Figure(
            value=float(values["survived"]) if values else None, unit="0 or 1",
            meaning=f"whether the same `dagster {command}` answers after all ticks",
            why="not measured",
        )  # fmt: skip
    return found


def _of_nothing(seen: Observations) -> Figures:
    values = seen.first("nothing")
    if values is None or not values["runs"]:
        return {}
    runs = values["runs"]
    started_s = (
        values["used_s"] - values["rest_cores"] * values["window_s"] - values["work_s"]
    ) / runs
    return {
        "start_cpu_s": Figure(
            value=started_s, unit="CPU-s", n=runs,
            meaning="CPU a run costs beside its own work: spawning, importing, reporting, ending",
        ),
        "right_from_cpu_s": Figure(
            value=10 * started_s, unit="CPU-s", n=runs,
            meaning="work of a run at which that is a tenth of it",
        ),
        "rest_cores": Figure(
            value=values["rest_cores"], unit="cores", meaning="CPU a server uses at rest"
        ),
    }  # fmt: skip
