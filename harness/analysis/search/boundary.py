"""How probable each capacity is, given what noisy steps showed.

Near the threshold an objective's margin m = ln(observed ÷ limit) is close to a line in the
logarithm of the concurrency N, slightly bent upwards: in a saturated closed system the response
time is N ÷ throughput, so m grows by about ln N. With d = ln N − θ each step then reads

    m = b · (d + c · d²) + noise,        noise ~ Normal(0, s)

where e^θ is the concurrency at which the objective meets its limit. θ, slope b, bend c and s are
unknown; their joint posterior is summed over a grid (Bayesian linear calibration: Hunter &
Lamboy 1981). What the curve still gets wrong far from the threshold does not average away in
repetitions, so steps at one concurrency share an error of standard deviation `MISFIT` · b · d².

Objectives that only hold or break (an OOM kill, a queue) give no margin. For them the threshold
is a step seen through errors: `MISSED` of the breaches are not seen, `FALSE_ALARMS` of the
passes look like one (probabilistic bisection: Waeber, Frazier & Henderson 2013).

The capacity is the smallest threshold of all objectives, so P(C ≥ n) is the product over them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from harness.analysis.search.base import Observation

FloatArray = NDArray[np.float64]

SLOPES = np.geomspace(0.2, 4.0, 13)
NOISES = np.geomspace(0.01, 0.25, 11)
NOISE_PRIOR = (0.04, 0.5)
"""Median and spread (of ln s) of the noise before anything was measured: equal cloud benchmarks
differ by up to 3.7 % (arXiv 2504.11826)."""

SAMPLING_NOISE = 0.2
"""What a high percentile of n runs adds to that: about this ÷ √n. Judgement, not measured."""

SLOPE_PRIOR = (1.0, 0.5)
SLOPE_PRIORS: Mapping[str, tuple[float, float]] = {
    "memory_headroom": (0.6, 0.4),  # a base that does not grow dilutes the slope
    "launch_s_p95": (1.5, 0.4),  # what is left of the response once the work is taken off
    "probe_s_p99": (1.5, 0.6),
}
"""Median and spread (of ln b) of the slope: 1 in saturation, see above."""

BENDS = (0.0, 0.2, 0.4)
"""How fast the slope grows with ln N: a queue starts flat and ends in proportion to N."""

MISFIT = 0.1

CLIFF = 0.2
CLIFF_WIDTH = 5.0
CLIFF_BLUR = 0.1
"""How probable it is beforehand that an objective falls off a cliff instead of following the line;
over how wide a range its margins then scatter on either side; and how near to the limit a margin
may be on the wrong one."""
MISSED = 0.04
FALSE_ALARMS = 0.05
BEYOND = 0.5
"""Half of all servers are taken to meet a margin long before they lose a run or run out of
memory."""

CONTENDER = -1.0
"""An objective that never came nearer to its limit than this margin (37 %) has no say."""

DEEPEST = 1.0
"""Margins beyond this are collapse, no longer a line."""

HIGHEST = 1000

PARTS = 6
MOST_PLACES = 1200

INDIFFERENT = 0.02
"""Places for θ between two neighbours of the grid; fewer where there are many neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """P(C ≥ n) for every n of the grid, falling. `grid` ascends."""

    grid: tuple[int, ...]
    at_least: FloatArray

    def holds(self, concurrency: int) -> float:
        """Probability that the server holds this many (a member of the grid)."""
        return float(self.at_least[bisect_left(self.grid, concurrency)])

    def exactly(self) -> FloatArray:
        """P(C < grid[0]), then P(C = n) for every n; the last includes everything above."""
        bounds = np.concatenate(([1.0], self.at_least, [0.0]))
        return bounds[:-1] - bounds[1:]

    def interval(self, confidence: float) -> tuple[int, int | None]:
        """The shortest run of capacities that holds the truth with this probability.

        Returns:
            Lowest and highest; 0 stands for *less than the grid's first*, `None` for *the
            grid's last or more*.
        """
        masses = self.exactly()
        names = (0, *self.grid)
        total = np.concatenate(([0.0], np.cumsum(masses)))
        first, last = 0, len(masses) - 1
        for start in range(len(masses)):
            end = int(np.searchsorted(total, total[start] + confidence - 1e-9))
            if end < len(total) and end - 1 - start < last - first:
                first, last = start, end - 1
        return names[first], (names[last] if last < len(masses) - 1 else None)


def whole(highest_tried: int) -> tuple[int, ...]:
    """Every capacity there may be: the whole numbers up to twice the highest concurrency tried."""
    return tuple(range(1, min(HIGHEST, 2 * highest_tried) + 1))


def believe(
    grid: Sequence[int], observations: Iterable[Observation], *, tolerant: bool = False
) -> Belief:
    """What the observations say about the capacity.

    Args:
        grid: ascending.
        observations: any order; those without a verdict say nothing.
        tolerant: leave out thresholds within 2 % of a whole number, at large numbers all but the
            middle. Whether a limit is met just above or just below a number then does not matter:
            an indifference zone (Bechhofer 1954), which spares a search the endless repetitions
            that a threshold on the edge would ask for.
    """
    seen = [each for each in observations if each.counts]
    places = _Places.of(tuple(grid), zone=INDIFFERENT if tolerant else 0.0)
    at_least = np.ones(len(grid))
    noise = _log_normal(NOISES, (_usual_noise(seen), NOISE_PRIOR[1]))
    for name in _contenders(seen):
        points = [(o.concurrency, o.margins[name]) for o in seen if name in o.margins]
        at_least = at_least * places.at_least(_margin_evidence(name, points, places.theta, noise))
    bare = [(o.concurrency, o.bare_ok) for o in seen if o.bare_ok is not None]
    if bare:
        at_least = at_least * places.at_least(_step_evidence(bare, places.theta), beyond=BEYOND)
    if not seen:
        at_least = places.at_least(np.zeros(len(places.theta)))
    return Belief(grid=tuple(grid), at_least=at_least)


def _usual_noise(seen: Sequence[Observation]) -> float:
    """Noise to expect of steps with so many runs each."""
    runs = [each.runs for each in seen if each.runs]
    sampling = SAMPLING_NOISE / math.sqrt(float(np.median(runs))) if runs else 0.0
    return math.hypot(NOISE_PRIOR[0], sampling)


def _parts(neighbours: int) -> int:
    return max(1, min(PARTS, MOST_PLACES // neighbours))


def _contenders(seen: Sequence[Observation]) -> list[str]:
    """Objectives that could be the one that breaks; the nearest one at least."""
    nearest: dict[str, float] = {}
    for each in seen:
        for name, margin in each.margins.items():
            nearest[name] = max(margin, nearest.get(name, margin))
    close = [name for name, margin in nearest.items() if margin > CONTENDER]
    if close or any(each.bare_ok is False for each in seen):
        return close
    return sorted(nearest, key=lambda name: -nearest[name])[:1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where θ may lie, which capacity that means, and how probable it is beforehand.

    Every member of the grid is as probable as the gap to the next is wide, in ln N.
    """

    theta: FloatArray
    owner: NDArray[np.int64]
    weight: FloatArray
    count: int

    @classmethod
    def of(cls, grid: tuple[int, ...], *, zone: float) -> _Places:
        """The places; none of them nearer to a whole number than `zone`, in ln N."""
        edges = np.log(np.array([grid[0] / 2, *grid, grid[-1] * 2], dtype=np.float64))
        gaps = np.diff(edges)
        free = np.maximum(gaps - 2 * zone, 0.0)
        parts = np.where(free > zone / PARTS, _parts(len(grid)), 1)
        owner = np.repeat(np.arange(len(gaps)), parts)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
        inside = (number + 0.5) / parts[owner] - 0.5
        middles = (edges[:-1] + edges[1:]) / 2
        return cls(
            theta=middles[owner] + free[owner] * inside,
            owner=owner,
            weight=gaps[owner] / parts[owner],
            count=len(gaps),
        )

    def at_least(self, log_evidence: FloatArray, *, beyond: float = 0.0) -> FloatArray:
        """P(C ≥ n) for every n of the grid.

        Args:
            log_evidence: for each place.
            beyond: how probable it is beforehand that the threshold lies beyond the grid.
        """
        weight = self.weight.copy()
        weight[-1] += weight.sum() * beyond / (1 - beyond)
        scaled = np.exp(log_evidence - log_evidence.max()) * weight
        masses = np.bincount(self.owner, weights=scaled / scaled.sum(), minlength=self.count)
        falling = np.cumsum(masses[::-1], dtype=np.float64)[::-1][1:]
        return np.asarray(falling, dtype=np.float64)


def _margin_evidence(
    name: str, points: Sequence[tuple[int, float]], theta: FloatArray, noise_prior: FloatArray
) -> FloatArray:
    """ln p(margins | θ): a line or, where no line fits, a cliff, of which only the side counts."""
    line = _line_evidence(name, points, theta, noise_prior) + math.log(1 - CLIFF)
    cliff = np.full(len(theta), math.log(CLIFF) - len(points) * math.log(CLIFF_WIDTH))
    for concurrency, margin in points:
        wrong = 0.5 * math.exp(-abs(margin) / CLIFF_BLUR)
        beyond = np.log(concurrency) > theta
        cliff += np.log(np.where(beyond == (margin > 0), 1 - wrong, wrong))
    return np.asarray(np.logaddexp(line, cliff), dtype=np.float64)


def _line_evidence(
    name: str, points: Sequence[tuple[int, float]], theta: FloatArray, noise_prior: FloatArray
) -> FloatArray:
    """ln p(margins | θ), slope, bend and noise summed out."""
    groups = [
        (n, np.minimum([m for _, m in group], DEEPEST))
        for n, group in groupby(sorted(points), key=lambda point: point[0])
    ]
    counts = np.array([len(margins) for _, margins in groups], dtype=np.float64)
    means = np.array([margins.mean() for _, margins in groups])
    scatter = float(sum(((margins - margins.mean()) ** 2).sum() for _, margins in groups))
    inner = counts.sum() - len(counts)
    distance = (np.log([n for n, _ in groups])[None, :] - theta[:, None])[:, None, :]
    slopes = SLOPES[None, :, None]
    misfit = (MISFIT * slopes * distance**2) ** 2
    steepness = _log_normal(SLOPES, SLOPE_PRIORS.get(name, SLOPE_PRIOR))[None, :]
    weights = float(np.log(np.exp(steepness).sum()) + np.log(np.exp(noise_prior).sum()))
    parts = []
    for bend in BENDS:
        residual = (means - slopes * (distance + bend * distance**2)) ** 2
        for noise, prior in zip(NOISES, noise_prior, strict=True):
            variance = noise**2 / counts + misfit
            fit = -0.5 * (residual / variance + np.log(variance)).sum(axis=-1)
            parts.append(fit + steepness + prior - inner * np.log(noise) - 0.5 * scatter / noise**2)
    constant = 0.5 * counts.sum() * math.log(2 * math.pi) + 0.5 * np.log(counts).sum()
    known = constant + math.log(len(BENDS)) + weights
    return np.asarray(_log_sum(np.concatenate(parts, axis=1)) - known, dtype=np.float64)


def _step_evidence(points: Sequence[tuple[int, bool]], theta: FloatArray) -> FloatArray:
    """ln p(held or broke | θ)."""
    evidence = np.zeros(len(theta))
    for concurrency, ok in points:
        beyond = np.log(concurrency) > theta
        likely = (
            np.where(beyond, MISSED, 1 - FALSE_ALARMS)
            if ok
            else np.where(beyond, 1 - MISSED, FALSE_ALARMS)
        )
        evidence += np.log(likely)
    return evidence


def _log_normal(values: FloatArray, prior: tuple[float, float]) -> FloatArray:
    median, spread = prior
    density: FloatArray = -0.5 * ((np.log(values) - np.log(median)) / spread) ** 2
    return density


def _log_sum(values: FloatArray) -> FloatArray:
    top = values.max(axis=1, keepdims=True)
    total: FloatArray = (top + np.log(np.exp(values - top).sum(axis=1, keepdims=True))).ravel()
    return total
