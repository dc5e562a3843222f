"""What does the limit of a pool count: runs in progress, or ops?

Each run has an op of two seconds in a pool and then a long one in none. Two run together while
the pool has no limit; then a person sets it to one on the command line, and three are launched
with each granularity: the runs in progress at once are counted, and the pool's ops.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.at_once import first_steps, in_progress, peak
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.queueing import PATIENCE_S, SERVER, launch, queue_settings
from harness.scenarios.guides.scenario import Scenario

POOL = "database"
LIMIT = 1
UNSET = "unset"
MEANINGS = {
    UNSET: "without granularity in dagster.yaml",
    "run": "with granularity: run",
    "op": "with granularity: op",
}
SLOTS = re.compile(r"(\d+) / (\d+) slots")
"""What the command line says of a pool: slots taken, slots there are."""


def measure(bench: Bench) -> None:
    """All in one lab: the daemon starts anew for each granularity."""
    free_s = 8.0 if bench.quick else 15.0
    instance = queue_settings(threads=4)
    with bench.lab(LabSpec(servers=(SERVER,), instance=instance, daemon=True)) as lab:
        bench.say("Two runs while the pool has no limit")
        _runs(bench, lab, "unlimited", count=2, pool_s=8.0, free_s=0.0)
        _set_limit(bench, lab)
        bench.say("Three runs without a granularity")
        _runs(bench, lab, UNSET, count=3, pool_s=2.0, free_s=free_s)
        for granularity in ("run",) if bench.quick else ("run", "op"):
            bench.say(f"With granularity: {granularity}")
            pools = {"granularity": granularity}
            lab.configure(queue_settings(threads=4, pools=pools), "daemon")
            count = 2 if bench.quick else 3
            _runs(bench, lab, granularity, count=count, pool_s=2.0, free_s=free_s)


def _set_limit(bench: Bench, lab: Lab) -> None:
    """As a person does, where `DAGSTER_HOME` is the lab's."""
    concurrency = ("dagster", "instance", "concurrency")
    with contextlib.closing(lab.support("webserver")) as shell:
        said = shell.run(*concurrency, "set", POOL, str(LIMIT))
        found = SLOTS.search(shell.run(*concurrency, "get", POOL))
    bench.note("limit", said=said.strip()[-200:], slots=int(found[2]) if found else None)


def _runs(bench: Bench, lab: Lab, group: str, *, count: int, pool_s: float, free_s: float) -> None:
    config = {"pool_s": pool_s, "free_s": free_s}
    ids = launch(lab, [Order(job=POOL, config=config)] * count)
    lab.web.wait(ids, timeout_s=PATIENCE_S)
    bench.note_runs(group, lab.records.runs(ids))


def figures(seen: Observations) -> Figures:
    """By granularity, from stamps: runs from their dequeuing to their end, ops by their steps."""
    limit = seen.first("limit")
    unlimited = seen.of("run", group="unlimited")
    found = {
        "pool_limit": Figure(
            value=limit["slots"] if limit else None, unit="slots", why="no slots were told",
            meaning="limit of the pool read back after `dagster instance concurrency set`",
        ),
        "ops_at_once_unlimited": Figure(
            value=peak(first_steps(unlimited)).most or None, unit="ops", n=len(unlimited),
            why="no op ran", meaning="ops of the pool at once before it had a limit",
        ),
    }  # fmt: skip
    for group, when in MEANINGS.items():
        runs = seen.of("run", group=group)
        if runs:
            found |= _counts(group, when, runs)
    return found


def _counts(group: str, when: str, runs: Sequence[Values]) -> Figures:
    ended = [run["ended_s"] for run in runs if run["ended_s"] is not None]
    begun = min(run["enqueued_s"] or run["created_s"] for run in runs)
    return {
        f"runs_at_once_{group}": Figure(
            value=peak(in_progress(runs)).most or None, unit="runs", n=len(runs),
            why="none was launched", meaning=f"runs in progress at once {when}",
        ),
        f"ops_at_once_{group}": Figure(
            value=peak(first_steps(runs)).most or None, unit="ops", n=len(runs), why="no op ran",
            meaning=f"ops of the pool at once {when}",
        ),
        f"run_every_s_{group}": Figure(
            value=(max(ended) - begun) / len(runs) if len(ended) == len(runs) else None, unit="s",
            n=len(runs), why="not all ended",
            meaning=f"seconds a run, all of them together, {when}",
        ),
    }  # fmt: skip


SCENARIO = Scenario(
    name="pools",
    question="Does the limit of a pool count runs in progress, or ops?",
    minutes=3.5,
    quick_minutes=None,
    measure=measure,
    figures=figures,
)
