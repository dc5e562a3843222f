"""What is believed of the threshold: it follows the evidence, and its intervals keep their word."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.search.base import Observation, observe
from harness.analysis.search.boundary import believe
from harness.analysis.slo import SloResult

pytestmark = pytest.mark.unit

GRID = tuple(range(1, 33))


def seen(concurrency: int, margin: float, *, runs: int = 0) -> Observation:
    return Observation(
        concurrency=concurrency,
        verdict="fail" if margin > 0 else "pass",
        margins={"slowdown_p95": margin},
        runs=runs,
    )


def stepped(concurrency: int, ok: bool) -> Observation:
    return Observation(concurrency=concurrency, verdict="pass" if ok else "fail", bare_ok=ok)


def line(theta: float, *concurrencies: int) -> list[Observation]:
    return [seen(n, math.log(n / theta)) for n in concurrencies]


class TestBelief:
    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.builds(seen, st.sampled_from(GRID), st.floats(-3, 3)), min_size=0, max_size=12)
    )
    def test_is_a_probability_that_falls_with_load(self, observations: list[Observation]) -> None:
        belief = believe(GRID, observations)
        assert np.all(np.diff(belief.at_least) <= 1e-12)
        assert np.all((belief.at_least >= -1e-12) & (belief.at_least <= 1 + 1e-12))
        assert belief.exactly().sum() == pytest.approx(1)

    def test_knows_nothing_before_the_first_step(self) -> None:
        low, high = believe(GRID, []).interval(0.99)
        assert low <= 1
        assert high is None

    def test_steps_without_a_verdict_say_nothing(self) -> None:
        void = Observation(concurrency=8, verdict="invalid", margins={"slowdown_p95": 2.0})
        assert np.array_equal(believe(GRID, [void]).at_least, believe(GRID, []).at_least)

    def test_finds_where_the_line_crosses(self) -> None:
        belief = believe(GRID, line(10.5, 4, 8, 10, 11, 12))
        assert belief.holds(10) > 0.9
        assert belief.holds(11) < 0.1
        assert belief.interval(0.9)[0] <= 10 <= (belief.interval(0.9)[1] or 99)

    def test_repetitions_make_it_surer(self) -> None:
        once = believe(GRID, line(10.5, 4, 8, 10, 11)).holds(10)
        often = believe(GRID, line(10.5, 4, 8, *([10, 11] * 5))).holds(10)
        assert often > once

    def test_few_runs_a_step_make_it_less_sure(self) -> None:
        points = [(8, -0.2), (10, -0.05), (12, 0.1)]
        few = believe(GRID, [seen(n, m, runs=5) for n, m in points]).holds(10)
        many = believe(GRID, [seen(n, m, runs=500) for n, m in points]).holds(10)
        assert few < many

    def test_one_breach_without_a_margin_is_not_yet_proof_but_three_are(self) -> None:
        once = believe(GRID, [stepped(4, True), stepped(8, False)]).holds(8)
        thrice = believe(GRID, [stepped(4, True), *[stepped(8, False)] * 3]).holds(8)
        assert thrice < once < 0.5
        assert thrice < 0.01

    def test_the_nearest_of_two_objectives_decides(self) -> None:
        both = [
            Observation(
                concurrency=n,
                verdict="pass",
                margins={"slowdown_p95": math.log(n / 10.5), "memory_headroom": math.log(n / 20)},
            )
            for n in (4, 8, 10)
        ]
        both += [
            Observation(
                concurrency=11,
                verdict="fail",
                margins={"slowdown_p95": math.log(11 / 10.5), "memory_headroom": math.log(11 / 20)},
            )
        ]
        assert believe(GRID, both).interval(0.5) == (10, 10)

    def test_an_objective_far_from_its_limit_has_no_say(self) -> None:
        near = line(10.5, 4, 8, 10, 11, 12)
        far = [
            Observation(
                concurrency=o.concurrency,
                verdict=o.verdict,
                margins={**o.margins, "probe_s_p99": -4.0},
            )
            for o in near
        ]
        assert np.allclose(believe(GRID, near).at_least, believe(GRID, far).at_least)


def test_stated_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Over thresholds anywhere between the rungs, slopes and noises: 90 % means 90 %."""
    draw = np.random.default_rng(5)
    held = 0
    trials = 250
    for _ in range(trials):
        theta = math.exp(draw.uniform(math.log(3), math.log(20)))
        slope, noise = draw.uniform(0.6, 1.8), draw.uniform(0.02, 0.08)
        places = [1, max(2, round(theta * 0.5)), *[math.floor(theta), math.floor(theta) + 1] * 2]
        observations = [
            seen(n, slope * math.log(n / theta) + noise * draw.standard_normal()) for n in places
        ]
        low, high = believe(GRID, observations).interval(0.9)
        held += low <= math.floor(theta) <= (math.inf if high is None else high)
    assert held / trials >= 0.88


class TestInterval:
    def test_is_the_shortest_that_holds_enough(self) -> None:
        belief = believe(GRID, line(10.5, 4, 8, *([10, 11] * 4)))
        low, high = belief.interval(0.5)
        assert (low, high) == (10, 10)

    def test_says_when_nothing_bounds_it_from_above(self) -> None:
        belief = believe((1, 2, 4), [seen(n, math.log(n / 100)) for n in (1, 2, 4)])
        assert belief.interval(0.95)[1] is None

    def test_says_when_it_lies_below_the_grid(self) -> None:
        belief = believe((4, 8), [seen(4, 1.0), seen(4, 1.0), seen(8, 1.5)])
        assert belief.interval(0.9)[0] == 0


class TestObserve:
    def slo(self, name: str, **changes: object) -> SloResult:
        fields = {"name": name, "observed": 1.0, "limit": 2.0, "ok": True, "n": 9, **changes}
        return SloResult(**fields)  # type: ignore[arg-type]

    def test_tells_margins_from_objectives_that_hold_or_break(self) -> None:
        slos = [self.slo("slowdown_p95", margin=-0.7), self.slo("no_oom")]
        got = observe(6, "pass", slos, runs=9)
        assert got == Observation(
            concurrency=6, verdict="pass", margins={"slowdown_p95": -0.7}, bare_ok=True, runs=9
        )

    def test_a_breach_beyond_all_bounds_is_a_bare_one(self) -> None:
        slos = [self.slo("launch_s_p95", ok=False, observed=None, margin=math.inf)]
        assert observe(6, "fail", slos).bare_ok is False

    def test_undecided_objectives_say_nothing(self) -> None:
        slos = [self.slo("slowdown_p95", margin=-0.7), self.slo("no_oom", ok=None)]
        assert observe(6, "inconclusive", slos).bare_ok is None
