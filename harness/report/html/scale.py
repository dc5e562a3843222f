"""Where a cell's steps passed and failed, on one axis for all cells, as positions in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import CellFinding

FIRST, LAST = 4.0, 92.0
"""Positions of concurrency 1 and of the highest: marks and their labels need room beside them."""

LABEL_ROOM = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Steps at one concurrency. `verdicts`: what they came to, each once; `label`: the number,
    empty where a neighbour's stands in the way; `held`: whether it is the capacity; `inside`:
    whether it lies in the interval."""

    at: float
    verdicts: tuple[str, ...]
    label: str
    held: bool
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A strip. `band`: start and end of the capacity's interval, `None` without one; `open_end`:
    nothing bounds it above. `text` says all of it in words."""

    ticks: tuple[Tick, ...]
    band: tuple[float, float] | None
    open_end: bool
    text: str


def scales_of(cells: Sequence[CellFinding]) -> tuple[Scale, ...]:
    """One strip a cell. The axis is logarithmic: what counts is by how much a load grew."""
    highest = max((_highest(cell) for cell in cells), default=1)
    return tuple(_scale(cell, max(2, highest)) for cell in cells)


def _highest(cell: CellFinding) -> int:
    return max([step.concurrency for step in cell.steps] + [cell.capacity.high or 1])


def _scale(cell: CellFinding, highest: int) -> Scale:
    capacity = cell.capacity
    verdicts: dict[int, list[str]] = {}
    for step in sorted(cell.steps, key=lambda step: step.concurrency):
        verdicts.setdefault(step.concurrency, []).append(step.verdict)
    band = None
    if capacity.status != "invalid" and capacity.low is not None:
        end = LAST + 6 if capacity.high is None else _position(capacity.high, highest)
        band = (_position(capacity.low, highest), end)
    return Scale(
        ticks=_ticks(verdicts, capacity, highest, band),
        band=band,
        open_end=band is not None and capacity.high is None,
        text=_words(verdicts),
    )


def _position(concurrency: int, highest: int) -> float:
    return FIRST + (LAST - FIRST) * math.log(max(1, concurrency)) / math.log(highest)


def _ticks(
    verdicts: dict[int, list[str]],
    capacity: Capacity,
    highest: int,
    band: tuple[float, float] | None,
) -> tuple[Tick, ...]:
    held, failing = capacity.concurrency, capacity.first_failing
    placed: list[float] = []
    labels: dict[int, str] = {}
    # The numbers that matter get their label first.
    for value in sorted(verdicts, key=lambda value: (value != held, value != failing, -value)):
        at = _position(value, highest)
        free = all(abs(at - other) >= LABEL_ROOM for other in placed)
        labels[value] = str(value) if free else ""
        if free:
            placed.append(at)
    return tuple(
        Tick(
            at=_position(value, highest),
            verdicts=tuple(dict.fromkeys(verdicts[value])),
            label=labels[value],
            held=value == held,
            inside=band is not None and band[0] <= _position(value, highest) <= band[1],
        )
        for value in verdicts
    )


def _words(verdicts: dict[int, list[str]]) -> str:
    told = (f"{value}: {', '.join(dict.fromkeys(each))}" for value, each in verdicts.items())
    return f"Concurrencies tried: {'; '.join(told)}." if verdicts else "No concurrency was tried."
