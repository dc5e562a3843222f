"""When requests waited for a worker thread, and when Dagster's metric said so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values

WORKERS = 4
HEALTH_PATIENCE_S = 5.0
STARVED_RUNS = 3
STARVED_S = 20.0


def figures(seen: Observations) -> Figures:
    """From asked and answered stamps against the probe's series."""
    found: dict[str, Figure] = {}
    for level in ("half", "full", "double", "outage"):
        if seen.first("level", level=level) is not None:
            found |= _level_figures(seen, level)
    return {**found, **_switch_figures(seen), **_starved_figures(seen)}


def _level_figures(seen: Observations, level: str) -> Figures:
    rounds = [_Round(seen, level, each["repetition"]) for each in seen.of("level", level=level)]
    of = f"with {rounds[0].sensors} of {WORKERS} threads asked for by sensors"
    health = [each for r in rounds for each in r.of("probe")]
    answered = [each for each in health if each["failed"] is None]
    return {
        f"blind_s_{level}": _middle(
            [r.blind_s() for r in rounds], "s", f"longest time without an answered Ping, {of}"
        ),
        f"queue_said_{level}": _middle(
            [r.said() for r in rounds], "requests",
            f"most num_queued_requests that a Ping said, {of}", why="no Ping was answered",
        ),
        f"true_queue_{level}": _middle(
            [r.true_queue() for r in rounds], "requests",
            f"longest queue for a worker thread that the probe saw, {of}", why="no probe lines",
        ),
        f"metric_late_s_{level}": _middle(
            [r.late_s() for r in rounds], "s",
            f"from the first request that waited to the first Ping that said so, {of}",
            why="no Ping said so",
        ),
        f"health_answered_{level}": Figure(
            value=len(answered) / len(health) if health else None, unit="share", n=len(health),
            meaning=f"GetServerId answered within {HEALTH_PATIENCE_S:g} s, {of}",
            why="never asked",
        ),
        f"launch_answered_s_{level}": _middle(
            [r.launch_s() for r in rounds], "s", f"one run launched meanwhile: until it was, {of}",
            why="the launch was refused",
        ),
        f"location_error_after_s_{level}": _middle(
            [r.error_after_s() for r in rounds], "s",
            f"until the webserver marked the location in error, {of}", why="it never did",
        ),
    }  # fmt: skip


class _Round:
    """One level of one repetition."""

    def __init__(self, seen: Observations, level: str, repetition: int) -> None:
        self._seen = seen
        self._which = {"level": level, "repetition": repetition}
        about = self.of("level")[0]
        self.sensors = about["sensors"]
        self._began_s, self._until_s = about["began_s"], about["until_s"]

    def of(self, what: str) -> list[Values]:
        return self._seen.of(what, **self._which)

    def blind_s(self) -> float:
        answers = sorted(e["ended_s"] for e in self.of("ping") if e["failed"] is None)
        stamps: list[float] = [self._began_s, *answers, self._until_s]
        return max(later - earlier for earlier, later in pairwise(stamps))

    def said(self) -> float | None:
        return max((e["queued"] for e in self.of("ping") if e["queued"] is not None), default=None)

    def true_queue(self) -> float | None:
        return max((e["queue"] for e in self.of("pool")), default=None)

    def late_s(self) -> float | None:
        said = min((e["ended_s"] for e in self.of("ping") if e["queued"]), default=None)
        waited = min((e["look_s"] for e in self.of("pool") if e["queue"]), default=None)
        return None if said is None or waited is None else max(0.0, said - waited)

    def launch_s(self) -> float | None:
        done = [e for e in self.of("launch") if e["run_id"]]
        return done[0]["answered_s"] - done[0]["sent_s"] if done else None

    def error_after_s(self) -> float | None:
        wrong = [e["seen_s"] for e in self.of("state") if e["state"] in ("unreachable", "broken")]
        return min(wrong) - self._began_s if wrong else None


def _switch_figures(seen: Observations) -> Figures:
    found = {}
    for key, on, words in (("on", True, "switched on"), ("off", False, "left off")):
        values = [each["numbers"] for each in seen.of("switch", on=on)]
        found[f"numbers_{key}"] = _middle(
            values, "of 3", f"numbers about the worker pool in a Ping, metrics {words}",
            why="no Ping was asked",
        )  # fmt: skip
    return found


def _starved_figures(seen: Observations) -> Figures:
    rows = seen.of("starved")
    runs = f"{STARVED_RUNS} computing runs on 0.5 vCPU"
    ratios = [e["throttled_periods"] / e["periods"] for e in rows if e["periods"]]
    shares = [e["cpu_s"] / STARVED_S / e["runs"] for e in rows if e["runs"]]
    queued = [e["queued"] for e in rows if e["queued"] is not None]
    return {
        "throttled_ratio_starved": _middle(ratios, "share", f"CPU periods throttled, {runs}"),
        "cpu_share_starved": _middle(shares, "share", f"of the CPU they ask for they get, {runs}"),
        "queue_said_starved": _middle(queued, "requests", f"num_queued_requests, {runs}"),
    }


def _middle(
    values: Sequence[float | None], unit: str, meaning: str, *, why: str = "not seen"
) -> Figure:
    known = [each for each in values if each is not None]
    value = float(median(known)) if known else None
    return Figure(value=value, unit=unit, meaning=meaning, n=len(known), why="" if known else why)
