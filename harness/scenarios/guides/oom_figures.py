"""Figures of `oom_blast`: deaths, losses and what is left of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations

NAMES = {1: "one", 2: "two", 3: "three"}
RUNNING = ("STARTING", "STARTED", "CANCELING")

Values = Mapping[str, Any]


def figures(seen: Observations) -> Figures:
    """From every burst and every crash."""
    crashes = seen.of("crash")
    found = {**_bursts(seen), **_blast(crashes), **_afterwards(seen, crashes)}
    for replicas, name in NAMES.items():
        for victim, words in (("run", "a run that outgrew it"), ("server", "the server itself")):
            mine = [v for v in crashes if (v["replicas"], v["victim"]) == (replicas, victim)]
            found[f"{name}_lost_with_{victim}"] = _share(
                _sum(mine, "lost"), _sum(mine, "in_flight"), n=len(mine),
                meaning=f"runs in flight that are lost when an OOM kills {words}; "
                f"replicas: {replicas}",
            )  # fmt: skip
    return found


def _bursts(seen: Observations) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    everything = seen.of("burst")
    for name, kind, capped in (
        ("light", "light", False), ("heavy", "heavy", False), ("capped", None, True),
    ):  # fmt: skip
        mine = [v for v in everything if v["capped"] == capped and kind in (None, v["kind"])]
        words = "bursts with a cap" if capped else f"bursts of {kind} runs without a cap"
        runs = {run for burst in mine for run in burst["run_ids"]}
        found[f"{name}_task_deaths"] = _share(
            sum(1 for v in mine if v["died"]), len(mine), n=len(mine),
            meaning=f"{words} in which the server's container ended",
        )  # fmt: skip
        found[f"{name}_lost"] = _share(
            len(runs - _succeeded(seen)), len(runs), n=len(mine), meaning=f"runs lost in {words}"
        )
        found[f"{name}_oom_kills"] = Figure(
            value=_sum(mine, "oom_kills") / len(mine) if mine else None, unit="processes",
            meaning=f"processes the kernel killed in {words}, on average", n=len(mine),
            why="there was no such burst",
        )  # fmt: skip
    return found


def _succeeded(seen: Observations) -> set[str]:
    return {v["run_id"] for v in seen.of("run") if v["status"] == "SUCCESS"}


def _blast(crashes: list[Values]) -> dict[str, Figure]:
    """What replicas contain. The mean over which of three replicas it hits is computed: a third of
    the share lost there, and two thirds of that lost elsewhere.
    """
    several = [v for v in crashes if v["replicas"] > 1]
    servers = [v for v in crashes if v["replicas"] == 3 and v["victim"] == "server"]
    there = _share(
        _sum(servers, "lost_there"), _sum(servers, "there"), n=len(servers),
        meaning="runs of the replica that are lost when its server is the victim; replicas: 3",
    )  # fmt: skip
    elsewhere = _share(
        _sum(several, "lost_elsewhere"), _sum(several, "elsewhere"), n=len(several),
        meaning="runs of the other replicas that are lost with one replica's OOM",
    )  # fmt: skip
    known = there.value is not None and elsewhere.value is not None
    return {
        "lost_there": there,
        "lost_elsewhere": elsewhere,
        "three_lost_on_average": Figure(
            value=(there.value or 0) / 3 + 2 * (elsewhere.value or 0) / 3 if known else None,
            unit="1", n=len(servers), why="no replica of three died",
            meaning="runs lost when one of three servers dies, over which of them it is",
        ),
    }  # fmt: skip


def _afterwards(seen: Observations, crashes: list[Values]) -> dict[str, Figure]:
    orphans = {run for v in crashes if v["victim"] == "server" for run in v["run_ids"]}
    late = [v for v in seen.of("run", group="late") if v["run_id"] in orphans]
    back = [v["serving_s"] for v in seen.of("recovery", replicas=1)]
    counts = [v["counts"] for v in seen.of("together")]
    beside = {replicas: seen.of("launch", group="beside", replicas=replicas) for replicas in (1, 3)}
    return {
        "left_running": _share(
            sum(1 for v in late if v["status"] in RUNNING), len(late), n=len(late),
            meaning="runs of a dead server that Dagster takes for running 15 s later, or more",
        ),
        "recovery_s": Figure(
            value=median(back) if back else None, unit="s", n=len(back), why="no server died",
            meaning="from asking for a new container of a dead server until it serves",
        ),
        "together_share": _share(
            sum(max(each) for each in counts), sum(sum(each) for each in counts), n=len(counts),
            meaning="runs launched at the same moment that the busiest of three replicas got",
        ),
        **{
            f"{NAMES[replicas]}_served_meanwhile": _share(
                sum(1 for v in launches if v["run_id"]), len(launches), n=len(launches),
                meaning=f"launches accepted while a server is dead; replicas: {replicas}",
            )
            for replicas, launches in beside.items()
        },
    }  # fmt: skip


def _sum(rows: Iterable[Values], key: str) -> float:
    return float(sum(row[key] for row in rows))


def _share(part: float, whole: float, *, meaning: str, n: int) -> Figure:
    value = part / whole if whole else None
    return Figure(value=value, unit="1", meaning=meaning, n=n, why="there were none")
