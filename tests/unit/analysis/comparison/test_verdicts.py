"""Better, worse, the same within x, or what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factory_comparison import NEW, OLD, Truth, make_figures, simulate_figures

from harness.analysis.comparison.effect import Contrast
from harness.analysis.comparison.entries import GATE_WEIGHT, entries_of
from harness.analysis.comparison.metrics import metric_of
from harness.analysis.comparison.noise import Reading, Scatter
from harness.analysis.comparison.types import MetricComparison, Rules, Verdict
from harness.analysis.comparison.verdicts import more_rounds, percent

pytestmark = pytest.mark.unit

RULES = Rules()
MIDDLE = (-0.01, 0.01, 0.01, -0.01)
"""Equal cells of four rounds, 1 % apart."""


def entry(
    shift: float, *, metric: str = "launch_cpu_s", noise: float = 1.0, rounds: int = 4
) -> MetricComparison:
    """One metric alone: the contender moved by `shift` (of ln), noise of about 1 % × `noise`."""
    wiggle = [noise * (MIDDLE * rounds)[n] for n in range(rounds)]
    readings = [
        [Reading(version=OLD, round=n + 1, log=0.0) for n in range(rounds)],
        [Reading(version=NEW, round=n + 1, log=shift + wiggle[n]) for n in range(rounds)],
    ]
    (found,) = entries_of([make_figures(metric_of(metric), None, readings)], RULES)
    return found


@pytest.mark.parametrize(
    ("metric", "shift", "verdict"),
    [
        ("launch_cpu_s", 0.10, "worse"),
        ("launch_cpu_s", -0.10, "better"),
        ("throughput_runs_per_s", 0.10, "better"),
        ("throughput_runs_per_s", -0.10, "worse"),
        ("launch_cpu_s", 0.0, "same"),
        ("throughput_runs_per_s", 0.0, "same"),
    ],
)
def test_a_clear_case(metric: str, shift: float, verdict: Verdict) -> None:
    assert entry(shift, metric=metric).verdict == verdict


def test_the_same_within_the_farther_end() -> None:
    found = entry(0.01)
    assert found.effect.high is not None
    assert found.within == pytest.approx(found.effect.high - 1)
    other = entry(-0.01)
    assert other.effect.low is not None
    assert other.within == pytest.approx(1 / other.effect.low - 1)
    assert (found.within, other.within) == (
        pytest.approx(other.within),
        pytest.approx(found.within),
    )


def test_a_sure_but_small_difference_is_the_same() -> None:
    found = entry(0.01, noise=0.1)
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.001
    assert found.verdict == "same"


def test_what_noise_covers_cannot_be_told_and_says_what_would() -> None:
    found = entry(0.04, noise=6.0)
    assert found.verdict == "cannot_tell"
    assert found.why.startswith("4 rounds; with this noise (4.9 % between equal cells) ")
    assert found.why.endswith("would decide 5 % if all stays as it is")


def test_what_only_the_correction_takes_away_is_told() -> None:
    figures = simulate_figures(Truth(), 1)
    alone = replace(figures[0], contrast=_contrast(0.06), scatter=_scatter(0.025))
    (found, *_) = entries_of([alone, *figures[1:]], RULES)
    assert found.p is not None
    assert found.p < 0.05
    assert found.verdict == "cannot_tell"
    assert f"after the correction for {len(figures)} figures, 0.05 is needed" in found.why
    assert f"p {found.p_adjusted:.2g} after" in found.why


def test_single_cells_have_no_verdict() -> None:
    found = entry(0.2, rounds=1)
    assert (found.verdict, found.p, found.noise.source) == ("cannot_tell", None, "none")
    assert "measure in rounds" in found.why


def test_a_difference_made_by_single_cells_is_withheld() -> None:
    """Twelve rounds: in eleven nothing, in one everything; the noise is known to be small."""
    parts = [0.002 * (-1) ** n * (n + 1) / 12 for n in range(11)] + [1.2]
    readings = [
        [Reading(version=OLD, round=n, log=0.0) for n in range(12)],
        [Reading(version=NEW, round=n, log=part) for n, part in enumerate(parts)],
    ]
    figures = replace(make_figures(metric_of("launch_s"), 4, readings), scatter=_scatter(0.02))
    (found,) = entries_of([figures], RULES)
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.001
    assert found.rank.decides
    assert found.verdict == "cannot_tell"
    assert "ranks" in found.why


def test_what_gates_has_the_larger_part_of_the_level() -> None:
    figures = simulate_figures(Truth(workloads=("io",), loads=(3,)), 1)
    found = entries_of(figures, RULES)
    gates = sum(each.metric.gates for each in figures)
    most = GATE_WEIGHT * gates + len(figures) - gates
    for each in found:
        assert each.p is not None
        assert each.p_adjusted is not None
        weight = GATE_WEIGHT if each.metric.gates else 1.0
        assert each.p <= each.p_adjusted <= min(
            1.0, each.p * most / weight
        ) or each.p_adjusted == max(other.p_adjusted or 0.0 for other in found)


def test_so_many_rounds_more_would_decide() -> None:
    """6 % between equal cells: about 12 rounds bring the interval within 5 %."""
    more = more_rounds(_contrast(0.0), _scatter(0.06), factor=1.0, rules=RULES)
    assert more == 9
    assert more_rounds(_contrast(0.0), _scatter(0.60), factor=1.0, rules=RULES) is None
    nearly = more_rounds(_contrast(0.045), _scatter(0.03), factor=1.0, rules=RULES)
    clear = more_rounds(_contrast(0.09), _scatter(0.06), factor=1.0, rules=RULES)
    assert nearly is not None
    assert clear is not None
    assert clear < nearly or clear < 9
    many = more_rounds(_contrast(0.09), _scatter(0.06), factor=60.0, rules=RULES)
    assert many is not None
    assert many > clear


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.0, "0 %"), (0.0054, "0.54 %"), (0.034, "3.4 %"), (0.117, "12 %")]
)
def test_shares_are_rounded_for_people(ratio: float, words: str) -> None:
    assert percent(ratio) == words


def test_equal_versions_are_called_different_as_rarely_as_promised() -> None:
    """400 A/A comparisons with noise that differs from metric to metric by a third."""
    truth = Truth(workloads=("io",), loads=(1, 3), uneven=0.3, shared=0.3)
    false = sum(
        any(
            each.verdict in ("better", "worse")
            for each in entries_of(simulate_figures(truth, seed), RULES)
        )
        for seed in range(400)
    )
    assert false <= RULES.alpha * 400


def test_launches_a_tenth_slower_are_found() -> None:
    """Four versions, four rounds, 3 % noise: found in 95 of 100."""
    truth = Truth(
        versions=("1.8.0", "1.10.0", OLD, NEW), loads=(1, 3), uneven=0.2, shared=0.3,
        effects={NEW: {"launch_cpu_s": 1.1, "launch_s": 1.1}},
    )  # fmt: skip
    found = sum(
        any(
            each.verdict == "worse" and each.metric.gates
            for each in entries_of(simulate_figures(truth, seed), RULES)
        )
        for seed in range(100)
    )
    assert found >= 95


def _scatter(sd: float) -> Scatter:
    return Scatter(variance=sd**2, free=9, pairs=24)


def _contrast(shift: float, n: int = 4) -> Contrast:
    return Contrast(shift=shift, share=2 / n, n=n, parts=(shift,) * n, sides=((0.0,), (shift,)))
