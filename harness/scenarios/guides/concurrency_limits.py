"""Which limits does the run queue keep, and what does it cost to keep them?

Runs are launched while nothing in `dagster.yaml` names a queue, while no run is allowed, while
fifteen are, and while tags and pools have limits of their own. A sensor that looks for started
runs, as a guide has it, is evaluated while a run of its job is queued and while one starts. At
last the daemon looks at a queue of one run and at one of a thousand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.concurrency_figures import (
    FREE,
    GUARDS,
    LIMITS,
    RUN_LIMIT,
    figures,
)
from harness.scenarios.guides.queue_depth import BULK, measure_depths
from harness.scenarios.guides.queueing import (
    DEFAULT_INTERVAL_S,
    FULL,
    PATIENCE_S,
    SERVER,
    await_looks,
    clear,
    launch,
    looks,
    queue_settings,
)
from harness.scenarios.guides.scenario import Scenario

FOR_EVER: Mapping[str, Any] = {"seconds": 900.0}
TAG_LIMITS: tuple[Mapping[str, Any], ...] = (
    {"key": "team", "value": "blue", "limit": LIMITS["value"]},
    {"key": "kind", "limit": LIMITS["key"]},
    {"key": "customer", "value": {"applyLimitPerUniqueValue": True}, "limit": LIMITS["unique"]},
)
POOLS = {"default_limit": LIMITS["pool"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured: times in seconds, the rest are runs, but for ticks and `refills`."""

    zero_s: float
    guard_ticks: int
    starting_ticks: int
    burst: int
    refills: int
    refilled: int
    a_limit: int
    queue: int
    window_s: float
    passing: int


WHOLE = Sizes(zero_s=20, guard_ticks=4, starting_ticks=5, burst=40, refills=3, refilled=5,
              a_limit=6, queue=1000, window_s=15, passing=12)  # fmt: skip
QUICK = Sizes(zero_s=6, guard_ticks=2, starting_ticks=2, burst=22, refills=1, refilled=3,
              a_limit=4, queue=200, window_s=6, passing=5)  # fmt: skip


def measure(bench: Bench) -> None:
    """All in one lab, whose settings change."""
    sizes = QUICK if bench.quick else WHOLE
    instance = {"run_coordinator": None}
    with bench.lab(LabSpec(servers=(SERVER,), instance=instance, daemon=True)) as lab:
        _without_key(bench, lab)
        blocked, guarded = _none_allowed(bench, lab, sizes)
        bench.say(f"{RUN_LIMIT} runs may be in progress")
        runs: Mapping[str, Any] = {"max_concurrent_runs": RUN_LIMIT}
        lab.configure(queue_settings(interval_s=DEFAULT_INTERVAL_S, runs=runs), "daemon")
        burst = launch(lab, [Order(job="sleep", config=FOR_EVER)] * sizes.burst)
        _guard_started(bench, lab, guarded)
        _full_and_refilled(bench, lab, burst, sizes)
        groups = {"blocked": blocked, "guarded": guarded, "burst": burst}
        clear(lab, [run_id for ids in groups.values() for run_id in ids])
        for group, ids in groups.items():
            bench.note_runs(group, lab.records.runs(ids))
        limits = {**runs, "tag_concurrency_limits": [*TAG_LIMITS]}
        _limits(bench, lab, sizes, limits)
        _guard_starting(bench, lab, sizes.starting_ticks)
        limits = {**runs, "tag_concurrency_limits": [*TAG_LIMITS, {"key": BULK, "limit": 0}]}
        lab.configure(queue_settings(interval_s=0, runs=limits, pools=POOLS), "daemon")
        measure_depths(
            bench, lab, longest=sizes.queue, window_s=sizes.window_s, passing=sizes.passing
        )


def _without_key(bench: Bench, lab: Lab) -> None:
    """Nothing names a queue: does a run wait in one all the same?"""
    bench.say("Two runs with no queue in dagster.yaml")
    ids = launch(lab, [Order(job="noop")] * 2)
    lab.web.wait(ids, timeout_s=PATIENCE_S)
    bench.note_runs("without_key", lab.records.runs(ids))


def _none_allowed(bench: Bench, lab: Lab, sizes: Sizes) -> tuple[list[str], list[str]]:
    """Whatever is launched stays queued, also what a guard asks for.

    Returns:
        Runs that do nothing, and those of the guarded job.
    """
    bench.say("No run may be in progress")
    lab.configure(queue_settings(runs={"max_concurrent_runs": 0}), "webserver", "daemon")
    lab.web.await_locations(["server"], timeout_s=PATIENCE_S)
    blocked = launch(lab, [Order(job="noop")] * 3)
    guarded = launch(lab, [Order(job="guarded")])
    before = await_looks(lab, FULL, bench.sleep)
    for _ in range(sizes.guard_ticks):
        if _tick(bench, lab, "queued", guarded[-1]):
            guarded += launch(lab, [Order(job="guarded")])
    bench.sleep(sizes.zero_s)
    bench.note("zero", looks=looks(lab, FULL) - before)
    bench.note_runs("zero", lab.records.runs(blocked))
    return blocked, guarded


def _guard_started(bench: Bench, lab: Lab, guarded: Sequence[str]) -> None:
    """The guard's own case: a run of its job runs."""
    seen = lab.web.wait(
        guarded, timeout_s=PATIENCE_S, until=lambda r: r.ended or r.status == "STARTED"
    )
    running = [run_id for run_id, report in seen.items() if report.status == "STARTED"]
    if running:
        _tick(bench, lab, "started", running[-1])


def _full_and_refilled(bench: Bench, lab: Lab, burst: Sequence[str], sizes: Sizes) -> None:
    """As many as may be are in progress for a while; then some end, and others take their place."""
    for round_ in range(sizes.refills + 1):
        seen = lab.web.wait(
            burst, timeout_s=PATIENCE_S, enough=RUN_LIMIT, until=lambda r: r.status == "STARTED"
        )
        bench.sleep(1.0 if round_ else 2.5 * DEFAULT_INTERVAL_S)
        started = [run_id for run_id, report in seen.items() if report.status == "STARTED"]
        if round_ < sizes.refills:
            lab.web.cancel(started[: sizes.refilled])


def _limits(bench: Bench, lab: Lab, sizes: Sizes, limits: Mapping[str, Any]) -> None:
    """More runs than each limit lets through, and some that none limits, launched last: all are
    queued when the daemon looks for the first time.
    """
    bench.say("Limits by tag and by pool")
    with contextlib.closing(lab.support("daemon")) as daemon:
        daemon.stop(2)
    orders = _orders(sizes.a_limit)
    groups: dict[str, list[str]] = {group: [] for group, _ in orders}
    ids = launch(lab, [order for _, order in orders])
    for (group, _), run_id in zip(orders, ids, strict=True):
        groups[group].append(run_id)
    groups[FREE] = launch(lab, [Order(job="sleep", config={"seconds": 3.0})] * 2)
    lab.configure(queue_settings(threads=4, runs=limits, pools=POOLS), "daemon")
    lab.web.wait([*ids, *groups[FREE]], timeout_s=PATIENCE_S)
    for group, members in groups.items():
        bench.note_runs(group, lab.records.runs(members))


def _guard_starting(bench: Bench, lab: Lab, ticks: int) -> None:
    """The guard looks while a run of its job has been taken off the queue and imports."""
    for _ in range(ticks):
        (run_id,) = launch(lab, [Order(job="guarded", config={"seconds": 0.5})])
        lab.web.wait([run_id], timeout_s=60, until=lambda report: report.status != "QUEUED")
        _tick(bench, lab, "starting", run_id)
        lab.web.wait([run_id], timeout_s=60)


def _orders(count: int) -> list[tuple[str, Order]]:
    """So many runs for each limit, by its group; three where one at a time may run."""
    wait: Mapping[str, Any] = {"seconds": 3.0}
    return [
        *[("value", Order(job="sleep", config=wait, tags={"team": "blue"}))] * count,
        *(("key", Order(job="sleep", config=wait, tags={"kind": f"k{n}"})) for n in range(count)),
        *[("unique_a", Order(job="sleep", config=wait, tags={"customer": "a"}))] * 3,
        *[("unique_b", Order(job="sleep", config=wait, tags={"customer": "b"}))] * 3,
        *[("pool", Order(job="warehouse", config={"pool_s": 3.0}))] * 3,
    ]  # fmt: skip


def _tick(bench: Bench, lab: Lab, moment: str, run_id: str) -> bool:
    """Evaluate the guards while a run of their job is there; whether the guide's asks for one."""
    before = _status(lab, run_id)
    ticks = {name: lab.web.tick(sensor) for name, sensor in GUARDS.items()}
    failed = next((tick.error for tick in ticks.values() if tick.error_class), None)
    asked = {name: tick.skip_reason is None for name, tick in ticks.items()}
    bench.note("guard", moment=moment, before=before, after=_status(lab, run_id),
               failed=failed, **asked)  # fmt: skip
    return failed is None and asked["started_only"]


def _status(lab: Lab, run_id: str) -> str:
    report = lab.web.statuses([run_id]).get(run_id)
    return report.status if report else ""


SCENARIO = Scenario(
    name="concurrency-limits",
    question="Which limits does the run queue keep, and what does keeping them cost?",
    minutes=6,
    quick_minutes=None,
    measure=measure,
    figures=figures,
)
