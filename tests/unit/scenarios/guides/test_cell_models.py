"""A cell's model from its observations is the model the product made of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.cell_models import Size, at, model_of, models

pytestmark = pytest.mark.unit

BASELINE = "results/baselines/quick-compose/findings.json"
SMALL = Size(vcpu=1, memory_gib=2)


def told_of(root: Path) -> list[Observation]:
    """The observations a campaign of these findings would have left."""
    found = []
    for cell in json.loads((root / BASELINE).read_text(encoding="utf-8"))["cells"]:
        steps = cell.pop("steps")
        about = {"cell": cell["id"], "workload": cell["workload"]}
        found.append(Observation(what="cell", at_s=0.0, values={**cell, **about}))
        found += [Observation(what="step", at_s=0.0, values={**step, **about}) for step in steps]
    return found


@pytest.fixture(scope="module")
def told(repo_root: Path) -> Observations:
    return Observations(told_of(repo_root))


def cell_and_steps(told: Observations, **changes: Any) -> tuple[dict[str, Any], list[Any]]:
    cell = dict(told.of("cell", workload="io")[0])
    return {**cell, **changes}, told.of("step", workload="io")


def test_on_the_same_size_it_predicts_what_was_predicted(told: Observations) -> None:
    found = models(told)
    for cell in told.of("cell"):
        again = at(found[cell["workload"]], SMALL)
        assert again is not None
        assert dataclasses.asdict(again)["concurrency"] == cell["predicted"]["concurrency"]
        assert again.binding == cell["predicted"]["binding"]


def test_more_vcpu_and_longer_runs_hold_more(told: Observations) -> None:
    model = models(told)["io"]
    small, large = (at(model, size) for size in (SMALL, Size(vcpu=4, memory_gib=16)))
    long = at(model, SMALL, run_s=300.0)
    assert small
    assert large
    assert long
    assert small.concurrency < long.concurrency < large.concurrency
    assert (small.binding, long.binding) == ("launch_cpu", "memory")


def test_a_cell_that_measured_something_else_has_no_model(told: Observations) -> None:
    cell, steps = cell_and_steps(told)
    assert model_of(cell, steps) is not None
    capacity = {**cell["capacity"], "status": "invalid"}
    assert model_of({**cell, "capacity": capacity}, steps) is None


def test_without_a_model_or_a_run_alone_there_is_none(told: Observations) -> None:
    cell, steps = cell_and_steps(told, model=None)
    assert model_of(cell, steps) is None
    cell, steps = cell_and_steps(told)
    assert model_of(cell, [step for step in steps if step["kind"] != "unloaded"]) is None


def test_where_no_load_was_seen_tails_are_typical(told: Observations) -> None:
    cell, steps = cell_and_steps(told)
    unknown = {"value": 1.0, "low": None, "high": None, "n": 0}
    blind = {**cell["model"], "tail_response": unknown, "tail_launch": unknown}
    model = model_of({**cell, "model": blind}, steps)
    assert model is not None
    assert model.tail_response.value > 1
    assert model.tail_launch.value > 1
