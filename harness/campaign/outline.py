"""A campaign in lines a person can check before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.campaign.estimate import (
    estimate_cell_s,
    estimate_s,
    estimate_step_s,
    estimate_steps,
    longest_s,
    steps_of,
)
from harness.campaign.plan import LISTED, Campaign, CellPlan, Load, Workload
from harness.units import show_seconds


def outline(campaign: Campaign) -> Iterator[str]:
    """What will be measured, cell by cell, how, and how long that takes."""
    yield f"Campaign {campaign.name} · target {campaign.target} · feed {campaign.feed}"
    yield f"  arrivals: {_arrivals(campaign.load)}"
    yield from (f"  {line}" for line in _versions(campaign))
    for kind, cells in _alike(campaign).items():
        about = show_seconds(estimate_cell_s(campaign, cells[0]))
        yield f"  {kind}  about {about}{_how_often(campaign)}"
        yield from (f"    {line}" for line in _cell(campaign, cells[0]))
    yield f"In all {_cells(campaign)}{lasts(campaign)}."


def _alike(campaign: Campaign) -> dict[str, list[CellPlan]]:
    """Cells that differ in version and round alone, by an id that leaves those open."""
    kinds: dict[str, list[CellPlan]] = {}
    for cell in campaign.cells():
        version = cell.dagster if len(campaign.dagster) == 1 else "*"
        kind = cell.model_copy(update={"repetition": None, "dagster": version})
        kinds.setdefault(kind.id, []).append(cell)
    return kinds


def _how_often(campaign: Campaign) -> str:
    """` each, 4 rounds of 2 versions`; nothing where each is measured once."""
    rounds, versions = campaign.repetitions, len(campaign.dagster)
    if rounds == 1:
        return "" if versions == 1 else f" each, {versions} versions"
    return f" each, {rounds} rounds" + (f" of {versions} versions" if versions > 1 else "")


def _cells(campaign: Campaign) -> str:
    """How many there are, where the lines do not tell."""
    return f"{len(list(campaign.cells()))} cells, " if _how_often(campaign) else ""


def _versions(campaign: Campaign) -> Iterator[str]:
    """What is compared with what, in which order, and what its names stand for."""
    baseline = campaign.baseline_version
    if baseline is not None:
        others = ", ".join(each for each in campaign.dagster if each != baseline)
        yield f"compared: {others} with {baseline}"
    for name, source in campaign.builds.items():
        yield f"{name}: {source}"
    if campaign.repetitions > 1:
        back = ", every second one backwards through the versions" if baseline is not None else ""
        yield f"rounds: {campaign.repetitions}{back}"


def lasts(campaign: Campaign) -> str:
    """`about 8 min 4 s`, and what may make it more or less."""
    about = f"about {show_seconds(estimate_s(campaign))}"
    if campaign.search.strategy not in LISTED:
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
    if search.strategy == "soak":
        return _soak(campaign, cell)
    most = "" if search.max_minutes is None else f" or {search.max_minutes:g} minutes"
    steps = f"at most {search.max_steps} steps{most}, about {estimate_steps(campaign, cell)}"
    if search.strategy == "bisect":
        return f"bisect over {grid}: halves, each concurrency once; {steps}"
    if search.always:
        loads = ", ".join(map(str, dict.fromkeys((1, *search.always))))
        return (
            f"adaptive over {grid}: first {loads}, whatever they show, then at the boundary that "
            f"equal cells look for together; {steps}"
        )
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


def _soak(campaign: Campaign, cell: CellPlan) -> str:
    held = campaign.concurrencies(cell)[0]
    segments = f"{campaign.search.max_steps} segments"
    lasting = show_seconds(estimate_step_s(campaign))
    broken = ", ".join(f"{each.kind} in segment {each.segment}" for each in campaign.faults)
    return f"soak at {held} in flight: {segments} of {lasting}" + (f"; {broken}" if broken else "")


def _may_stop(campaign: Campaign, cell: CellPlan) -> bool:
    """Whether failures can end a ladder before its last rung."""
    if campaign.search.strategy == "soak":
        return False
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
