from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from factory import Rung, make_cell, make_facts
from factory_model import make_model

from harness.analysis.judging import judge_cell
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.fitting import kind_of
from harness.analysis.model.guess import earlier_guess, first_guess
from harness.analysis.model.resources import Resources, resources_of
from harness.facts.layout import ResultsFolder
from harness.facts.store import read_cell
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

SLOS = make_cell().slos


def unloaded(facts: CellFacts) -> tuple[list[StepSummary], Resources]:
    """What is known after the unloaded steps."""
    known = [step for step in facts.steps if step.kind in ("warmup", "unloaded")]
    early = replace(facts, steps=known)
    summaries = [step.summary for step in judge_cell(early).steps]
    return summaries, resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)


def guess(facts: CellFacts, **changes: int) -> int | None:
    summaries, resources = unloaded(facts)
    return first_guess(facts.cell, summaries, resources, facts.cell.slos, **changes)


@pytest.fixture
def early() -> CellFacts:
    """A cell after its unloaded step."""
    return make_facts([Rung(concurrency=1, kind="unloaded")])


def test_one_unloaded_step_is_enough_for_a_guess(early: CellFacts) -> None:
    """0.05 CPU-s a run, so memory gives out first: 132 MiB idle, 220 at one run, 88 a run."""
    assert guess(early) == (0.9 * 2048 - 132) // 88


def test_the_guess_keeps_to_the_grid(early: CellFacts) -> None:
    assert guess(early, highest=6) == 6


@pytest.mark.parametrize("lacking", [{"launch_cpu_s": None}, {"peak": None}])
def test_there_is_no_guess_without_the_costs_of_a_run(
    early: CellFacts, lacking: dict[str, None]
) -> None:
    summaries, resources = unloaded(early)
    blind = replace(resources, **lacking)  # type: ignore[arg-type]
    assert first_guess(early.cell, summaries, blind, SLOS) is None


def test_memory_nobody_limits_need_not_be_known(early: CellFacts) -> None:
    summaries, resources = unloaded(early)
    free = replace(early.cell, limits_enforced=False)
    assert first_guess(free, summaries, replace(resources, peak=None), SLOS) is not None


def test_a_guess_is_never_below_one(early: CellFacts) -> None:
    summaries, resources = unloaded(early)
    tiny = {**SLOS, "launch_s_p95": 0.001}
    assert first_guess(early.cell, summaries, resources, tiny) == 1


BASELINES: Sequence[tuple[str, str]] = [
    (target, workload)
    for target in ("quick-compose", "quick-process")
    for workload in ("io", "cpu", "mixed")
]


@pytest.mark.parametrize(("baseline", "workload"), BASELINES)
def test_the_guess_comes_near_what_the_baselines_hold(
    baseline: str, workload: str, repo_root: Path
) -> None:
    folders = ResultsFolder(repo_root / "results/baselines" / baseline).cell_folders()
    facts = next(facts for facts in map(read_cell, folders) if facts.cell.workload == workload)
    steps = judge_cell(facts).steps
    broke = min(step.summary.concurrency for step in steps if step.verdict == "fail")
    held = max(step.summary.concurrency for step in steps if step.verdict == "pass")
    found = guess(facts)
    assert found is not None
    assert held - 1 <= found <= 1.5 * broke, "the truth lies between what held and what broke"


def test_earlier_cells_of_the_same_kind_give_a_guess_before_any_step() -> None:
    cell = make_cell()
    model = make_model(kind=kind_of(cell))
    found = earlier_guess([model, make_model()], cell, SLOS)
    assert found == 8
    assert earlier_guess([model], replace(cell, vcpu=2.0), SLOS, highest=500) > found  # type: ignore[operator]


def test_cells_of_another_kind_give_none() -> None:
    assert earlier_guess([make_model()], make_cell(), SLOS) is None
    assert earlier_guess([], make_cell(), SLOS) is None


def test_replicas_share_the_guess_and_its_ceiling() -> None:
    cell = make_cell(replicas=2)
    model = make_model(kind=kind_of(cell))
    one = earlier_guess([model], make_cell(), SLOS)
    assert one is not None
    assert earlier_guess([model], cell, SLOS) == 2 * one
    assert earlier_guess([model], cell, SLOS, highest=5) == 5
