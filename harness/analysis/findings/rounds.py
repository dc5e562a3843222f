"""A campaign in rounds as if each kind of cell had been measured once: what reports judge it by.

One round looks at the boundary once or twice; it was never meant to find its capacity alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from scipy.special import stdtrit

from harness.analysis.advice.recommendation import Recommendation
from harness.analysis.capacity import Capacity
from harness.analysis.comparison.pooled import pooled_capacity
from harness.analysis.findings.types import (
    BindingFinding,
    CellFinding,
    CpuFinding,
    Findings,
    IssueFinding,
    MemoryFinding,
    StepFinding,
)
from harness.analysis.model.knee import Knee
from harness.analysis.model.usl import Usl

Interval = tuple[float, float]

MIN_FOR_INTERVAL = 3
OWN = "every round has its own"
STRENGTHS = ("clear", "likely", "unclear")


def kind_id(cell: CellFinding) -> str:
    """The cell's id without its round: equal for equal cells."""
    return cell.id if cell.repetition is None else cell.id.removesuffix(f"_n{cell.repetition}")


def in_rounds(findings: Findings) -> bool:
    """Whether some of its cells are repetitions."""
    return any(cell.repetition is not None for cell in findings.cells)


def rounds_of(findings: Findings) -> dict[str, tuple[CellFinding, ...]]:
    """Equal cells by `kind_id`, in the order they were first measured."""
    kinds: dict[str, list[CellFinding]] = {}
    for cell in findings.cells:
        kinds.setdefault(kind_id(cell), []).append(cell)
    return {kind: tuple(cells) for kind, cells in kinds.items()}


def with_rounds(findings: Findings) -> Findings:
    """The same, knowing what equal cells hold together: that is worked out once, when judging."""
    if not in_rounds(findings):
        return findings
    together = {
        kind: pooled_capacity(cells)
        for kind, cells in rounds_of(findings).items()
        if cells[0].repetition is not None
    }
    return replace(findings, rounds=together)


def pooled(findings: Findings) -> Findings:
    """The same campaign with equal cells as one; one without rounds stays as it is.

    A pooled cell has its kind's id, the steps of all rounds numbered through, and the capacity
    they support together. Costs of a run are means over the rounds, with the interval of that
    mean. What describes single rounds (model, knee) is left out.
    """
    if not in_rounds(findings):
        return findings
    kinds = rounds_of(findings)
    return replace(
        findings,
        cells=tuple(
            _pooled_cell(kind, cells, findings.rounds.get(kind)) for kind, cells in kinds.items()
        ),
        validity=tuple(_moved(findings.validity, kinds)),
    )


def _pooled_cell(kind: str, cells: Sequence[CellFinding], known: Capacity | None) -> CellFinding:
    first = cells[0]
    if first.repetition is None:
        return first
    capacity = known or pooled_capacity(cells)
    return replace(
        first,
        id=kind,
        repetition=None,
        run_s=_mean(cell.run_s for cell in cells),
        unloaded_response_s=_unloaded(cells),
        limits_enforced=all(cell.limits_enforced for cell in cells),
        search=replace(
            first.search,
            steps=sum(cell.search.steps for cell in cells),
            ended=f"{len(cells)} round{'' if len(cells) == 1 else 's'} together",
        ),
        capacity=capacity,
        binding=_binding(cells, capacity),
        knee=Knee(
            runs=None, low=None, high=None, max_throughput_per_s=None, status="unknown", n=0,
            reason=OWN,
        ),
        throughput_runs_per_s=_mean(
            step.throughput_runs_per_s
            for cell in cells
            for step in cell.steps
            if step.verdict == "pass" and step.concurrency == capacity.concurrency
        ),
        memory=_memory(cells),
        cpu=_cpu(cells),
        model=None,
        predicted=None,
        usl=Usl(points=0, reason=OWN),
        blasts=tuple(blast for cell in cells for blast in cell.blasts),
        steps=_steps(cells),
        recommendation=_recommendation(cells, capacity),
        defaults=tuple(dict.fromkeys(text for cell in cells for text in cell.defaults)),
    )  # fmt: skip


def _steps(cells: Sequence[CellFinding]) -> tuple[StepFinding, ...]:
    """All steps in the order of measuring; what repeats a concurrency is numbered through."""
    seen: dict[int, int] = {}
    steps = []
    for index, step in enumerate(step for cell in cells for step in cell.steps):
        seen[step.concurrency] = seen.get(step.concurrency, 0) + 1
        steps.append(replace(step, index=index, repetition=seen[step.concurrency]))
    return tuple(steps)


def _moved(
    issues: Iterable[IssueFinding], kinds: dict[str, tuple[CellFinding, ...]]
) -> Iterable[IssueFinding]:
    """Doubts by the ids and step numbers of pooled cells."""
    places: dict[str, tuple[str, dict[int, int]]] = {}
    for kind, cells in kinds.items():
        before = 0
        for cell in cells:
            numbers = {step.index: before + place for place, step in enumerate(cell.steps)}
            alone = cell.repetition is None
            places[cell.id] = (kind, {step.index: step.index for step in cell.steps} if alone
                               else numbers)  # fmt: skip
            before += len(cell.steps)
    for issue in issues:
        kind, numbers = places.get(issue.cell, (issue.cell, {}))
        step = None if issue.step is None else numbers.get(issue.step, issue.step)
        yield replace(issue, cell=kind, step=step)


def _binding(cells: Sequence[CellFinding], capacity: Capacity) -> BindingFinding | None:
    """Of the round that says most clearly what the rounds together say."""
    said = [
        cell.binding for cell in cells if cell.binding and cell.binding.limit == capacity.binding
    ]
    known = [each for each in said if each.limit is not None]
    return min(known, key=lambda each: _rank(each.strength), default=None)


def _rank(strength: str) -> int:
    return STRENGTHS.index(strength) if strength in STRENGTHS else len(STRENGTHS)


def _recommendation(cells: Sequence[CellFinding], capacity: Capacity) -> Recommendation:
    """Of the rounds that found just what they hold together; the most careful of them."""
    alike = [
        cell.recommendation
        for cell in cells
        if cell.capacity.concurrency == capacity.concurrency
        and cell.recommendation.max_concurrent_runs is not None
    ]
    if alike:
        return max(alike, key=lambda each: each.max_workers or 0)
    why = "No single round found what they hold together: settings come from a campaign without"
    return Recommendation(
        max_workers=None, max_concurrent_runs=None, replicas=None,
        why=(f"{why} rounds, for one version: harness run --preset threshold.",),
    )  # fmt: skip


def _memory(cells: Sequence[CellFinding]) -> MemoryFinding:
    found = [cell.memory for cell in cells]
    per_run = [each.per_run_mib for each in found]
    peaks = [each.peak_per_run_mib for each in found]
    return MemoryFinding(
        base_mib=_mean(each.base_mib for each in found),
        per_run_mib=_mean(per_run),
        per_run_mib_ci=_interval(per_run),
        method=found[0].method,
        points=sum(each.points for each in found),
        peak_base_mib=_mean(each.peak_base_mib for each in found),
        peak_per_run_mib=_mean(peaks),
        peak_per_run_mib_ci=_interval(peaks),
    )


def _cpu(cells: Sequence[CellFinding]) -> CpuFinding:
    found = [cell.cpu for cell in cells]
    launch = [each.launch_cpu_s for each in found]
    runs = [each.run_cpu_s for each in found]
    return CpuFinding(
        launch_cpu_s=_mean(launch),
        launch_cpu_s_ci=_interval(launch),
        run_cpu_s=_mean(runs),
        run_cpu_s_ci=_interval(runs),
        idle_cores=_mean(each.idle_cores for each in found),
        n=sum(each.n for each in found),
    )


def _unloaded(cells: Sequence[CellFinding]) -> dict[str, float]:
    jobs = dict.fromkeys(job for cell in cells for job in cell.unloaded_response_s)
    return {
        job: fmean(c.unloaded_response_s[job] for c in cells if job in c.unloaded_response_s)
        for job in jobs
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _interval(values: Iterable[float | None]) -> Interval | None:
    """95 % interval of the mean over rounds; `None` of fewer than three."""
    known = [value for value in values if value is not None]
    if len(known) < MIN_FOR_INTERVAL:
        return None
    middle, n = fmean(known), len(known)
    half = float(stdtrit(n - 1, 0.975)) * stdev(known) / math.sqrt(n)
    return (middle - half, middle + half)
