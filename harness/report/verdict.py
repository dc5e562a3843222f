"""The whole answer in a sentence or two, and short names for the cells it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.analysis.findings.types import CellFinding, Findings
from harness.report.phrases import count_of, limit_words, plain, size_phrase

FEW = 4
"""Up to so many cells are each told in the sentence; of more, only how they are spread."""

_AXES: tuple[Callable[[CellFinding], str], ...] = (
    lambda cell: cell.workload,
    lambda cell: cell.profile.name,
    lambda cell: f"Dagster {cell.dagster}",
    lambda cell: count_of(cell.max_workers, "worker"),
    lambda cell: count_of(cell.replicas, "replica"),
    lambda cell: f"{cell.feed} feed",
    lambda cell: cell.target,
    lambda cell: f"max_concurrent_runs {plain(cell.max_concurrent_runs)}",
    lambda cell: f"round {plain(cell.repetition)}",
)
"""What a cell can differ in, most telling first."""


def cell_labels(cells: Sequence[CellFinding]) -> tuple[str, ...]:
    """A short name for each cell: its workload, and whatever else tells it from the others.

    Cells that differ in nothing a name can tell are numbered.
    """
    told = [axis for axis in _AXES[1:] if len({axis(cell) for cell in cells}) > 1]
    labels = [", ".join([cell.workload, *(axis(cell) for axis in told)]) for cell in cells]
    return tuple(
        label if labels.count(label) == 1 else f"{label}, no. {labels[: place + 1].count(label)}"
        for place, label in enumerate(labels)
    )


def verdict_sentences(findings: Findings) -> tuple[str, ...]:
    """What it holds, then what gives out first: one to three plain sentences."""
    cells = findings.cells
    if not cells:
        return ("Nothing was measured, so there is no answer.",)
    held = _counted(cells) if len(cells) > FEW else _told(cells)
    return (*held, *_bound(cells))


def _told(cells: Sequence[CellFinding]) -> tuple[str, ...]:
    """Each cell's answer: as one sentence about one server where only the workload differs."""
    labels = cell_labels(cells)
    same_server = list(labels) == [cell.workload for cell in cells]
    if not same_server:
        each = (f"{_runs_held(cell)} ({label})" for cell, label in zip(cells, labels, strict=True))
        return (f"Runs held at once: {_listed(tuple(each))}.",)
    sentences = []
    first, *others = [_held_of(cell) for cell in cells if cell.capacity.concurrency] or [""]
    if first:
        alternatives = "".join(f", or {other}" for other in others)
        sentences.append(f"{_servers(cells[0])} {first} at once{alternatives}.")
    below = [_below(cell) for cell in cells if cell.capacity.status == "below_min"]
    if below:
        subject = "It" if first else _servers(cells[0], verb="")
        verb = "do" if cells[0].replicas > 1 and not first else "does"
        sentences.append(f"{subject} {verb} not hold even {' or '.join(below)}.")
    void = [cell.workload for cell in cells if cell.capacity.status == "invalid"]
    if void:
        sentences.append(f"There is no valid answer for {_listed(void)}.")
    return tuple(sentences)


def _servers(cell: CellFinding, *, verb: str = "hold") -> str:
    size = size_phrase(cell.profile)
    if cell.replicas == 1:
        return f"One server of {size} {verb and verb + 's'}".strip()
    return f"{cell.replicas} servers of {size} together {verb}".strip()


def _held_of(cell: CellFinding) -> str:
    return f"{_prefix(cell)}{count_of(cell.capacity.concurrency, f'{cell.workload} run')}"


def _below(cell: CellFinding) -> str:
    return count_of(cell.capacity.first_failing, f"{cell.workload} run")


def _runs_held(cell: CellFinding) -> str:
    capacity = cell.capacity
    if capacity.status == "below_min":
        return f"fewer than {plain(capacity.first_failing)}"
    if not capacity.concurrency:
        return "no valid answer"
    return f"{_prefix(cell)}{capacity.concurrency}"


def _prefix(cell: CellFinding) -> str:
    least = "at least " if cell.capacity.status == "above_max" else ""
    return least if cell.capacity.confirmed else f"probably {least}"


def _counted(cells: Sequence[CellFinding]) -> tuple[str, ...]:
    """How many cells have which kind of answer, and between which ends they lie."""
    held = sorted(
        (cell for cell in cells if cell.capacity.concurrency),
        key=lambda cell: cell.capacity.concurrency or 0,
    )
    below = [cell for cell in cells if cell.capacity.status == "below_min"]
    void = [cell for cell in cells if cell.capacity.status == "invalid"]
    labels = dict(zip((cell.id for cell in cells), cell_labels(cells), strict=True))
    parts = []
    if held:
        ends = tuple(f"{_runs_held(cell)} ({labels[cell.id]})" for cell in (held[0], held[-1]))
        parts.append(f"{len(held)} hold from {ends[0]} to {ends[1]} runs at once")
    if below:
        parts.append(f"{len(below)} did not even hold the lowest load tried")
    if void:
        parts.append(f"{len(void)} have no valid answer")
    return (f"Of {len(cells)} cells, {_listed(tuple(parts))}.",)


def _bound(cells: Sequence[CellFinding]) -> tuple[str, ...]:
    """What gave out first, by cell where it is not the same in all."""
    labels = cell_labels(cells)
    by_limit: dict[str, list[str]] = {}
    unclear = False
    for cell, label in zip(cells, labels, strict=True):
        if cell.capacity.status == "invalid" or cell.binding is None:
            continue
        if cell.binding.limit is None or cell.binding.strength == "unclear":
            unclear = True
            continue
        by_limit.setdefault(cell.binding.limit, []).append(label)
    if len(by_limit) == 1 and not unclear:
        return (f"First to give out: {limit_words(next(iter(by_limit)))}.",)
    told = tuple(
        f"{limit_words(limit)} ({', '.join(names)})"
        if len(cells) <= FEW
        else f"{limit_words(limit)} in {count_of(len(names), 'cell')}"
        for limit, names in by_limit.items()
    )
    return (f"First to give out: {_listed(told)}.",) if told else ()


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
