"""The live search, asked again over a cell that was really measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.model import Step
from harness.facts.store import read_cell
from harness.rig.protocols import Done, Opinion, StepOrder
from harness.scenarios import seeking
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


def told(*, upto: int) -> list[Opinion]:
    """What the search says of the first steps of the first cell, asked after each."""
    plan = campaign("{strategy: adaptive, confidence: 0.8}")
    cell, folder = cells(plan)[0]
    steps = [step for step in read_cell(folder).steps if step.kind != "warmup"]
    opinions: list[Opinion] = []
    seeker = Seeker(plan, cell, folder, earlier=(), host_cpus=2, tell=opinions.append)
    for known in range(upto + 1):
        seeker.next_step(steps[:known])
        seeker.next_step(steps[:known])
    return opinions


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


def test_each_judged_step_is_told_once_and_in_order() -> None:
    opinions = told(upto=4)
    assert [(each.kind, each.concurrency) for each in opinions] == [
        ("unloaded", 1), ("load", 7), ("load", 4), ("load", 5),
    ]  # fmt: skip
    assert [each.verdict for each in opinions] == ["pass", "fail", "pass", "fail"]
    assert [each.step for each in opinions] == [1, 2, 3, 4]


def test_an_opinion_carries_the_figures_of_its_step_and_what_broke() -> None:
    seven = told(upto=2)[-1]
    assert seven.broken == ("launch_s_p95", "slowdown_p95")
    assert seven.response_p95_s == pytest.approx(25, abs=1)
    assert seven.throughput_runs_per_s == pytest.approx(0.4, abs=0.05)
    assert seven.launch_p95_s is not None
    assert seven.slowdown_p95 is not None


def test_an_opinion_says_where_the_threshold_lies_by_the_steps_so_far() -> None:
    bounds = [(each.low, each.high) for each in told(upto=4)]
    assert bounds == [(1, None), (1, 5), (4, 5), (4, 5)]


@pytest.mark.parametrize("strategy", ["ladder", "bisect"])
def test_other_searches_ask_no_model(strategy: str) -> None:
    found, steps = seeker(f"{{strategy: {strategy}, concurrencies: [1, 2, 4]}}")
    order = found.next_step(steps[:1])
    assert isinstance(order, StepOrder)
    assert "model" not in order.reason


def test_a_search_that_is_taken_up_later_goes_on_as_if_it_had_never_stopped() -> None:
    asked_throughout, steps = seeker("{strategy: adaptive, confidence: 0.95}", earlier=1)
    for known in range(len(steps) + 1):
        taken_up, _ = seeker("{strategy: adaptive, confidence: 0.95}", earlier=1)
        assert taken_up.next_step(steps[:known]) == asked_throughout.next_step(steps[:known])


def test_the_model_is_asked_also_where_a_cell_goes_on_after_several_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeking, "earlier_guess", lambda *_, **__: 9)
    found, steps = seeker("{strategy: adaptive, confidence: 0.95}")
    passed = [step for step in steps if step.concurrency in (1, 4)][:2]
    order = found.next_step(passed)
    assert isinstance(order, StepOrder)
    assert (order.concurrency, order.reason) == (9, "the model expects 9")
