"""Is the model right about sizes it has not seen? Each size left out once and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.capacity import Capacity
from harness.analysis.model.cell_model import CellModel
from harness.analysis.model.fitting import kind_of, pooled
from harness.analysis.model.prediction import PredictedLimit, predict, setting_of
from harness.facts.model import Cell

WITHIN_RUNS = 1
WITHIN_RATIO = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell, its model (`None` where its figures make none) and what it was found to hold."""

    cell: Cell
    model: CellModel | None
    capacity: Capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One size, predicted from the others. All figures in runs, `None` is not known.

    `error_runs` = predicted − measured, `error_ratio` = that ÷ measured; `within` is within one
    run or 10 %. `measured_high` is the upper end of what was measured. `reason` says why a row
    has no verdict.
    """

    cell: str
    profile: str
    workload: str
    fitted_on: tuple[str, ...]
    predicted: int | None
    low: int | None
    high: int | None
    measured: int | None
    measured_high: int | None
    error_runs: int | None = None
    error_ratio: float | None = None
    within: bool | None = None
    binding: PredictedLimit | None = None
    reason: str = ""


def held_out(cells: Sequence[Measured], *, only: str | None = None) -> tuple[HeldOut, ...]:
    """Predict every cell from the cells of the same kind on other profiles.

    Args:
        only: leave out this profile alone.
    """
    return tuple(_row(each, cells) for each in cells if only in (None, each.cell.profile))


def _row(left_out: Measured, cells: Sequence[Measured]) -> HeldOut:
    cell, capacity = left_out.cell, left_out.capacity
    models = [
        each.model
        for each in cells
        if each.model is not None
        and each.cell.profile != cell.profile
        and each.model.kind == kind_of(cell)
    ]
    found = predict(pooled(models), setting_of(cell), cell.slos) if models else None
    measured = capacity.concurrency if capacity.status in ("bracketed", "below_min") else None
    reason = f"measured capacity is {capacity.status}" if measured is None else ""
    if found is None:
        reason = "no objective can be foreseen" if models else "no other size of this kind"
    error = found.concurrency - measured if found and measured is not None else None
    return HeldOut(
        cell=cell.id,
        profile=cell.profile,
        workload=cell.workload,
        fitted_on=tuple(dict.fromkeys(name for model in models for name in model.profiles)),
        predicted=found.concurrency if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        measured=measured,
        measured_high=capacity.high if measured is not None else None,
        error_runs=error,
        error_ratio=error / measured if error is not None and measured else None,
        within=None if error is None or measured is None else _within(error, measured),
        binding=found.binding if found else None,
        reason=reason,
    )


def _within(error_runs: int, measured: int) -> bool:
    return abs(error_runs) <= max(WITHIN_RUNS, WITHIN_RATIO * measured)
