"""Which number of workers does: what cells show that differ in that number and in nothing else.

Too few workers and launches wait; too many and all those launches import at once, which takes
memory and makes each of them slow. So there is a smallest number that holds the objectives and a
largest that is safe. The same for the steps of a run in the multiprocess executor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.workers.fit import Demand, WorkerFit, fit_workers
from harness.analysis.workers.groups import (
    SETTINGS,
    MeasuredCell,
    Member,
    Setting,
    by_value,
    groups_of,
    member_of,
)
from harness.analysis.workers.points import WorkerPoint, point_of
from harness.analysis.workers.results import SettingResult, result_of
from harness.analysis.workers.words import evidence_of
from harness.campaign.plan import CellPlan
from harness.units import mib

WAITING = 0.5
"""Requests waiting on average. From here on busy workers no longer tell what would be needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFinding:
    """Cells that differ only in `setting`, compared at the highest concurrency they share.

    `results` ascend by value. `smallest`: the lowest value that held every objective there.
    `largest_safe`: the highest one of the first unbroken run of safe values, see
    `SettingResult.safe`. Each is `None` where no value does. `fit` is the sizing formula over all
    their steps, `None` for `steps_at_once`.
    """

    setting: Setting
    cells: tuple[str, ...]
    profile: str
    workload: str
    dagster: str
    concurrency: int | None
    results: tuple[SettingResult, ...]
    smallest: int | None
    largest_safe: int | None
    fit: WorkerFit | None
    evidence: tuple[str, ...]


def worker_findings(
    cells: Sequence[MeasuredCell],
    *,
    plans: Mapping[str, CellPlan] | None = None,
    host_cpus: float | None = None,
) -> tuple[WorkerFinding, ...]:
    """One finding for each set of cells that differ in one setting alone.

    Args:
        cells: of one campaign, so of one load: record, verdicts, and costs of a run.
        plans: the campaign's cells by their id. Without them one workload measured in two ways
            counts as two, and `steps_at_once` is not known.
        host_cpus: CPUs of the machine: the executor's default.

    Returns:
        In order of the cells, `max_workers` first; empty where no two cells can be compared.
    """
    members = [member_of(cell, plans or {}, host_cpus) for cell in cells]
    return tuple(
        _finding(setting, group, members)
        for setting in SETTINGS
        for group in groups_of(members, setting)
    )


def fit_of(cells: Sequence[MeasuredCell]) -> WorkerFit:
    """The sizing formula over the steps of these cells, whatever they differ in.

    For cells with nothing to be compared with: even one ladder of four steps tells how true the
    rule is there.
    """
    return _fit_points(
        [point_of(record, step) for record, judged, _ in cells for step in judged.steps]
    )


def _finding(setting: Setting, group: Sequence[Member], cells: Sequence[Member]) -> WorkerFinding:
    values = by_value(group, setting)
    concurrency = _shared(values.values())
    results = tuple(
        _result(value, members, concurrency)
        for value, members in values.items()
        if concurrency is not None
    )
    smallest = next((each.value for each in results if each.verdict == "pass"), None)
    largest_safe = _largest_safe(results)
    first = group[0]
    fit = _fit(first, cells) if setting == "max_workers" else None
    return WorkerFinding(
        setting=setting,
        cells=tuple(member.cell.id for member in group),
        profile=first.cell.profile,
        workload=first.cell.workload,
        dagster=first.cell.dagster,
        concurrency=concurrency,
        results=results,
        smallest=smallest,
        largest_safe=largest_safe,
        fit=fit,
        evidence=evidence_of(setting, concurrency, results, ends=(smallest, largest_safe), fit=fit),
    )


def _shared(values: Iterable[Sequence[Member]]) -> int | None:
    """The highest concurrency under load that was measured with every value."""
    measured = [
        {p.concurrency for member in members for p in member.points if p.kind == "load"}
        for members in values
    ]
    return max(set.intersection(*measured), default=None)


def _result(value: int, members: Sequence[Member], concurrency: int) -> SettingResult:
    points = [
        point
        for member in members
        for point in member.points
        if point.kind == "load" and point.concurrency == concurrency
    ]
    base_bytes = members[0].resources.base_bytes
    return result_of(
        value,
        points,
        memory_limit=members[0].cell.slos.get("memory_headroom"),
        base_mib=None if base_bytes is None else mib(base_bytes),
    )


def _largest_safe(results: Sequence[SettingResult]) -> int | None:
    """The end of the first unbroken run of safe values.

    Below it too few workers may have kept launches waiting too long; a safe value above an unsafe
    one was lucky.
    """
    best = None
    for each in results:
        if each.safe:
            best = each.value
        elif best is not None:
            break
    return best


def _fit(first: Member, cells: Sequence[Member]) -> WorkerFit:
    """Over every cell of that place and work, also with other sensors: they tell `b`."""
    alike = [member for member in cells if member.same_work == first.same_work]
    return _fit_points([point for member in alike for point in member.points])


def _fit_points(points: Sequence[WorkerPoint]) -> WorkerFit:
    usable = [
        (Demand(launching=p.launching, sensing=p.sensing, busy=p.pool_busy), p.pool_queue)
        for p in points
        if p.completed
        and p.verdict != "invalid"
        and p.launching is not None
        and p.pool_busy is not None
        and p.pool_queue is not None
    ]
    demands = [demand for demand, queue in usable if queue < WAITING]
    return fit_workers(demands, waiting=len(usable) - len(demands))
