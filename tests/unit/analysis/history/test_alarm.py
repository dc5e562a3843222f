"""What turns a night red, and what does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from factory_alarm import CPU, IO, ROUNDS, figure, night, nights, only, plain, singles
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.history.alarm import FLOOR, LEVEL, alarms_of
from harness.analysis.history.alarm_evidence import LEAST_NIGHTS
from harness.analysis.history.alarm_series import ALL_KINDS, figure_in
from harness.analysis.history.types import Alarm, Entry, Figure

pytestmark = pytest.mark.unit


EQUAL = (1.01, 0.985, 1.02, 0.99, 1.0, 1.015, 0.98, 1.005, 0.99, 1.01, 1.0, 0.995)
STEADY = (103.4, 103.3, 103.6, 103.2, 103.4, 103.5, 103.3, 103.4, 103.5, 103.3, 103.4)


class TestBesideABaseline:
    def test_a_large_difference_is_red_in_its_first_night(self) -> None:
        alarm = only(nights(*EQUAL, 1.25))
        assert (alarm.verdict, alarm.red, alarm.nights) == ("worse", True, 1)
        assert alarm.ratio == pytest.approx(1.25)
        assert alarm.low is not None
        assert alarm.high is not None
        assert 1.1 < alarm.low < 1.25 < alarm.high < 1.4

    def test_a_small_one_once_three_nights_say_the_same(self) -> None:
        first, third = only(nights(*EQUAL, 1.07)), only(nights(*EQUAL, 1.07, 1.07, 1.07))
        assert (first.verdict, first.red) == ("cannot_tell", False)
        assert (third.verdict, third.red, third.nights) == ("worse", True, 3)

    def test_equal_nights_are_not(self) -> None:
        alarm = only(nights(*EQUAL))
        assert (alarm.verdict, alarm.red) == ("cannot_tell", False)
        assert alarm.p_adjusted == 1

    def test_many_equal_nights_of_a_steady_metric_are_the_same(self) -> None:
        steady = [night(n, figure(1.0, sd=0.005, rounds=9, free=8)) for n in range(8)]
        assert only(steady).verdict == "same"

    def test_what_got_better_is_said_and_is_not_red(self) -> None:
        alarm = only(nights(*EQUAL, 0.75))
        assert (alarm.verdict, alarm.red) == ("better", False)

    def test_more_throughput_is_better_and_less_is_worse(self) -> None:
        def of(value: float) -> Alarm:
            key = "throughput_runs_per_s@3"
            return only([night(n, figure(v, key=key)) for n, v in enumerate((*EQUAL, value))])

        assert [of(1.3).verdict, of(0.75).verdict] == ["better", "worse"]

    def test_a_regression_that_stands_stays_red_until_the_baseline_is_pinned_anew(self) -> None:
        standing = nights(*[1.2] * 30)
        assert only(standing).red
        assert "pinned anew" in only(standing).why
        pinned = night(31, figure(1.01), baseline="1.13.28", subject="1.13.28")
        assert not only([*standing, pinned]).red

    def test_nights_beside_another_baseline_are_not_taken_together(self) -> None:
        before = nights(*EQUAL, 1.1, 1.1)
        tonight = night(40, figure(1.1), baseline="1.13.20")
        assert only([*before, tonight]).nights == 1

    def test_what_was_mended_is_not_red_for_what_another_version_showed(self) -> None:
        broken = nights(*EQUAL, 1.3, 1.3)
        mended = night(20, figure(1.0), subject="1.13.29")
        alarm = only([*broken, mended])
        assert not alarm.red
        assert only([*broken, replace(mended, figures=(figure(1.3),))]).red

    def test_a_new_version_every_night_is_taken_together_while_it_looks_alike(self) -> None:
        entries = [
            replace(entry, subject=f"1!0+dev{number}")
            for number, entry in enumerate(nights(*EQUAL, 1.1, 1.1, 1.1))
        ]
        assert only(entries).nights == 3
        assert only(entries).red

    @pytest.mark.parametrize("ratio", [1 + FLOOR - 0.003, 1 / (1 + FLOOR - 0.003)])
    def test_below_the_floor_nothing_is_red_however_sure(self, ratio: float) -> None:
        def at(value: float) -> Alarm:
            return only([night(n, figure(value, sd=0.001, rounds=40, free=39)) for n in range(14)])

        assert not at(ratio).red
        assert at(1.1).red

    def test_the_first_night_of_all_has_its_own_rounds_alone_to_go_by(self) -> None:
        assert not only(nights(1.12)).red
        assert only(nights(1.6)).red
        assert only(nights(*EQUAL, 1.12)).red

    def test_one_stormy_cell_is_no_regression(self) -> None:
        storm = 1.6 ** (1 / ROUNDS)  # on one side, one of four rounds took 60 % more
        own = math.log(1.6) / math.sqrt(ROUNDS) / math.sqrt(2)
        assert not only([*nights(*EQUAL), night(20, figure(storm, sd=own))]).red
        assert only([*nights(*EQUAL), night(20, figure(storm))]).red

    def test_a_host_that_changed_does_not_matter(self) -> None:
        entries = nights(*EQUAL, 1.25)
        elsewhere = [*entries[:-1], replace(entries[-1], host="8 CPUs")]
        assert only(elsewhere).red

    def test_one_round_a_night_is_told_by_the_nights(self) -> None:
        def bare(*values: float) -> list[Entry]:
            return [night(n, figure(v, sd=None, free=0, rounds=1)) for n, v in enumerate(values)]

        alarm = only(bare(1.2))
        assert (alarm.verdict, alarm.ratio) == ("cannot_tell", None)
        assert "scatter" in alarm.why
        assert only(bare(*EQUAL, 1.5)).red
        assert not only(bare(*EQUAL, 1.05)).red

    def test_nights_that_differ_beyond_their_rounds_count_as_such(self) -> None:
        swinging = [1.12 if n % 2 else 0.89 for n in range(14)]
        quiet = [night(n, figure(v, sd=0.005)) for n, v in enumerate((*EQUAL, 1.12))]
        loud = [night(n, figure(v, sd=0.005)) for n, v in enumerate((*swinging, 1.12))]
        assert only(quiet).red
        assert not only(loud).red


class TestOverAllKinds:
    def test_shows_what_no_kind_alone_is_sure_of(self) -> None:
        def both(ratio: float) -> tuple[Figure, Figure]:
            return figure(ratio), figure(ratio, kind=CPU)

        entries = [night(n, *both(v)) for n, v in enumerate((*EQUAL, 1.08))]
        io, cpu, together = alarms_of(entries)
        assert [a.key.kind for a in (io, cpu, together)] == [IO, CPU, ALL_KINDS]
        assert [a.red for a in (io, cpu, together)] == [False, False, True]
        assert together.ratio == pytest.approx(1.08)

    def test_is_the_geometric_mean_with_less_error(self) -> None:
        entries = [night(0, figure(1.21), figure(1.0, kind=CPU))]
        io, _, together = alarms_of(entries)
        assert together.ratio == pytest.approx(1.1)
        assert _width(together) < _width(io)

    def test_needs_the_same_kinds_in_a_night(self) -> None:
        alone = [night(n, figure(v)) for n, v in enumerate(EQUAL)]
        both = night(20, figure(1.1), figure(1.1, kind=CPU))
        assert alarms_of([*alone, both])[-1].nights == 1

    def test_keeps_the_versions_beside_the_baseline_apart(self) -> None:
        second = ", version 2"
        entries = [
            night(0, figure(1.0), figure(1.0, kind=CPU), figure(1.5, kind=IO + second),
                  figure(1.5, kind=CPU + second))
        ]  # fmt: skip
        found = {alarm.key.kind: alarm.ratio for alarm in alarms_of(entries)}
        assert found[ALL_KINDS] == pytest.approx(1.0)
        assert found[ALL_KINDS + second] == pytest.approx(1.5)

    def test_can_be_read_of_any_night(self) -> None:
        entry = night(0, figure(1.21), figure(1.0, kind=CPU), figure(3.0, key="base_mib"))
        *_, alarm = alarms_of([entry])
        mean = figure_in(entry, alarm.key)
        assert mean is not None
        assert mean.value == pytest.approx(1.1)
        assert figure_in(night(1, figure(1.2)), alarm.key) is None


class TestOfASingleVersion:
    def test_too_few_nights_cannot_tell(self) -> None:
        alarm = only(singles(*STEADY[:LEAST_NIGHTS]))
        assert (alarm.verdict, alarm.ratio) == ("cannot_tell", None)
        assert alarm.why == "9 nights so far, 10 needed"

    def test_a_step_beside_the_nights_before_is_red(self) -> None:
        alarm = only(singles(*STEADY, 115.0))
        assert (alarm.verdict, alarm.red) == ("worse", True)
        assert alarm.ratio == pytest.approx(115.0 / 103.4, rel=1e-3)

    def test_a_night_like_those_before_is_not(self) -> None:
        assert not only(singles(*STEADY, 103.5)).red

    def test_one_odd_night_among_those_before_does_not_hide_it(self) -> None:
        assert only(singles(*STEADY[:5], 190.0, *STEADY[5:], 120.0)).red

    def test_what_swings_from_night_to_night_anyway_is_not_red(self) -> None:
        swinging = [100.0 * (1.3 if n % 3 == 0 else 0.9 if n % 3 == 1 else 1.0) for n in range(14)]
        assert not only(singles(*swinging, 130.0)).red

    @pytest.mark.parametrize("change", [{"host": "8 CPUs"}, {"method": 4}])
    def test_nights_on_another_host_or_by_another_method_do_not_count(self, change: Any) -> None:
        before = singles(*STEADY)
        after = [replace(e, **change, started_s=1e9) for e in singles(150.0, 150.0)]
        alarm = only([*before, *after])
        assert alarm.why == "1 nights since the host or the method changed, 10 needed"

    def test_it_gets_used_to_a_new_level(self) -> None:
        assert not only(singles(*STEADY, *[115.0 + 0.1 * (n % 3) for n in range(20)])).red

    def test_values_beside_a_baseline_do_not_gate(self) -> None:
        entries = [night(n, plain(v), figure(1.0)) for n, v in enumerate((*STEADY, 150.0))]
        assert [alarm.key.form for alarm in alarms_of(entries)] == ["ratio"]


class TestWhatGates:
    @pytest.mark.parametrize("gates", [("response_s",), ("response_s@3",)])
    def test_a_metric_that_does_not_gate_does_when_it_is_named(self, gates: Any) -> None:
        entries = [night(n, figure(v, key="response_s@3")) for n, v in enumerate((*EQUAL, 1.4))]
        assert alarms_of(entries) == ()
        assert only(entries, gates=gates).red

    def test_the_baseline_and_metrics_nobody_knows_do_not(self) -> None:
        entry = night(0, figure(2.0, role="baseline"), figure(2.0, key="warp_factor"))
        assert alarms_of([entry]) == ()

    def test_capacity_does_when_it_is_named(self) -> None:
        entries = [night(n, figure(1.0, key="capacity")) for n in range(3)]
        assert only(entries, gates=["capacity"]).metric.better == "higher"

    def test_the_more_is_looked_at_the_surer_one_must_be(self) -> None:
        def adjusted(others: int) -> float:
            more = [figure(1.0, kind=f"{n} on 1 vCPU, version {n + 2}") for n in range(others)]
            alarm, *_ = alarms_of([night(0, figure(1.2), *more)])
            assert alarm.p_adjusted is not None
            return alarm.p_adjusted

        assert adjusted(3) == pytest.approx(4 * adjusted(0))


class TestNightsThatLackSomething:
    def test_no_night_at_all(self) -> None:
        assert alarms_of([]) == ()

    def test_other_campaigns_are_left_out(self) -> None:
        entries = nights(*EQUAL, 1.1, 1.1, 1.1)
        foreign = [replace(e, campaign="other", figures=(figure(1.0),)) for e in entries]
        mixed = [e for pair in zip(entries, foreign, strict=True) for e in pair][:-1]
        assert only(mixed) == only(entries)

    def test_a_night_without_figures_is_passed_over(self) -> None:
        entries = nights(*EQUAL, 1.1, 1.1, 1.1)
        empty = night(99)
        broken = night(98, figure(9.0), problem="findings.json is damaged")
        assert only([*entries[:-2], empty, broken, *entries[-2:]]) == only(entries)

    def test_tonight_without_figures_cannot_tell_what_the_nights_before_could(self) -> None:
        tonight = night(99, problem="the server never came up")
        alarm = only([*nights(*EQUAL), tonight])
        assert (alarm.verdict, alarm.red, alarm.p_adjusted) == ("cannot_tell", False, None)
        assert alarm.why == "not known tonight: the server never came up"

    def test_a_figure_that_tonight_lacks_is_named(self) -> None:
        both = [night(n, figure(v), figure(v, kind=CPU)) for n, v in enumerate(EQUAL)]
        found = alarms_of([*both, night(50, figure(1.0))])
        assert [(a.key.kind, a.why) for a in found if a.ratio is None] == [
            (CPU, "not known tonight")
        ]

    def test_a_figure_that_nobody_had_of_late_is_forgotten(self) -> None:
        old = night(0, figure(1.0), figure(1.0, kind=CPU))
        assert only([old, *nights(*EQUAL)]).key.kind == IO

    @pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -1.0])
    def test_a_value_without_a_logarithm_is_no_figure(self, value: float) -> None:
        assert alarms_of([night(0, figure(value))]) == ()

    def test_fewer_rounds_than_usual_say_less(self) -> None:
        short = figure(1.3, rounds=1, sd=None, free=0)
        assert only(nights(*EQUAL, 1.3)).nights == 1
        few, usual = only([*nights(*EQUAL), night(50, short)]), only(nights(*EQUAL, 1.3))
        assert (few.p_adjusted or 0) > 100 * (usual.p_adjusted or 0)

    def test_figures_that_agree_in_every_digit_prove_nothing_finer(self) -> None:
        exact = [night(n, figure(1.0, sd=0.0)) for n in range(12)]
        alarm = only([*exact, night(20, figure(1.029, sd=0.0))])
        assert not alarm.red
        assert _width(alarm) > 0.02


def test_reasons_are_whole_clauses_without_a_full_stop() -> None:
    told = [only(nights(*EQUAL, v)).why for v in (1.0, 1.04, 1.3, 0.7)]
    assert told[2].startswith("beside Dagster 1.13.27 of the same night")
    assert all(why and not why.endswith(".") and why[0].islower() for why in told)


def _width(alarm: Alarm) -> float:
    assert alarm.low is not None
    assert alarm.high is not None
    return math.log(alarm.high / alarm.low)


def simulated(
    draw: np.random.Generator, count: int, effects: Mapping[int, float], sd: float = 0.05
) -> list[Entry]:
    """Nights of four rounds, two kinds, five metrics; from a night on an effect on all of them."""
    keys = ("launch_cpu_s", "launch_s@1", "launch_s@3", "run_rss_mib@1", "base_mib")
    entries = []
    for number in range(count):
        effect = max((e for since, e in effects.items() if number >= since), default=0.0)
        figures = []
        for kind in (IO, CPU):
            for key in keys:
                pairs = draw.normal(effect, sd * math.sqrt(2), ROUNDS)
                figures.append(
                    figure(
                        math.exp(pairs.mean()), kind=kind, key=key,
                        sd=float(pairs.std(ddof=1)) / math.sqrt(2),
                    )
                )  # fmt: skip
        entries.append(night(number, *figures))
    return entries


class TestManyNights:
    """Whether the promises hold; `benchmarks/nights.py` does it with real noise, and many more."""

    def test_hardly_any_equal_night_is_red(self) -> None:
        draw = np.random.default_rng(20261125)
        red = 0
        for _ in range(20):
            chain = simulated(draw, 24, {})
            red += sum(any(a.red for a in alarms_of(chain[: n + 1])) for n in range(4, 24))
        assert red <= 4  # of 400

    def test_a_tenth_more_is_found_within_three_nights(self) -> None:
        draw = np.random.default_rng(7)
        found = 0
        for _ in range(40):
            chain = simulated(draw, 15, {12: math.log(1.1)})
            found += any(any(a.red for a in alarms_of(chain[: n + 1])) for n in (12, 13, 14))
        assert found >= 38


@given(
    values=st.lists(st.floats(0.2, 5.0), min_size=1, max_size=20),
    sds=st.lists(st.none() | st.floats(0.0, 0.5), min_size=20, max_size=20),
    rounds=st.integers(1, 6),
    single=st.booleans(),
)
def test_whatever_the_nights_an_alarm_is_finite_and_holds_together(
    values: list[float], sds: list[float | None], rounds: int, single: bool
) -> None:
    entries = [
        night(
            n,
            figure(v, form="value" if single else "ratio", rounds=rounds, sd=sd,
                   free=0 if sd is None else 3),
            baseline="" if single else "1.13.27",
        )
        for n, (v, sd) in enumerate(zip(values, sds, strict=False))
    ]  # fmt: skip
    alarm = only(entries)
    assert alarm.red == (alarm.verdict == "worse")
    if alarm.ratio is None:
        assert (alarm.verdict, alarm.low, alarm.high) == ("cannot_tell", None, None)
    else:
        assert alarm.low is not None
        assert alarm.high is not None
        assert alarm.p_adjusted is not None
        assert 0 < alarm.low <= alarm.ratio <= alarm.high < math.inf
        assert 0 <= alarm.p_adjusted <= 1
        if alarm.red:
            assert alarm.p_adjusted <= LEVEL
