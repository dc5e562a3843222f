from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.analysis.workers.fit import Coefficient, Demand, WorkerFit, fit_workers

pytestmark = pytest.mark.unit

shares = st.floats(0, 20, allow_subnormal=False)


def demands(
    rows: list[tuple[float, float]], *, a: float, b: float, polls: float, noise: float = 0.0
) -> list[Demand]:
    random = np.random.default_rng(7)
    return [
        Demand(
            launching=launching,
            sensing=sensing,
            busy=a * launching + b * sensing + polls + noise * float(random.normal()),
        )
        for launching, sensing in rows
    ]


GRID = [(launching, sensing) for launching in (0.2, 1.0, 2.0, 4.0) for sensing in (0.0, 1.0, 3.0)]


def values(fit: WorkerFit) -> list[float]:
    parts = [part for part in (fit.launches, fit.sensors, fit.polls) if part is not None]
    return [part.value for part in parts]


@settings(deadline=None)  # SciPy is loaded at the first call
@given(a=st.floats(0, 3), b=st.floats(0, 3), polls=st.floats(0, 5))
def test_what_was_put_in_comes_out(a: float, b: float, polls: float) -> None:
    fit = fit_workers(demands(GRID, a=a, b=b, polls=polls))
    assert values(fit) == pytest.approx([a, b, polls], abs=1e-6)
    assert fit.points == len(GRID)
    assert fit.note == ""


def held(part: Coefficient | None, truth: float) -> bool:
    assert part is not None
    return part.low <= truth <= part.high


def test_the_interval_of_noisy_steps_holds_the_truth_and_is_no_point() -> None:
    fit = fit_workers(demands(GRID, a=1.0, b=0.8, polls=0.5, noise=0.1))
    assert held(fit.launches, 1.0)
    assert held(fit.sensors, 0.8)
    assert held(fit.polls, 0.5)
    assert fit.launches is not None
    assert 0.05 < fit.launches.high - fit.launches.low < 0.5


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(11)
    fits = []
    for _ in range(400):
        noise = random.normal(0, 0.1, len(GRID))
        fits.append(
            fit_workers(
                [
                    Demand(launching=x, sensing=y, busy=x + 0.8 * y + 1.0 + float(extra))
                    for (x, y), extra in zip(GRID, noise, strict=True)
                ]
            )
        )
    share = sum(held(fit.launches, 1.0) for fit in fits) / len(fits)
    assert 0.92 <= share <= 0.98


def test_more_steps_make_the_interval_narrower() -> None:
    few = fit_workers(demands(GRID[:6], a=1, b=1, polls=1, noise=0.1))
    many = fit_workers(demands(GRID * 10, a=1, b=1, polls=1, noise=0.1))
    assert few.launches is not None
    assert many.launches is not None
    assert many.launches.high - many.launches.low < few.launches.high - few.launches.low


@settings(deadline=None)  # SciPy is loaded at the first call
@given(rows=st.lists(st.tuples(shares, shares, shares), min_size=4, max_size=12))
def test_no_figure_is_below_zero_and_each_lies_in_its_interval(
    rows: list[tuple[float, float, float]],
) -> None:
    fit = fit_workers([Demand(launching=x, sensing=y, busy=z) for x, y, z in rows])
    assume(fit.launches is not None)
    for part in (fit.launches, fit.sensors, fit.polls):
        if part is not None:
            assert 0 <= part.low <= part.value <= part.high


def test_workers_that_fewer_launches_keep_busier_are_not_explained_by_less_than_nothing() -> None:
    fit = fit_workers(
        [Demand(launching=x, sensing=0, busy=5 - x) for x in (0.5, 1.0, 2.0, 3.0, 4.0)]
    )
    assert fit.launches is not None
    assert fit.launches.value == 0


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_three_steps_are_not_enough_and_it_is_said(steps: int) -> None:
    fit = fit_workers(demands(GRID[::2][:steps], a=1, b=1, polls=1), waiting=2)
    assert (fit.launches, fit.sensors, fit.polls) == (None, None, None)
    assert f"not enough: {steps} of" in fit.note
    assert (fit.points, fit.waiting) == (steps, 2)


def test_four_steps_are_enough() -> None:
    assert fit_workers(demands(GRID[:4], a=1, b=1, polls=1)).launches is not None


def test_the_same_sensors_everywhere_are_counted_with_the_polls() -> None:
    rows = [(launching, 2.0) for launching in (0.5, 1.0, 2.0, 4.0)]
    fit = fit_workers(demands(rows, a=1.0, b=1.5, polls=0.5))
    assert fit.sensors is None
    assert fit.polls is not None
    assert fit.polls.value == pytest.approx(3.5)


def test_steps_that_all_launched_alike_cannot_be_taken_apart() -> None:
    fit = fit_workers([Demand(launching=1.0, sensing=0.0, busy=1.0)] * 6)
    assert fit.launches is None
    assert "too alike" in fit.note
    assert fit.points == 6
