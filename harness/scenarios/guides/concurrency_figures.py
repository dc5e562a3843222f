"""What the limits of the run queue came to: figures of `concurrency_limits`. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import inf
from statistics import mean, median

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.scenarios.guides.at_once import (
    first_steps,
    in_progress,
    peak,
    waiting,
)

RUN_LIMIT = 15
LIMITS = {"value": 2, "key": 2, "unique": 1, "pool": 1}
"""By group: a tag's key and value, a tag's key alone, each value of a tag, a pool."""

FREE = "free"
GUARDS = {"started_only": "if_none_started", "unfinished": "if_none_unfinished"}
UNFINISHED = ("queued", "starting")


def figures(seen: Observations) -> Figures:
    """Stamps of runs to numbers of runs at once; the counts of ticks and looks beside them."""
    return {
        **_run_limit(seen), **_zero(seen), **_without_key(seen), **_limits(seen), **_guard(seen),
        **_queue(seen),
    }  # fmt: skip


def _run_limit(seen: Observations) -> Figures:
    """The limit must have been reached, and somebody must have waited, for it to have been kept."""
    groups = ("blocked", "guarded", "burst")
    runs = [run for group in groups for run in seen.of("run", group=group)]
    found = peak(in_progress(runs))
    queued = waiting(runs, found.at_s) if found.at_s is not None else 0
    gaps = refill_gaps(runs, RUN_LIMIT)
    reached = found.most >= RUN_LIMIT and queued > 0
    why = f"never more than {found.most} were in progress with {queued} waiting"
    return {
        "run_limit": Figure(value=RUN_LIMIT, unit="runs", meaning="max_concurrent_runs"),
        "most_in_progress": Figure(
            value=found.most if reached else None, unit="runs", n=len(runs), why=why,
            meaning="runs STARTING, STARTED or CANCELING at once",
        ),
        "waiting_then": Figure(value=queued, unit="runs", meaning="runs queued at that moment"),
        "refill_s": Figure(
            value=median(gaps) if gaps else None, unit="s", n=len(gaps),
            why="no place was refilled",
            meaning="from the end of a run to the launch of the next in its place, median, "
            "where the daemon looks every 5 s and launches one run after another",
        ),
        "refill_longest_s": Figure(
            value=max(gaps, default=None), unit="s", n=len(gaps), why="no place was refilled",
            meaning="the longest of them",
        ),
    }  # fmt: skip


def refill_gaps(runs: Sequence[Values], limit: int) -> list[float]:
    """How long places stayed empty while runs waited, in the order they were taken, in seconds.

    A place is empty once a run ends, from when as many as `limit` were in progress for the first
    time; the next run that is launched takes the place that has been empty longest.
    """
    spans = in_progress(runs)
    changes = sorted([(end, -1) for _, end in spans] + [(begin, 1) for begin, _ in spans])
    there, was_full = 0, False
    empty: deque[float] = deque()
    gaps = []
    for at_s, change in changes:
        there += change
        was_full = was_full or there >= limit
        if change < 0 and was_full and waiting(runs, at_s):
            empty.append(at_s)
        elif change > 0 and empty:
            gaps.append(at_s - empty.popleft())
    return gaps


def _zero(seen: Observations) -> Figures:
    looks = seen.first("zero")
    if looks is None:
        return {}
    blocked, later = seen.of("run", group="zero"), seen.of("run", group="blocked")
    return {
        "zero_looks": Figure(
            value=looks["looks"], unit="looks",
            meaning="looks of the daemon at the queue while no run was allowed",
        ),
        "zero_launched": Figure(
            value=_launched(blocked), unit="runs", n=len(blocked),
            meaning="queued runs it launched meanwhile",
        ),
        "zero_launched_later": Figure(
            value=_launched(later), unit="runs", n=len(later),
            meaning="of the same runs, launched once the limit was raised",
        ),
    }  # fmt: skip


def _launched(runs: Sequence[Values]) -> int:
    return sum(1 for run in runs if run["dequeued_s"] is not None)


def _without_key(seen: Observations) -> Figures:
    runs = seen.of("run", group="without_key")
    skipped = [run["enqueued_s"] is None for run in runs]
    return {
        "skipped_queue": Figure(
            value=mean(skipped) if skipped else None, unit="1", n=len(skipped),
            why="no run was launched",
            meaning="share of runs that were never QUEUED where dagster.yaml names neither "
            "run_queue nor run_coordinator",
        )
    }  # fmt: skip


def _limits(seen: Observations) -> Figures:
    """Each limit by the most of its group at once; what was held back proves that it acted."""
    free = seen.of("run", group=FREE)
    names = ("value", "key", "unique_a", "unique_b", "pool")
    groups = {name: seen.of("run", group=name) for name in names}
    if not free or not all(groups.values()):
        return {}
    most = {name: peak(in_progress(runs)).most for name, runs in groups.items()}
    together = peak(in_progress([*groups["unique_a"], *groups["unique_b"]])).most
    at_once = {
        "value": (most["value"], "runs of one tag's key and value"),
        "key": (most["key"], "runs with a tag of that key, whatever its value"),
        "unique": (max(most["unique_a"], most["unique_b"]), "runs of one value of a tag"),
        "pool": (peak(first_steps(groups["pool"])).most, "ops of a pool nobody gave a limit"),
    }
    found = {
        f"{name}_most": Figure(
            value=value, unit="at once", meaning=f"{meaning}, in progress at once"
        )
        for name, (value, meaning) in at_once.items()
    }
    found |= {
        f"{name}_limit": Figure(value=limit, unit="at once", meaning=f"the limit set for {name}")
        for name, limit in LIMITS.items()
    }
    held = [_held_back(runs, free) for name, runs in groups.items() if name != "pool"]
    return {
        **found,
        "unique_together": Figure(
            value=together, unit="at once",
            meaning="runs of all values of that tag in progress at once",
        ),
        "held_back": Figure(
            value=min(held), unit="runs",
            meaning="runs of a limited tag still queued when one without a limit, launched after "
            "them, was taken: of the tag with fewest",
        ),
        "pool_runs_together": Figure(
            value=most["pool"], unit="at once",
            meaning="runs with an op of that pool in progress at once",
        ),
    }  # fmt: skip


def _held_back(limited: Sequence[Values], free: Sequence[Values]) -> int:
    taken = [run["dequeued_s"] for run in free if run["dequeued_s"] is not None]
    if not taken:
        return 0
    launched_s = min(run["enqueued_s"] for run in free)
    earlier = [run for run in limited if run["enqueued_s"] < launched_s]
    return sum(1 for run in earlier if (run["dequeued_s"] or inf) > min(taken))


def _guard(seen: Observations) -> Figures:
    """Only ticks during which the run stayed what it was say something of that moment."""
    ticks = [
        tick
        for tick in seen.of("guard")
        if tick["before"] == tick["after"] == tick["moment"].upper() and not tick["failed"]
    ]
    guarded = seen.of("run", group="guarded")
    moments = {m: [t for t in ticks if t["moment"] == m] for m in (*UNFINISHED, "started")}
    unfinished = [tick for moment in UNFINISHED for tick in moments[moment]]
    found = {
        f"asked_while_{moment}": _share(of, "started_only", f"a run of its job is {moment.upper()}")
        for moment, of in moments.items()
    }
    return {
        **found,
        "asked_while_unfinished": _share(
            unfinished, "started_only", "a run of its job is QUEUED or STARTING"
        ),
        "full_check_asked": _share(
            unfinished, "unfinished", "one is QUEUED or STARTING, if it looks for those too"
        ),
        "guarded_at_once": Figure(
            value=peak((run["started_s"], run["ended_s"]) for run in guarded if run["ended_s"]
                       and run["started_s"]).most if guarded else None,
            unit="runs", n=len(guarded), why="none was launched",
            meaning="runs STARTED at once of the job that is to run alone",
        ),
    }  # fmt: skip


def _share(ticks: Sequence[Values], key: str, when: str) -> Figure:
    return Figure(
        value=mean(tick[key] for tick in ticks) if ticks else None, unit="1", n=len(ticks),
        why="no tick fell into that moment",
        meaning=f"share of evaluations that ask for another run while {when}",
    )  # fmt: skip


def _queue(seen: Observations) -> Figures:
    """Of the shortest and the longest queue: what a look takes, how fast runs pass."""
    looked = sorted(seen.of("queue"), key=lambda each: each["depth"])
    if len(looked) < 2:
        return {}
    depth = Figure(value=looked[-1]["depth"], unit="runs", meaning="runs queued in the long queue")
    found = {"queue_long": depth}
    for name, each in (("short", looked[0]), ("long", looked[-1])):
        queue = f"a queue of {each['depth']}"
        looks = each["looks"]
        passing = seen.of("run", group="passing", depth=each["depth"])
        for key, spent, meaning in (
            ("look_s", each["window_s"], "a look of the daemon takes"),
            ("look_daemon_cpu_s", each["daemon_cpu_s"], "CPU of the daemon a look takes"),
            ("look_postgres_cpu_s", each["postgres_cpu_s"], "CPU of PostgreSQL a look takes"),
        ):
            found[f"{key}_{name}"] = Figure(
                value=spent / looks if looks else None, unit="s", n=looks,
                meaning=f"{meaning} at {queue}", why="it looked not once",
            )  # fmt: skip
        found |= _passing(passing, name, queue)
    return found


def _passing(runs: Sequence[Values], name: str, queue: str) -> Figures:
    waits = [r["dequeued_s"] - r["enqueued_s"] for r in runs if r["dequeued_s"] is not None]
    stamps = sorted(run["dequeued_s"] for run in runs if run["dequeued_s"] is not None)
    took_s = stamps[-1] - stamps[0] if len(stamps) > 1 else 0.0
    return {
        f"passing_per_s_{name}": Figure(
            value=(len(stamps) - 1) / took_s if took_s > 0 else None, unit="1/s", n=len(stamps),
            meaning=f"runs nothing blocks, launched past {queue}, a second", why="too few passed",
        ),
        f"passing_wait_s_{name}": Figure(
            value=min(waits, default=None), unit="s", n=len(waits),
            meaning=f"the first of them waits that long behind {queue}", why="none passed",
        ),
    }  # fmt: skip
