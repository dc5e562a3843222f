"""Figures of `replicas`: who got what, what could be cancelled, what a roll-out cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations

MARGIN_S = 3.0
"""A run that ends this close to the end of the grace says nothing either way."""

REFUSED = "after telling it to shut down"
RUNNING = ("STARTED", "STARTING")
CLIENTS = {
    "fresh": "with a channel for each request, as Dagster's client makes them",
    "kept": "over one channel that is kept",
    "beside": "with a channel for each request, while the same process keeps another open",
}
HOW = {"serial": "one after the other", "together": "at the same moment"}

Values = Mapping[str, Any]


def figures(seen: Observations) -> Figures:
    """From requests, launches, cancels and stops."""
    asked = {
        f"{client}_busiest": _busiest(
            seen.of("asked", client=client),
            f"requests {words} that the busiest of three replicas answers",
        )
        for client, words in CLIENTS.items()
    }
    held = {
        f"{how}_busiest": _busiest(
            seen.of("held", how=how, replicas=3),
            f"runs launched {words} that the busiest of three replicas gets",
        )
        for how, words in HOW.items()
    }
    return {**asked, **held, **_cancels(seen), **_reloads(seen), **_roll(seen)}


def _busiest(rows: Sequence[Values], meaning: str) -> Figure:
    return _share(
        sum(max(row["counts"]) for row in rows), sum(sum(row["counts"]) for row in rows), meaning
    )


def _cancels(seen: Observations) -> dict[str, Figure]:
    found = {}
    for replicas, name in ((2, "two"), (3, "three")):
        rows = seen.of("cancel", replicas=replicas)
        asked = sum(row["asked"] for row in rows)
        found[f"cancelled_of_{name}"] = _share(
            asked - sum(row["going_on"] for row in rows), asked,
            f"runs that end when they are cancelled; replicas: {replicas}",
        )  # fmt: skip
    return found


def _reloads(seen: Observations) -> dict[str, Figure]:
    found = {}
    for location, words in (("plain", "each with an id of its own"), ("fixed", "with one id")):
        row = seen.first("reloads", location=location)
        found[f"{location}_reloads_per_min"] = Figure(
            value=row["reloads"] * 60 / row["took_s"] if row else None, unit="1/min",
            n=row["reloads"] if row else 0, why="it was not watched",
            meaning=f"reloads of an idle location by the webserver, replicas {words}",
        )  # fmt: skip
        found[f"{location}_away"] = _share(
            row["away"] if row else 0,
            row["looks"] if row else 0,
            f"looks at which the webserver had no such location, replicas {words}",
        )
    return found


def _roll(seen: Observations) -> dict[str, Figure]:
    stopped = list(_stopped(seen))
    fit = [status for remaining_s, grace_s, status in stopped if remaining_s < grace_s - MARGIN_S]
    cut = [status for remaining_s, grace_s, status in stopped if remaining_s > grace_s + MARGIN_S]
    draining = seen.of("launch", group="draining")
    refused = [each for each in draining if REFUSED in (each["error"] or "")]
    after = seen.of("launch", group="stopped")
    return {
        "drained": _share(
            fit.count("SUCCESS"), len(fit),
            "runs that end well in a replica that is stopped, of those that fit in its grace",
        ),
        "cut_off_left_running": _share(
            sum(status in RUNNING for status in cut), len(cut),
            "runs longer than the grace that Dagster still takes for running after their replica "
            "has gone",
        ),
        "refused_while_draining": _share(
            len(refused), len(draining),
            "launches that fail because they reach the replica that is being stopped; replicas: 2",
        ),
        "served_when_stopped": _share(
            sum(1 for each in after if each["run_id"]), len(after),
            "launches accepted when one replica has gone",
        ),
        "early_exit_s": _early(seen),
    }  # fmt: skip


def _stopped(seen: Observations) -> Iterator[tuple[float, float, str]]:
    """Of each run in a stopped replica: how long it still had, the grace, and its status late."""
    late = {row["run_id"]: row for row in seen.of("run", group="late")}
    for stop in seen.of("stop"):
        for run_id, length_s in zip(stop["run_ids"], stop["lengths"], strict=True):
            run = late.get(run_id)
            if run is None or run["first_step_s"] is None:
                continue
            remaining_s = run["first_step_s"] + length_s - stop["stopped_s"]
            if remaining_s > 0:
                yield remaining_s, stop["grace_s"], run["status"]


def _early(seen: Observations) -> Figure:
    took_s = [v["took_s"] for v in seen.of("stop") if max(v["lengths"]) < v["grace_s"]]
    return Figure(
        value=max(took_s, default=None), unit="s", n=len(took_s), why="only in a whole run",
        meaning="until a stopped replica of runs of 5 s has gone by itself, its grace being 30 s",
    )  # fmt: skip


def _share(part: float, whole: float, meaning: str) -> Figure:
    value = part / whole if whole else None
    return Figure(value=value, unit="1", meaning=meaning, n=int(whole), why="there were none")
