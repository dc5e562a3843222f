"""How probable each hypothesis is after all rounds, and how large its steps are.

ln(value) = level of the round + level of the release + normal noise. Rounds may have any level, so
a machine that drifts from one to the next moves nothing. Steps are normal beforehand; the noise is
one of a grid. Everything but the noise is summed out exactly (Bayesian linear regression).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from harness.analysis.bisecting.evidence import Evidence, FloatArray, Sums, sums_of
from harness.analysis.bisecting.hypotheses import (
    STEP_SD,
    Steps,
    drift_prior,
    hypotheses,
)
from harness.analysis.bisecting.types import Size

NOISES = np.geomspace(0.002, 0.4, 21)
NOISE_PRIOR = (0.025, 1.0)
"""Median of the noise, and its spread as a standard deviation of its logarithm."""

LEVEL_SD = 1.0
"""Of a release's level where nothing is known of its neighbours."""

TAIL = 0.025
GRID = 401
"""Points over six standard deviations to both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Steps of hypotheses: hypotheses × noises, means by step, covariances by step and step."""

    log_evidence: FloatArray
    mean: FloatArray
    covariance: FloatArray


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What is known after all rounds.

    `gaps`: of all hypotheses with steps, which gaps they are in. `weights`: hypotheses × noises,
    and of the drift by noise; together they sum to 1.
    """

    evidence: Evidence
    sums: Sums
    gaps: tuple[tuple[int, ...], ...]
    weights: FloatArray
    drift_weights: FloatArray

    @cached_property
    def probabilities(self) -> FloatArray:
        """Of each hypothesis with steps."""
        return np.asarray(self.weights.sum(axis=1))

    @cached_property
    def drift(self) -> float:
        """That every release moved it a little."""
        return float(self.drift_weights.sum())

    @cached_property
    def noise(self) -> float:
        """Standard deviation of ln(value) between equal cells of a round."""
        by_noise = self.weights.sum(axis=0) + self.drift_weights
        return float(np.exp(by_noise @ np.log(NOISES)))

    @property
    def nothing(self) -> float:
        """That nothing moved."""
        return self.chance(lambda gaps: not gaps)

    @property
    def single(self) -> float:
        """That one gap holds all that moved."""
        return self.chance(lambda gaps: len(gaps) == 1)

    @property
    def several(self) -> float:
        """That more than one gap does, or all of them."""
        return self.chance(lambda gaps: len(gaps) > 1) + self.drift

    def chance(self, holds: Callable[[tuple[int, ...]], bool]) -> float:
        """Of all sets of gaps of which something holds; the drift is none of them."""
        chosen = [at for at, gaps in enumerate(self.gaps) if holds(gaps)]
        return float(self.probabilities[chosen].sum())

    def alone(self, gap: int) -> float:
        """That this gap holds all that moved."""
        return self.chance(lambda gaps: gaps == (gap,))

    def inside(self, gap: int) -> float:
        """That something moved in this gap, the drift not counted."""
        return self.chance(lambda gaps: gap in gaps)

    def best(self, least: int) -> tuple[int, ...]:
        """The most probable set of so many gaps at least; none where there is no such set."""
        among = [at for at, gaps in enumerate(self.gaps) if len(gaps) >= least]
        if not among:
            return ()
        return self.gaps[max(among, key=lambda at: self.probabilities[at])]

    def sizes(self, gaps: tuple[int, ...]) -> dict[int, Size]:
        """How large the steps of one hypothesis are, by gap."""
        (family,) = [each for each in hypotheses(self.evidence.places) if gaps in each.gaps]
        at = family.gaps.index(gaps)
        prior = np.eye(len(gaps)) * STEP_SD**2
        found = _posterior(self.sums, family.design[at : at + 1], prior)
        weights = self.weights[self.gaps.index(gaps)]
        return {
            gap: _size(found.mean[0, :, n], found.covariance[0, :, n, n], weights)
            for n, gap in enumerate(gaps)
        }

    @cached_property
    def levels(self) -> dict[int, Size]:
        """Each measured place beside the first one, whatever the others are; without the first."""
        places = self.evidence.places
        design = np.eye(len(places))[None, :, 1:]
        prior = np.eye(len(places) - 1) * LEVEL_SD**2
        found = _posterior(self.sums, design, prior)
        weights = self.weights.sum(axis=0) + self.drift_weights
        return {
            at: _size(found.mean[0, :, n], found.covariance[0, :, n, n], weights)
            for n, at in enumerate(places[1:])
        }


def believe(evidence: Evidence) -> Belief:
    """All hypotheses after all rounds."""
    sums = sums_of(evidence)
    families = hypotheses(evidence.places)
    noise_prior = -0.5 * (np.log(NOISES / NOISE_PRIOR[0]) / NOISE_PRIOR[1]) ** 2
    logs = [_log_weights(sums, family) + noise_prior for family in families]
    drift_p, covariance = drift_prior(evidence.places)
    stairs = np.tril(np.ones((len(evidence.places),) * 2), -1)[None, :, :-1]
    drift = _posterior(sums, stairs, covariance).log_evidence[0] + noise_prior
    top = max(float(drift.max()), *(float(each.max()) for each in logs))
    weights = np.exp(np.concatenate(logs) - top)
    drift_weights = drift_p * np.exp(drift - top)
    total = weights.sum() + drift_weights.sum()
    return Belief(
        evidence=evidence,
        sums=sums,
        gaps=tuple(gaps for family in families for gaps in family.gaps),
        weights=weights / total,
        drift_weights=drift_weights / total,
    )


def _log_weights(sums: Sums, family: Steps) -> FloatArray:
    prior = np.eye(family.design.shape[2]) * STEP_SD**2
    found = _posterior(sums, family.design, prior)
    return np.asarray(found.log_evidence + np.log(family.prior)[:, None])


def _posterior(sums: Sums, design: FloatArray, covariance: FloatArray) -> Posterior:
    """Bayesian linear regression for each design and each noise; the rounds' levels are free.

    Args:
        sums: of all rounds.
        design: hypotheses × places × steps.
        covariance: of the steps beforehand.
    """
    variance = NOISES[None, :] ** 2
    plain = -0.5 * (sums.count * np.log(2 * np.pi * variance) + sums.square / variance)
    size = design.shape[2]
    if size == 0:
        empty = np.zeros((len(design), len(NOISES), 0))
        return Posterior(
            log_evidence=np.repeat(plain, len(design), axis=0),
            mean=empty,
            covariance=empty[..., None],
        )
    gram = np.einsum("hpi,pq,hqj->hij", design, sums.gram, design, optimize=True)
    moment = np.einsum("hpi,p->hi", design, sums.moment)
    precision = gram[:, None] / variance[..., None, None] + np.linalg.inv(covariance)
    spread = np.linalg.inv(precision)
    scaled = moment[:, None, :] / variance[..., None]
    mean = np.einsum("hnij,hnj->hni", spread, scaled)
    gain = 0.5 * np.einsum("hni,hni->hn", mean, scaled)
    shrunk = np.linalg.slogdet(precision)[1] + np.linalg.slogdet(covariance)[1]
    return Posterior(log_evidence=plain + gain - 0.5 * shrunk, mean=mean, covariance=spread)


def _size(mean: FloatArray, variance: FloatArray, weights: FloatArray) -> Size:
    """Mean and 95 % interval of a mixture of normals, one for each noise."""
    shares = weights / weights.sum()
    deviation = np.sqrt(variance)
    reach = 6 * deviation[shares > 1e-9].max()
    middle = float(shares @ mean)
    grid = np.linspace(middle - reach, middle + reach, GRID)
    below = (ndtr((grid[:, None] - mean) / deviation) * shares).sum(axis=1)
    low, high = np.interp([TAIL, 1 - TAIL], below, grid)
    return Size(ratio=float(np.exp(middle)), low=float(np.exp(low)), high=float(np.exp(high)))
