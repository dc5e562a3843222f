"""OOM kills and failed runs: red only where they are new, repeated, and not the machine's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factory_nightly import NEWEST, campaign_of, findings_of, judged_step, pinned_of

from harness.analysis.findings.types import Findings
from harness.campaign.loading import load_campaign, preset_text
from harness.report.nightly.summary import Breach
from harness.scenarios.nightly.breaches import breaches_of, equal_loads

pytestmark = pytest.mark.unit

BASELINE = "1.13.27"
OOM_AT_3 = {(NEWEST, 3): "no_oom"}
PLAN = pinned_of(campaign_of("workloads=[io]"))
GOOD = findings_of(PLAN)
BAD = findings_of(PLAN, broke=OOM_AT_3)
SINGLE = pinned_of(campaign_of("workloads=[io]", "repetitions=1", "dagster=[latest]",
                               "baseline=null"))  # fmt: skip


def breaches(tonight: Findings, *earlier: Findings, baseline: str = BASELINE) -> tuple[Breach, ...]:
    return breaches_of(tonight, earlier, baseline=baseline, loads=(1, 3))


def without(findings: Findings, version: str) -> Findings:
    cells = tuple(cell for cell in findings.cells if cell.dagster != version)
    return replace(findings, cells=cells)


def test_what_holds_is_no_breach() -> None:
    assert breaches(GOOD, GOOD) == ()


def test_what_held_beside_it_in_the_same_night_is_proof_enough() -> None:
    (breach,) = breaches(BAD)
    assert breach.red
    assert (breach.slo, breach.concurrency, breach.dagster) == ("no_oom", 3, NEWEST)
    assert (breach.steps, breach.of, breach.held) == (4, 4, 4)
    assert breach.why == "it held in 4 steps before"


def test_where_the_baseline_breaks_as_well_it_is_not_the_version() -> None:
    both = findings_of(PLAN, broke=OOM_AT_3 | {(BASELINE, 3): "no_oom"})
    (breach,) = breaches(both, GOOD, GOOD)
    assert not breach.red
    assert "not the version" in breach.why


def test_what_never_held_for_sure_is_no_regression() -> None:
    (breach,) = breaches(BAD, GOOD, BAD, GOOD)
    assert not breach.red
    assert "did not always hold" in breach.why


def test_the_baseline_alone_may_break_without_a_word() -> None:
    assert breaches(findings_of(PLAN, broke={(BASELINE, 3): "no_oom"})) == ()


def test_one_bad_step_among_many_is_no_proof() -> None:
    cells = list(BAD.cells)
    bad = [n for n, cell in enumerate(cells) if cell.dagster == NEWEST]
    for n in bad[1:]:
        cells[n] = replace(cells[n], steps=GOOD.cells[n].steps)
    (breach,) = breaches(replace(BAD, cells=tuple(cells)), GOOD, GOOD)
    assert not breach.red
    assert (breach.steps, breach.of) == (1, 4)
    assert "too few" in breach.why


def test_nights_of_one_cell_are_taken_together_until_they_prove_something() -> None:
    good, bad = findings_of(SINGLE), findings_of(SINGLE, broke=OOM_AT_3)
    (first,) = breaches(bad, *[good] * 6, baseline="")
    assert not first.red
    (second,) = breaches(bad, *[good] * 6, bad, baseline="")
    assert second.red
    assert (second.steps, second.of, second.held) == (2, 2, 6)


def test_a_night_that_follows_a_bad_one_well_is_well() -> None:
    good, bad = findings_of(SINGLE), findings_of(SINGLE, broke=OOM_AT_3)
    assert breaches(good, *[good] * 6, bad, baseline="") == ()


def test_too_little_of_before_proves_nothing() -> None:
    alone = without(BAD, BASELINE)
    (breach,) = breaches(alone, without(findings_of(SINGLE), BASELINE))
    assert not breach.red
    assert "1 step of before" in breach.why


def test_a_load_that_is_not_measured_every_night_is_not_looked_at() -> None:
    searched = replace(
        GOOD,
        cells=tuple(
            replace(cell, steps=(*cell.steps, judged_step(9, broke="no_oom")))
            for cell in GOOD.cells
        ),
    )
    assert breaches(searched, GOOD) == ()


def test_each_version_is_looked_at_alone() -> None:
    """Four of four steps of one are no "4 of 12" of three."""
    plan = pinned_of(campaign_of("workloads=[io]", "dagster=[1.13.27, 1.13.25, 1.13.26, latest]"))
    (breach,) = breaches(findings_of(plan, broke=OOM_AT_3))
    assert breach.red
    assert (breach.dagster, breach.steps, breach.of) == (NEWEST, 4, 4)


def test_an_invalid_step_breaks_nothing() -> None:
    void = replace(
        BAD,
        cells=tuple(
            replace(cell, steps=tuple(replace(step, verdict="invalid") for step in cell.steps))
            for cell in BAD.cells
        ),
    )
    assert breaches(void, GOOD) == ()


def test_cells_of_another_kind_say_nothing() -> None:
    other = findings_of(pinned_of(campaign_of("workloads=[io]", "max_workers=8")))
    other = replace(other, cells=tuple(replace(c, max_workers=8) for c in other.cells))
    (breach,) = breaches(without(BAD, BASELINE), other, other)
    assert breach.held == 0
    assert not breach.red


@pytest.mark.parametrize(
    ("preset", "loads"), [("nightly", (1, 3)), ("smoke", (1, 2)), ("quick", (1,))]
)
def test_equal_loads_are_those_every_cell_measures(preset: str, loads: tuple[int, ...]) -> None:
    assert equal_loads(load_campaign(preset_text(preset), source=preset)) == loads
