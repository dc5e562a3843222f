"""The live search, asked again over a cell that was really measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.model import Step
from harness.facts.store import read_cell
from harness.rig.protocols import Done, StepOrder
from harness.scenarios.seeking import Measured, Seeker

pytestmark = pytest.mark.unit

BASELINE = Path(__file__).resolve().parents[3] / "results/baselines/quick-compose"


def campaign(search: str) -> Campaign:
    text = (BASELINE / "campaign.yaml").read_text(encoding="utf-8")
    return load_campaign(text, source="baseline", overrides=[f"search={search}"])


def cells(plan: Campaign) -> list[tuple[CellPlan, CellFolder]]:
    return [(cell, ResultsFolder(BASELINE).cell(cell.id)) for cell in plan.cells()]


def seeker(search: str, *, earlier: int = 0) -> tuple[Seeker, list[Step]]:
    """The search of the cell after so many earlier ones, and the steps measured there."""
    plan = campaign(search)
    known = [Measured(cell=cell, folder=folder) for cell, folder in cells(plan)[:earlier]]
    cell, folder = cells(plan)[earlier]
    steps = [step for step in read_cell(folder).steps if step.kind != "warmup"]
    return Seeker(plan, cell, folder, earlier=known, host_cpus=2), steps


def minutes(steps: list[Step]) -> float:
    return (steps[-1].phases[-1].end_s - steps[0].phases[0].start_s) / 60


def test_one_run_alone_comes_first() -> None:
    order = seeker("{strategy: adaptive}")[0].next_step([])
    assert isinstance(order, StepOrder)
    assert (order.kind, order.concurrency, order.repetition) == ("unloaded", 1, 1)


def test_after_the_first_step_the_model_says_where_to_go() -> None:
    found, steps = seeker("{strategy: adaptive}")
    order = found.next_step(steps[:1])
    assert isinstance(order, StepOrder)
    assert order.kind == "load"
    assert order.reason.startswith("the model expects")


def test_a_repeated_concurrency_is_numbered() -> None:
    found, steps = seeker("{strategy: adaptive, confidence: 0.999}")
    tried = [step.concurrency for step in steps]
    order = found.next_step(steps)
    assert isinstance(order, StepOrder)
    assert order.repetition == 1 + tried.count(order.concurrency)


def test_without_time_for_another_step_it_ends_and_says_where_the_threshold_lies() -> None:
    _, steps = seeker("{strategy: adaptive}")
    spent = minutes(steps[:3])
    found, _ = seeker(f"{{strategy: adaptive, max_minutes: {spent:.3f}, confidence: 0.999}}")
    order = found.next_step(steps[:3])
    assert isinstance(order, Done)
    assert "minutes are spent; the threshold lies at" in order.reason


def test_the_last_step_that_time_allows_goes_to_what_can_be_shipped() -> None:
    """Tried so far: one run alone, and one concurrency that failed."""
    found, steps = seeker("{strategy: adaptive, max_minutes: 100}")
    failed = max(steps, key=lambda step: step.concurrency)
    sofar = [steps[0], failed]
    room = minutes(sofar) + 0.9
    found, _ = seeker(f"{{strategy: adaptive, max_minutes: {room:.3f}, confidence: 0.8}}")
    order = found.next_step(sofar)
    assert isinstance(order, StepOrder)
    assert order.reason.startswith("last step: ")
    assert 1 < order.concurrency < failed.concurrency


@pytest.mark.parametrize("strategy", ["ladder", "bisect"])
def test_other_searches_ask_no_model(strategy: str) -> None:
    found, steps = seeker(f"{{strategy: {strategy}, concurrencies: [1, 2, 4]}}")
    order = found.next_step(steps[:1])
    assert isinstance(order, StepOrder)
    assert "model" not in order.reason
