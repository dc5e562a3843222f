"""How far equal cells differ: the measure for every difference between versions.

Cells of one version and kind are equal. Within a campaign they are measured in rounds, and what a
round has in common (a busy hour) meets all versions alike, so it is taken off:

    ln(value) = version + round + noise

fitted by least squares over all versions of the campaign; the residuals are what A/A comparisons
are made of. Between two campaigns there are no common rounds: the model is the version alone.

Few cells tell little of their own noise (two versions in four rounds: 3 degrees of freedom, and
Student's t then asks for 3.2 standard errors). So the same metric of other kinds and loads has a
say: as much as the cells' own, no more, and only to be more careful, never less. Kinds that differ
in noise by half as much again then still keep the level (tests/unit/analysis/comparison); loads
whose noise is of another size are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from harness.analysis.comparison.types import NoiseFloor

INTERVAL = 0.95

MOST_APART = 36.0
"""Variance of another load ÷ a load's own: beyond that (six times the noise) they are of another
size. Smaller limits leave out loads that look noisier by chance, and too many equal versions are
then called different: simulated 6 % at 4, 3 to 4 % at 36."""

LEAST_SD = 1e-4
"""Nothing here is measured more finely: cells that agree in every digit are no proof of more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """ln of one cell's figure. `grain`: see `values.Known`."""

    version: str
    round: int
    log: float
    grain: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Variance of ln(value) between equal cells, its degrees of freedom (from 1), and how many
    pairs of equal cells there are.
    """

    variance: float
    free: int
    pairs: int

    @property
    def sd(self) -> float:
        """Standard deviation of ln(value): 0.03 is 3 %."""
        return math.sqrt(self.variance)


def scatter_of(readings: Sequence[Reading], *, in_rounds: bool = True) -> Scatter | None:
    """How equal cells scatter; `None` where no two are equal, or nothing is left to tell.

    Args:
        readings: of one metric, kind and load; any order, rounds and versions may be missing.
        in_rounds: they were measured in one campaign: take off what a round has in common.
    """
    if len(readings) < 2:
        return None
    versions = sorted({each.version for each in readings})
    rounds = sorted({each.round for each in readings}) if in_rounds else []
    design = np.array(
        [
            [*(each.version == v for v in versions), *(each.round == r for r in rounds[1:])]
            for each in readings
        ],
        dtype=np.float64,
    )
    logs = np.array([each.log for each in readings])
    solution, _, rank, _ = np.linalg.lstsq(design, logs, rcond=None)
    free = len(readings) - int(rank)
    if free < 1:
        return None
    residual = float(((logs - design @ solution) ** 2).sum()) / free
    grain = float(np.mean([each.grain**2 for each in readings])) / 12
    pairs = sum(math.comb(n, 2) for n in Counter(each.version for each in readings).values())
    return Scatter(variance=max(residual, grain, LEAST_SD**2), free=free, pairs=pairs)


def together(scatters: Iterable[Scatter]) -> Scatter | None:
    """Several as one, each by its degrees of freedom; `None` of none."""
    known = list(scatters)
    free = sum(each.free for each in known)
    if not free:
        return None
    return Scatter(
        variance=sum(each.variance * each.free for each in known) / free,
        free=free,
        pairs=sum(each.pairs for each in known),
    )


def with_others(own: Scatter, others: Scatter | None) -> Scatter:
    """The same metric elsewhere in the campaign counts as much as the cells' own, at most."""
    if others is None:
        return own
    said = Scatter(variance=others.variance, free=min(own.free, others.free), pairs=0)
    return _more_careful(own, said)


def comparable(own: Scatter, other: Scatter) -> bool:
    """Whether the same metric at another load may have a say.

    Noise grows with the load: RSS of a run alone on a server varies by 0.1 %, of one of three by
    3 %. What scatters that much more is no second look at the same noise.
    """
    return other.variance <= MOST_APART * own.variance


def noise_floor(scatter: Scatter | None, *, share: float) -> NoiseFloor:
    """The noise of a comparison.

    Args:
        scatter: of single cells; `None`: not known.
        share: variance of the compared difference, in variances of a single cell: 2 ÷ rounds
            where it was taken within rounds, else 1 ÷ cells + 1 ÷ cells.
    """
    if scatter is None:
        return NoiseFloor(ratio=None, cell_sd=None, free=0, pairs=0, source="none")
    return NoiseFloor(
        ratio=math.expm1(half_width(scatter, share=share)),
        cell_sd=scatter.sd,
        free=scatter.free,
        pairs=scatter.pairs,
        source="campaign",
    )


def half_width(scatter: Scatter, *, share: float, confidence: float = INTERVAL) -> float:
    """Half of the interval of a difference of ln(value), by Student's t."""
    quantile = float(stdtrit(scatter.free, (1 + confidence) / 2))
    return quantile * math.sqrt(scatter.variance * share)


def _more_careful(own: Scatter, other: Scatter) -> Scatter:
    free = own.free + other.free
    both = (own.variance * own.free + other.variance * other.free) / free
    return Scatter(variance=max(own.variance, both), free=free, pairs=own.pairs)
