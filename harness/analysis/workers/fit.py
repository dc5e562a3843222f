"""How many workers launches, sensors and polls really held: the sizing formula fitted to steps.

busy = a · launches under way + b · sensor ticks under way + polls. The rule for sizing (docs/
method.md, "Settings") takes a = b = 1; the fit says how true that is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

FloatArray = NDArray[np.float64]

MIN_POINTS = 4
"""Three figures from three points fit any nonsense exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One step on one replica: time averages of launches, sensor ticks and busy workers."""

    launching: float
    sensing: float
    busy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A fitted figure with its 95 % interval, never below zero."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFit:
    """Workers held by a launch under way, by a sensor tick under way, and by everything else.

    `sensors` is `None` where no two points differ in them; they are then in `polls`. All three
    are `None` where `note` says why. `points` were used; `waiting` steps were not, because their
    requests waited for a worker.
    """

    launches: Coefficient | None
    sensors: Coefficient | None
    polls: Coefficient | None
    points: int
    waiting: int
    note: str = ""


def fit_workers(demands: Sequence[Demand], *, waiting: int = 0) -> WorkerFit:
    """Least squares with no figure below zero (Lawson & Hanson 1974, `scipy.optimize.nnls`).

    Intervals are those of the unbounded least squares, estimate ± t(0.975, n − k) · standard
    error, cut at zero and widened to hold the bounded estimate: on the careful side where a bound
    was met.

    Args:
        demands: steps in which no request waited for a worker.
        waiting: how many others were left out.
    """
    n = len(demands)
    if n < MIN_POINTS:
        return _without(n, waiting, f"not enough: {n} of the {MIN_POINTS} steps a fit needs")
    busy = np.array([each.busy for each in demands], dtype=np.float64)
    columns = [np.array([each.launching for each in demands], dtype=np.float64)]
    differ = len({each.sensing for each in demands}) > 1
    if differ:
        columns.append(np.array([each.sensing for each in demands], dtype=np.float64))
    design = np.column_stack([*columns, np.ones(n)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return _without(n, waiting, "the steps are too alike to tell the parts from each other")
    found = _coefficients(design, busy)
    return WorkerFit(
        launches=found[0],
        sensors=found[1] if differ else None,
        polls=found[-1],
        points=n,
        waiting=waiting,
    )


def _coefficients(design: FloatArray, busy: FloatArray) -> list[Coefficient]:
    # Here, because most cells have nobody to be compared with, and SciPy loads slowly.
    from scipy.optimize import nnls

    bounded, _ = nnls(design, busy)
    free, _, _, _ = np.linalg.lstsq(design, busy, rcond=None)
    freedom = design.shape[0] - design.shape[1]
    spread = float(np.sum((busy - design @ free) ** 2)) / freedom
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * spread)
    half = float(stdtrit(freedom, 0.975)) * errors
    return [
        Coefficient(
            value=float(value),
            low=float(max(0.0, min(value, middle - reach))),
            high=float(max(value, middle + reach)),
        )
        for value, middle, reach in zip(bounded, free, half, strict=True)
    ]


def _without(points: int, waiting: int, note: str) -> WorkerFit:
    return WorkerFit(
        launches=None, sensors=None, polls=None, points=points, waiting=waiting, note=note
    )
