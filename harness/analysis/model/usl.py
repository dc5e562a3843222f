"""The Universal Scalability Law fitted to throughput: X(N) = λN ÷ (1 + σ(N−1) + κN(N−1)).

Gunther, *Guerrilla Capacity Planning* (2007): σ is contention (work that waits its turn), κ
coherency (work that each further run makes for all others). Throughput peaks at
Nmax = √((1 − σ) ⁄ κ).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from harness.analysis.measures.windows import FloatArray

MIN_CONCURRENCIES = 6
USELESS = math.log(100)
"""An interval that reaches from a hundredth to a hundredfold says nothing."""

DECLINE = 0.05
"""How far the last throughput must lie below the highest: a plateau is no peak."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usl:
    """A fit, or `reason` why there is none (all figures `None`).

    `lambda_per_s`: runs a second of one run alone. `peak`: Nmax in runs, `peak_ci` its 95 %
    interval by the delta method on ln Nmax, `None` where the points leave it without bounds.
    `max_throughput_per_s`: X(Nmax).
    """

    points: int
    reason: str = ""
    lambda_per_s: float | None = None
    sigma: float | None = None
    kappa: float | None = None
    peak: float | None = None
    peak_ci: tuple[float, float] | None = None
    max_throughput_per_s: float | None = None


def usl_throughput(runs: FloatArray, rate: float, sigma: float, kappa: float) -> FloatArray:
    """The law itself; `runs` of one or more, `rate` in 1/s."""
    return rate * runs / (1 + sigma * (runs - 1) + kappa * runs * (runs - 1))


def fit_usl(points: Sequence[Point]) -> Usl:
    """Fit the law to (concurrency, throughput in 1/s), repetitions as points of their own.

    Least squares on ln X, 0 ≤ σ ≤ 1, κ ≥ 0: the error of a counted rate grows with the rate.
    Only where the peak was really passed: from six different concurrencies on, with the mean
    throughput at the last of them 5 % below the highest or more, and Nmax inside what was
    measured. A peak beyond it would be a guess.
    """
    x = np.array([runs for runs, _ in points], dtype=np.float64)
    y = np.array([rate for _, rate in points], dtype=np.float64)
    levels = np.unique(x)
    if len(levels) < MIN_CONCURRENCIES:
        return Usl(
            points=len(points),
            reason=f"{len(levels)} concurrencies; a fit needs {MIN_CONCURRENCIES}",
        )
    means = [float(y[x == level].mean()) for level in levels]
    if y.min() <= 0:
        return Usl(points=len(points), reason="a step without throughput says nothing of its peak")
    if means[-1] > (1 - DECLINE) * max(means):
        return Usl(points=len(points), reason="not bracketed: throughput did not fall at the end")
    return _fitted(x, y)


def _fitted(x: FloatArray, y: FloatArray) -> Usl:
    from scipy.optimize import curve_fit  # rarely needed, and half a second to import

    alone = float(np.max(y / x))
    found, covariance = curve_fit(
        _log_throughput,
        x,
        np.log(y),
        p0=(alone, 0.05, 0.001),
        bounds=((0.0, 0.0, 0.0), (math.inf, 1.0, math.inf)),
        x_scale=(alone, 0.1, 0.01),
    )
    rate, sigma, kappa = (float(value) for value in found)
    peak = math.sqrt((1 - sigma) / kappa) if kappa > 0 and sigma < 1 else math.inf
    if not x.min() <= peak <= x.max():
        return Usl(
            points=len(x),
            reason=f"not bracketed: the fitted peak, {peak:.3g} runs, was not passed",
        )
    top = usl_throughput(np.array([peak]), rate, sigma, kappa)
    return Usl(
        points=len(x),
        lambda_per_s=rate,
        sigma=sigma,
        kappa=kappa,
        peak=peak,
        peak_ci=peak_interval(peak, sigma, kappa, covariance=covariance, free=len(x) - 3),
        max_throughput_per_s=float(top[0]),
    )


def _log_throughput(runs: FloatArray, rate: float, sigma: float, kappa: float) -> FloatArray:
    least = np.finfo(np.float64).tiny  # the search may try a rate of zero
    return np.log(np.maximum(usl_throughput(runs, rate, sigma, kappa), least))


def peak_interval(
    peak: float, sigma: float, kappa: float, *, covariance: FloatArray, free: int
) -> tuple[float, float] | None:
    """95 % interval of Nmax, `None` without degrees of freedom (`free`) or without bounds.

    By the delta method on ln Nmax = ½ ln(1 − σ) − ½ ln κ, whose slopes are −½ ⁄ (1 − σ) and −½ ⁄ κ.
    """
    slopes = np.array([0.0, -0.5 / (1 - sigma), -0.5 / kappa])
    variance = float(slopes @ covariance @ slopes)
    if free < 1 or not 0 <= variance < math.inf:
        return None
    half = float(stdtrit(free, 0.975)) * math.sqrt(variance)
    return (peak * math.exp(-half), peak * math.exp(half)) if half < USELESS else None
