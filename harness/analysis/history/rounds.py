"""Equal cells of several versions over their rounds: means, how they scatter, and ratios.

All metrics of a kind of cell at once, as arrays of ln(value) with the axes version, round, metric;
what is not known is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
DIGITS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Averages:
    """Over rounds: means of ln and how many rounds are in each; NaN where there is none."""

    means: Floats
    rounds: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """Of equal cells, by metric: standard deviation of ln(value), and its degrees of freedom; NaN
    and 0 where a single round is all there is.
    """

    sd: Floats
    free: Counts


def averages(logs: Floats) -> Averages:
    """Over the second axis from the last."""
    known = np.isfinite(logs)
    rounds = known.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, logs, 0.0).sum(axis=-2) / rounds
    return Averages(means, rounds)


def ratios(logs: Floats, baseline: Floats) -> Averages:
    """Of one version to another, paired by round."""
    return averages(logs - baseline)


def scatter(logs: Floats, grain: Floats | None = None) -> Scatter:
    """Over the rounds that all versions have which have the metric at all: what is left once the
    versions' means and the rounds' are taken off (a two-way layout without interaction); of one
    version what is left once its mean is.

    Args:
        logs: ln(value).
        grain: the smallest change each of them can show, as a share of it (`values.Known`). Counts
            that happen to agree prove nothing finer than that: a value known to its grain is off by
            grain ÷ √12.
    """
    known: Flags = np.isfinite(logs)
    has: Flags = np.any(known, axis=1)
    common: Flags = np.all(known | ~has[:, None], axis=0)
    counted = common & has[:, None]
    versions, rounds = has.sum(axis=0), common.sum(axis=0)
    free = np.where(versions > 1, (versions - 1) * (rounds - 1), rounds - 1)
    free = np.where((versions > 0) & (rounds > 1), free, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(counted, logs, 0.0)
        by_version = values.sum(axis=1) / rounds
        by_round = values.sum(axis=0) / versions
        whole = by_version.sum(axis=0) / versions
        apart = np.where(versions > 1, by_round - whole, 0.0)
        left = np.where(counted, values - by_version[:, None] - apart, 0.0)
        variance = (left**2).sum(axis=(0, 1)) / free
        if grain is not None:
            coarse = np.where(counted, grain**2, 0.0).sum(axis=(0, 1)) / counted.sum(axis=(0, 1))
            variance = np.maximum(variance, coarse / 12)
    return Scatter(np.where(free > 0, np.sqrt(variance), np.nan), free)


def tidy(values: Floats) -> Floats:
    """To nine digits: what a measurement has, and what a line of the index should carry."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        return np.where(values == 0, 0.0, np.rint(values * scale) / scale)
