"""What judged steps say about the capacity: the sure end, the interval, and when there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.analysis.capacity import Capacity, capacity_of, with_binding
from harness.analysis.search.base import Observation
from harness.analysis.slo import Verdict

pytestmark = pytest.mark.unit


def step(concurrency: int, verdict: Verdict) -> Observation:
    """A step that only held or broke."""
    ok = {"pass": True, "fail": False}.get(verdict)
    return Observation(concurrency=concurrency, verdict=verdict, bare_ok=ok)


def measured(concurrency: int, theta: float) -> Observation:
    """A step whose response grows in proportion to its load and meets its limit at theta."""
    margin = math.log(concurrency / theta)
    return Observation(
        concurrency=concurrency,
        verdict="fail" if margin > 0 else "pass",
        margins={"slowdown_p95": margin},
    )


class TestBracketed:
    def test_is_the_highest_tried_that_surely_holds(self) -> None:
        found = capacity_of([measured(n, 6.5) for n in (1, 4, 6, 7, 8)])
        assert (found.concurrency, found.first_failing) == (6, 7)
        assert found.status == "bracketed"
        assert found.confirmed

    def test_states_how_probable_it_is_and_an_interval_around_it(self) -> None:
        found = capacity_of([measured(n, 6.5) for n in (1, 4, 6, 7, 8)])
        assert found.probability is not None
        assert 0.9 < found.probability <= 1
        assert found.low is not None
        assert found.high is not None
        assert found.low <= 6 <= found.high < 8

    def test_never_claims_what_was_not_tried(self) -> None:
        found = capacity_of([measured(n, 11.5) for n in (1, 4, 8, 16)])
        assert found.concurrency == 8
        assert found.high is not None
        assert found.high >= 11

    def test_steps_on_the_edge_are_not_claimed_while_lower_ones_are_sure(self) -> None:
        edge = [measured(1, 6.02), measured(4, 6.02), measured(6, 6.02), measured(7, 6.02)]
        found = capacity_of([*edge, replace(measured(6, 6.02), margins={"slowdown_p95": 0.03},
                                            verdict="fail")])  # fmt: skip
        assert found.concurrency == 4
        assert found.first_failing in (6, 7)

    def test_wanting_less_certainty_may_claim_more(self) -> None:
        steps = [measured(1, 6.2), measured(3, 6.2), measured(6, 6.2), measured(7, 6.2)]
        strict, lax = (capacity_of(steps, confidence=each) for each in (0.999, 0.5))
        assert (strict.concurrency or 0) <= (lax.concurrency or 0)
        assert lax.concurrency == 6

    def test_names_the_objective_that_broke_first_above(self) -> None:
        steps = [measured(n, 6.5) for n in (1, 4, 6, 8)]
        found = capacity_of(steps, broken=[(8, "launch_s_p95")])
        assert found.broken_slo == "launch_s_p95"

    def test_a_pass_above_repeated_failures_does_not_count(self) -> None:
        steps = [step(1, "pass"), step(2, "pass"), step(2, "pass"),
                 *[step(4, "fail")] * 3, step(8, "pass")]  # fmt: skip
        found = capacity_of(steps)
        assert found.concurrency == 2
        assert found.first_failing == 4

    def test_one_failure_among_many_passes_is_taken_for_noise(self) -> None:
        steps = [step(1, "pass"), *[step(4, "pass")] * 4, step(4, "fail"), *[step(8, "fail")] * 2]
        assert capacity_of(steps).concurrency == 4

    def test_one_single_pass_is_not_yet_confirmed_at_high_confidence(self) -> None:
        found = capacity_of([step(1, "pass"), step(2, "fail")], confidence=0.999)
        assert found.concurrency == 1
        assert not found.confirmed
        assert "1 is not confirmed" in found.evidence[0]


class TestOtherAnswers:
    def test_above_max_when_nothing_broke(self) -> None:
        found = capacity_of([measured(n, 100) for n in (1, 2, 4)])
        assert found.status == "above_max"
        assert found.concurrency == 4
        assert found.high is None
        assert found.first_failing is None

    def test_below_min_when_not_even_the_lowest_holds(self) -> None:
        found = capacity_of([step(1, "fail"), step(1, "fail"), step(2, "fail")],
                            broken=[(1, "no_oom")])  # fmt: skip
        assert (found.status, found.concurrency, found.first_failing) == ("below_min", 0, 1)
        assert found.broken_slo == "no_oom"
        assert found.confirmed

    @pytest.mark.parametrize("verdicts", [[], ["invalid"], ["inconclusive", "invalid"]])
    def test_invalid_when_no_step_could_be_judged(self, verdicts: list[Verdict]) -> None:
        found = capacity_of([step(1, each) for each in verdicts])
        assert found.status == "invalid"
        assert found.concurrency is None
        assert not found.confirmed
        assert found.evidence == ("no step could be judged",)

    def test_counts_the_steps_it_rests_on(self) -> None:
        steps = [measured(1, 6.5), measured(4, 6.5), step(6, "invalid"), measured(8, 6.5)]
        assert capacity_of(steps).steps == 3


class TestBinding:
    def capacity(self) -> Capacity:
        return capacity_of([measured(n, 6.5) for n in (1, 4, 6, 7, 8)])

    def test_is_named_with_its_evidence(self) -> None:
        found = with_binding(self.capacity(), "launch_cpu", ["CPU at 99 %"])
        assert found.binding == "launch_cpu"
        assert found.evidence[-1] == "CPU at 99 %"
        assert found.concurrency == 6

    def test_the_control_plane_voids_the_capacity(self) -> None:
        found = with_binding(self.capacity(), "control_plane", ["the webserver was busy"])
        assert found.status == "invalid"
        assert found.concurrency is None
        assert found.low == 6
        assert not found.confirmed
        assert "not its threshold" in found.evidence[-1]
