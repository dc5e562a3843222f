from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.usl import fit_usl, peak_interval, usl_throughput

pytestmark = pytest.mark.unit

LEVELS = (1.0, 4.0, 8.0, 12.0, 18.0, 26.0, 36.0, 48.0)
TRUE_PEAK = 21.8
"""√((1 − 0.05) ⁄ 0.002)."""


def points(noise: float = 0.0, seed: int = 1, levels: tuple[float, ...] = LEVELS,
           kappa: float = 0.002) -> list[tuple[float, float]]:  # fmt: skip
    rng = np.random.default_rng(seed)
    truth = usl_throughput(np.array(levels), 1.0, 0.05, kappa)
    seen = truth * (1 + noise * rng.standard_normal(len(levels)))
    return [(n, float(rate)) for n, rate in zip(levels, seen, strict=True)]


def test_the_law_that_made_the_points_is_found() -> None:
    found = fit_usl(points())
    assert found.lambda_per_s == pytest.approx(1.0, rel=1e-3)
    assert found.sigma == pytest.approx(0.05, abs=1e-3)
    assert found.kappa == pytest.approx(0.002, rel=1e-2)
    assert found.peak == pytest.approx(TRUE_PEAK, rel=1e-2)
    assert found.max_throughput_per_s == pytest.approx(max(rate for _, rate in points()), rel=0.02)


def test_the_interval_of_the_peak_holds_the_truth_as_often_as_it_says() -> None:
    held, tried = 0, 0
    for seed in range(80):
        found = fit_usl(points(noise=0.037, seed=seed))
        if found.peak_ci is None:
            continue
        tried += 1
        held += found.peak_ci[0] <= TRUE_PEAK <= found.peak_ci[1]
    assert tried >= 75
    assert held / tried >= 0.9


def test_more_noise_widens_the_interval() -> None:
    def width(noise: float) -> float:
        ci = fit_usl(points(noise=noise, seed=4)).peak_ci
        assert ci is not None
        return ci[1] - ci[0]

    assert width(0.05) > 2 * width(0.01)


def test_five_concurrencies_are_too_few_however_often_repeated() -> None:
    few = points(levels=(1.0, 4.0, 16.0, 26.0, 48.0)) * 3
    found = fit_usl(few)
    assert found.peak is None
    assert "5 concurrencies" in found.reason


def test_a_peak_at_the_last_point_was_not_passed() -> None:
    found = fit_usl(points(levels=(1.0, 2.0, 4.0, 8.0, 12.0, 16.0)))
    assert found.peak is None
    assert "not bracketed" in found.reason


@pytest.mark.parametrize("last", [0.8, 0.77])
def test_a_plateau_has_no_peak(last: float) -> None:
    flat = [(n, min(n, 8.0) * 0.1) for n in LEVELS[:-1]]
    found = fit_usl([*flat, (LEVELS[-1], last)])
    assert found.peak is None
    assert "not bracketed" in found.reason


def test_no_points_and_no_throughput_have_a_reason_too() -> None:
    assert fit_usl([]).reason
    assert "without throughput" in fit_usl([*points()[:-1], (48.0, 0.0)]).reason
    assert fit_usl([(n, 0.0) for n in LEVELS]).reason


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 10), min_size=8, max_size=8))
def test_whatever_is_fitted_a_peak_given_was_passed(rates: list[float]) -> None:
    found = fit_usl(list(zip(LEVELS, rates, strict=True)))
    assert bool(found.reason) == (found.peak is None)
    assert found.peak is None or LEVELS[0] <= found.peak <= LEVELS[-1]


def test_the_interval_is_as_wide_as_the_peaks_of_equal_campaigns_scatter() -> None:
    fits = [fit_usl(points(noise=0.03, seed=seed)) for seed in range(60)]
    known = [(fit.peak, fit.peak_ci) for fit in fits if fit.peak and fit.peak_ci]
    scatter = float(np.std([np.log(peak) for peak, _ in known]))
    half = float(np.median([np.log(ci[1] / ci[0]) / 2 for _, ci in known]))
    assert 0.7 < half / (2.571 * scatter) < 1.4, "t(0.975, 5) = 2.571"


def test_errors_that_leave_the_peak_in_its_place_do_not_widen_its_interval() -> None:
    """σ off by e · (1 − σ) and κ off by −e · κ leave (1 − σ) ⁄ κ as it was, to the first order."""
    sigma, kappa = 0.05, 0.002
    off = 0.1 * np.array([0.0, 1 - sigma, -kappa])
    found = peak_interval(TRUE_PEAK, sigma, kappa, covariance=np.outer(off, off), free=5)
    assert found == pytest.approx((TRUE_PEAK, TRUE_PEAK))
    assert peak_interval(TRUE_PEAK, sigma, kappa, covariance=np.outer(off, off), free=0) is None
