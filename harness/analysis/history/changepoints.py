"""Where a series moved to another level, and stayed.

On ln(value), so that an effect is a ratio. First single bad nights are laid aside: what lies
further than `CUT` standard deviations from the median of the five campaigns around it. They never
become a level, since three of five must agree. Then `ruptures` finds the best split of the rest
into levels (least squares, exact), and every split must pass a t-test against the scatter within
all levels, corrected for the places where it could have been, and be at least `LEAST_EFFECT`; the
weakest that does not is taken out, until all that are left do.

Machines drift. Where neighbouring campaigns resemble each other more than chance allows, the
scatter is widened as for an autoregressive process, so that a drift is not taken for a change.

Simulated, 1,000 series each, noise of 3 % (`tests/unit/analysis/history`, decision 0012):

- 100 points without a change: 0.4 % of the series show one; with 3 % outliers of 15 to 60 % 0.2 %,
  with heavy tails (t, 4 degrees) 1.3 %, with an autocorrelation of 0.3 6 %.
- 10 % more from the middle of 100 points: always found, within 3 points in all of 1,000.
- 10 % more after 30 points is seen with the third point after it in 79 %, the fourth in 92 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ruptures.detection.kernelcpd import KernelCPD  # type: ignore[import-untyped]
from scipy.stats import t as student

LEAST_POINTS = 10
LEAST_SIDE = 3
LEAST_EFFECT = 0.02
"""As a ratio − 1."""
ALPHA = 0.01
"""Chance that a series without a change shows one, of the tests alone."""
PENALTY = 3.0
"""Of one more level, in ln(n) × variance: lenient, since each is tested afterwards."""
CUT = 3.5
WINDOW = 5
LEAST_SD = 0.003
"""Figures are rounded and counts are whole numbers: equal ones prove no precision."""
MOST_ALIKE = 0.8
DOUBT = 2.0
"""A correlation of neighbours counts as far as it is above this ÷ √n."""
KEPT_OF_STEPS = 0.8
STEPS_SCALE = 2.285
"""Mean of all squared normal values ÷ mean of the smallest 80 % of them."""
NORMAL_95 = 1.96

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Points `start` up to `end` (exclusive) of one level, in ln. `outliers`: their places."""

    start: int
    end: int
    level: float
    outliers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """From point `at` on there is another level; `p` of no change there, corrected."""

    at: int
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The stretches of a series, one more than splits; `sd` of points within them, in ln."""

    stretches: tuple[Stretch, ...]
    splits: tuple[Split, ...]
    sd: float


@dataclass(frozen=True, slots=True)
class _Fit:
    """Levels of what was kept; `spread` is that of a level's mean, × √points."""

    lengths: NDArray[np.int64]
    levels: Floats
    sd: float
    spread: float
    free: int


def find_changes(logs: Sequence[float]) -> Found:
    """The levels of a series.

    Args:
        logs: ln of its values, ascending in time, at least `LEAST_POINTS`.

    Raises:
        ValueError: there are fewer.
    """
    values = np.asarray(logs, dtype=np.float64)
    if len(values) < LEAST_POINTS:
        raise ValueError(f"{len(values)} points, {LEAST_POINTS} needed")
    sd = _sd_of_steps(values)
    kept = np.flatnonzero(np.abs(values - _middles(values)) <= CUT * sd)
    bounds, fit, chances = _tested(values[kept], sd)
    return Found(
        stretches=_stretches(bounds, fit, kept, len(values)),
        splits=tuple(
            Split(at=int(kept[bound]), p=float(p))
            for bound, p in zip(bounds[1:-1], chances, strict=True)
        ),
        sd=fit.sd,
    )


def _sd_of_steps(values: Floats) -> float:
    """Standard deviation by the differences of neighbours, of which the largest are left out: a
    change and an outlier are in one or two of them.
    """
    steps = np.sort(np.diff(values) ** 2)
    kept = steps[: int(np.ceil(KEPT_OF_STEPS * len(steps)))]
    return max(LEAST_SD, float(np.sqrt(kept.mean() * STEPS_SCALE / 2)))


def _middles(values: Floats) -> Floats:
    """The median of the five around each; at the ends of the first and last five."""
    middles = np.median(np.lib.stride_tricks.sliding_window_view(values, WINDOW), axis=1)
    ends = WINDOW // 2
    return np.concatenate([[middles[0]] * ends, middles, [middles[-1]] * ends])


def _tested(values: Floats, sd: float) -> tuple[list[int], _Fit, Floats]:
    """Bounds of levels, 0 and the length among them; the weakest split goes until all hold."""
    alike = _alike(values)
    widened = (1 + alike) / (1 - alike)
    penalty = PENALTY * np.log(len(values)) * sd**2 * widened / (1 - alike)
    model = KernelCPD(kernel="linear", min_size=LEAST_SIDE).fit(values)
    bounds = [0, *(int(bound) for bound in model.predict(pen=penalty))]
    while True:
        fit = _fit(values, bounds, widened)
        effects = np.abs(np.diff(fit.levels))
        chances = _chances(fit, effects, len(values))
        weak = (chances > ALPHA) | (effects < np.log1p(LEAST_EFFECT))
        if not weak.any():
            return bounds, fit, chances
        weakest = np.flatnonzero(weak)[np.argmax(chances[weak])]
        del bounds[int(weakest) + 1]


def _alike(values: Floats) -> float:
    """How neighbours are correlated, as far as that is sure: from 0 to `MOST_ALIKE`.

    For an autoregressive process of order 1 differences over two steps have 1 + φ times the mean
    square of those over one; a change of level hardly moves either.
    """
    one, two = (_mean_square(values[lag:] - values[:-lag]) for lag in (1, 2))
    if not one:
        return 0.0
    sure = two / one - 1 - DOUBT / np.sqrt(len(values))
    return float(min(MOST_ALIKE, max(0.0, sure)))


def _mean_square(steps: Floats) -> float:
    """Without the largest twentieth."""
    squares = np.sort(steps**2)
    return float(squares[: int(np.ceil(0.95 * len(squares)))].mean())


def _fit(values: Floats, bounds: Sequence[int], widened: float) -> _Fit:
    lengths = np.diff(bounds)
    levels = np.add.reduceat(values, bounds[:-1]) / lengths
    free = len(values) - len(lengths)
    residuals = values - np.repeat(levels, lengths)
    sd = max(LEAST_SD, float(np.sqrt(residuals @ residuals / free)))
    return _Fit(lengths, levels, sd, sd * float(np.sqrt(widened)), free)


def _chances(fit: _Fit, effects: Floats, points: int) -> Floats:
    """Of no change at each split: two-sided t, times the places where one could be (Bonferroni)."""
    errors = fit.spread * np.sqrt(1 / fit.lengths[:-1] + 1 / fit.lengths[1:])
    places = points - 2 * LEAST_SIDE + 1
    chances: Floats = 2 * places * student.sf(effects / errors, fit.free)
    return np.minimum(1.0, chances)


def _stretches(
    bounds: Sequence[int], fit: _Fit, kept: NDArray[np.int64], points: int
) -> tuple[Stretch, ...]:
    """A level reaches up to the next one's first point; what was laid aside is within."""
    starts = [0, *(int(kept[bound]) for bound in bounds[1:-1]), points]
    laid_aside = sorted(set(range(points)) - set(kept.tolist()))
    return tuple(
        Stretch(
            start=start, end=end, level=float(level),
            outliers=tuple(place for place in laid_aside if start <= place < end),
        )
        for (start, end), level in zip(pairwise(starts), fit.levels, strict=True)
    )  # fmt: skip
