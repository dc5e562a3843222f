"""A campaign in lines a person can check before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.campaign.estimate import (
    estimate_cell_s,
    estimate_s,
    estimate_steps,
    longest_s,
    steps_of,
)
from harness.campaign.plan import Campaign, CellPlan, Load, Workload
from harness.units import show_seconds


def outline(campaign: Campaign) -> Iterator[str]:
    """What will be measured, cell by cell, how, and how long that takes."""
    yield f"Campaign {campaign.name} · target {campaign.target} · feed {campaign.feed}"
    yield f"  arrivals: {_arrivals(campaign.load)}"
    for cell in campaign.cells():
        yield f"  {cell.id}  about {show_seconds(estimate_cell_s(campaign, cell))}"
        yield from (f"    {line}" for line in _cell(campaign, cell))
    yield f"In all {lasts(campaign)}."


def lasts(campaign: Campaign) -> str:
    """`about 8 min 4 s`, and what may make it more or less."""
    about = f"about {show_seconds(estimate_s(campaign))}"
    if campaign.search.strategy != "ladder":
        return f"{about}, at most {show_seconds(longest_s(campaign))}"
    if any(_may_stop(campaign, cell) for cell in campaign.cells()):
        return f"{about}, less where a ladder stops early"
    return about


def _cell(campaign: Campaign, cell: CellPlan) -> Iterator[str]:
    yield _search(campaign, cell)
    yield from _content(cell.workload)
    if cell.feed == "queued":
        limit, threads = cell.max_concurrent_runs, cell.queue.dequeue_threads or 1
        yield (
            f"queue: {'no limit of runs' if limit is None else f'at most {limit} runs at once'}, "
            f"looked at every {cell.queue.dequeue_interval_s} s, "
            f"{'one launch' if threads == 1 else f'{threads} launches'} at a time"
        )


def _search(campaign: Campaign, cell: CellPlan) -> str:
    search, grid = campaign.search, _grid(campaign.concurrencies(cell))
    if search.strategy == "ladder":
        return _ladder(campaign, cell)
    most = "" if search.max_minutes is None else f" or {search.max_minutes:g} minutes"
    steps = f"at most {search.max_steps} steps{most}, about {estimate_steps(campaign, cell)}"
    if search.strategy == "bisect":
        return f"bisect over {grid}: halves, each concurrency once; {steps}"
    return (
        f"adaptive over {grid}: gallops up, then repeats at the boundary until "
        f"{search.confidence * 100:g} % sure; {steps}"
    )


def _ladder(campaign: Campaign, cell: CellPlan) -> str:
    rungs = " → ".join(str(concurrency) for _, concurrency, _ in steps_of(campaign, cell))
    if not _may_stop(campaign, cell):
        return f"concurrency {rungs}; all of them, whatever fails"
    failures = campaign.search.stop_after_failures
    stops = "a rung fails" if failures == 1 else f"{failures} rungs in a row fail"
    return f"concurrency {rungs}; stops early when {stops}"


def _may_stop(campaign: Campaign, cell: CellPlan) -> bool:
    """Whether failures can end the ladder before its last rung."""
    rungs = {concurrency for _, concurrency, _ in steps_of(campaign, cell)}
    return campaign.search.stop_after_failures < len(rungs)


def _content(workload: Workload) -> Iterator[str]:
    if workload.mix:
        whole = sum(part.share for part in workload.mix)
        shares = (f"{part.workload} {part.share / whole * 100:.3g} %" for part in workload.mix)
        yield f"mix: {', '.join(shares)} of the runs"
    if sensors := workload.sensors:
        does = "sleeping" if sensors.mode == "block" else "computing"
        who = "one, it" if sensors.count == 1 else f"{sensors.count}, each"
        yield (
            f"sensors: {who} holds a worker for "
            f"{sensors.tick_s:g} s ({does}), at most every {sensors.interval_s} s"
        )


def _arrivals(load: Load) -> str:
    """How runs arrive; of an open model also what a concurrency means in runs an hour."""
    if load.model == "closed":
        return "closed: a run that ends is followed by the next"
    if load.model == "burst":
        return "burst: all runs of a step at once, and no more"
    gaps = "evenly" if load.model == "uniform" else f"by chance (seed {load.seed})"
    if load.run_s is None:
        return f"{load.model}, {gaps}: concurrency ÷ the unloaded response time"
    hourly = 3600 / load.run_s
    return f"{load.model}, {gaps}: concurrency ÷ {load.run_s:g} s, each is {hourly:.4g} runs/hour"


def _grid(concurrencies: Sequence[int]) -> str:
    """`1-24`, or `1, 4, 8` where it has gaps."""
    if len(concurrencies) > 1 and all(high - low == 1 for low, high in pairwise(concurrencies)):
        return f"{concurrencies[0]}-{concurrencies[-1]}"
    return ", ".join(map(str, concurrencies))
