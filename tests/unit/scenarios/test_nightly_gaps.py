"""What a night was to measure and did not: it is never green then, and names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from factory_nightly import NEWEST, World, campaign_of, findings_of, judged_step, pinned_of

from harness.analysis.comparison.values import cell_values
from harness.errors import ExitCode
from harness.scenarios.nightly.gaps import gaps_in

pytestmark = pytest.mark.unit

PLAN = pinned_of(campaign_of("workloads=[io]"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(root=tmp_path / "results").install(monkeypatch)


def test_a_version_whose_runs_hang_does_not_pass_for_a_good_one(world: World) -> None:
    world.judged = findings_of(world.plan(), hung=NEWEST)
    summary = world.night("nightly.retries=0")
    assert (summary.status, summary.exit_code) == ("grey", ExitCode.INCONCLUSIVE)
    gap = f"Dagster {NEWEST}, io on 1vcpu-2gb: no valid step in 4 rounds"
    assert gap in summary.unknown
    assert summary.headline.startswith(f"GREY: nobody can tell: {gap}")


def test_a_baseline_without_a_valid_step_is_a_gap_too() -> None:
    (gap,) = gaps_in(findings_of(PLAN, hung="1.13.27"), PLAN)
    assert gap.startswith("Dagster 1.13.27, io")


def test_one_valid_round_is_enough() -> None:
    hung, good = findings_of(PLAN, hung=NEWEST), findings_of(PLAN)
    assert gaps_in(good, PLAN) == ()
    first = next(n for n, cell in enumerate(hung.cells) if cell.dagster == NEWEST)
    cells = tuple(good.cells[n] if n == first else cell for n, cell in enumerate(hung.cells))
    assert gaps_in(replace(hung, cells=cells), PLAN) == ()


def test_a_load_that_all_measure_and_one_version_has_not_is_named() -> None:
    good = findings_of(PLAN)
    cells = tuple(
        replace(cell, steps=(judged_step(1), judged_step(3, verdict="invalid")))
        if cell.dagster == NEWEST else cell
        for cell in good.cells
    )  # fmt: skip
    (gap,) = gaps_in(replace(good, cells=cells), PLAN)
    assert gap == f"Dagster {NEWEST}, io on 1vcpu-2gb: no valid step at 3 runs in 4 rounds"


def test_what_a_search_tried_beyond_the_equal_loads_is_no_gap() -> None:
    good = findings_of(PLAN)
    beyond = tuple(
        replace(cell, steps=(*cell.steps, judged_step(9, verdict="invalid"))) for cell in good.cells
    )
    assert gaps_in(replace(good, cells=beyond), PLAN) == ()


def test_a_version_that_was_not_measured_at_all_is_a_gap() -> None:
    good = findings_of(PLAN)
    cells = tuple(cell for cell in good.cells if cell.dagster != NEWEST)
    assert len(gaps_in(replace(good, cells=cells), PLAN)) == 1


def test_nothing_is_known_of_a_cell_without_a_valid_step() -> None:
    """Else figures of the whole cell would turn a night red in which nothing counts."""
    void = findings_of(PLAN, void=True).cells[0]
    assert {known.value for known in cell_values(void).values()} == {None}
