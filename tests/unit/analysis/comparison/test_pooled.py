"""What equal cells hold together, and how probable it is that one side holds fewer."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from factory_comparison import make_capacity, make_cell, make_slo, make_step

from harness.analysis.comparison.pooled import (
    compare_capacity,
    observation_in,
    pooled_capacity,
)
from harness.analysis.comparison.types import Rules
from harness.analysis.findings.types import CellFinding, StepFinding
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit

RULES = Rules()
SEARCHED = ("quick-compose", "quick-process", "sizing-check")


def step(concurrency: int, limit: float) -> StepFinding:
    """A step of a server whose slowdown meets its objective at `limit` runs."""
    margin = math.log(concurrency / limit)
    return make_step(
        concurrency,
        verdict="fail" if margin > 0 else "pass",
        broken=("slowdown_p95",) if margin > 0 else (),
        slo={"slowdown_p95": make_slo(margin), "no_oom": make_slo(None, ok=True)},
    )


def cells(
    limit: float, *, loads: tuple[int, ...] = (1, 3, 4, 5, 6), n: int = 2
) -> list[CellFinding]:
    return [make_cell(steps=[step(load, limit) for load in loads]) for _ in range(n)]


@pytest.mark.parametrize("name", SEARCHED)
def test_from_findings_comes_what_the_facts_said(name: str, repo_root: Path) -> None:
    path = repo_root / "results/baselines" / name / "findings.json"
    for cell in findings_from(json.loads(path.read_text(encoding="utf-8"))).cells:
        found, was = pooled_capacity([cell]), cell.capacity
        assert (found.concurrency, found.low, found.high, found.status) == (
            was.concurrency, was.low, was.high, was.status,
        )  # fmt: skip
        assert found.probability == pytest.approx(was.probability)
        assert (found.first_failing, found.broken_slo) == (was.first_failing, was.broken_slo)
        assert found.binding == was.binding


def test_a_margin_beyond_all_bounds_has_only_broken() -> None:
    lost = make_step(
        4, verdict="fail",
        slo={"launch_s_p95": make_slo(None, ok=False), "slowdown_p95": make_slo(-0.1)},
    )  # fmt: skip
    seen = observation_in(lost)
    assert (seen.margins, seen.bare_ok) == ({"slowdown_p95": -0.1}, False)
    undecided = observation_in(make_step(4, slo={"no_oom": make_slo(None)}, verdict="pass"))
    assert undecided.bare_ok is True


def test_more_cells_are_surer() -> None:
    one, four = (pooled_capacity(cells(4.5, n=n)) for n in (1, 4))
    assert (one.concurrency, four.concurrency) == (4, 4)
    assert one.probability is not None
    assert four.probability is not None
    assert four.probability > one.probability
    assert four.steps == 4 * one.steps


def test_a_server_that_holds_fewer_is_worse() -> None:
    found = compare_capacity(cells(5.5), cells(3.5), RULES)
    assert (found.baseline.concurrency, found.contender.concurrency) == (5, 3)
    assert found.lower is not None
    assert found.lower > 0.95
    assert found.verdict == "worse"
    back = compare_capacity(cells(3.5), cells(5.5), RULES)
    assert (back.lower, back.higher) == (
        pytest.approx(found.higher), pytest.approx(found.lower),
    )  # fmt: skip
    assert back.verdict == "better"


def test_equal_servers_are_the_same() -> None:
    found = compare_capacity(cells(4.5), cells(4.5), RULES)
    assert found.verdict == "same"
    assert found.lower == pytest.approx(found.higher)


def test_a_limit_on_the_edge_cannot_be_told() -> None:
    found = compare_capacity(cells(4.0), cells(4.0), RULES)
    assert found.verdict == "cannot_tell"
    assert "more steps are needed" in found.why


def test_where_nothing_broke_nothing_is_said() -> None:
    found = compare_capacity(cells(40.0), cells(40.0), RULES)
    assert found.baseline.status == "above_max"
    assert found.verdict == "cannot_tell"
    assert "nothing broke" in found.why


def test_a_server_that_broke_is_worse_than_one_that_did_not() -> None:
    assert compare_capacity(cells(40.0), cells(2.5), RULES).verdict == "worse"


def test_a_side_that_was_tried_less_far_is_not_worse() -> None:
    """Only the prior would say so."""
    far, near = cells(200.0, loads=(1, 4, 16, 64), n=4), cells(200.0, loads=(1,), n=4)
    found = compare_capacity(far, near, RULES)
    assert found.contender.high is None
    assert found.verdict == "cannot_tell"
    assert compare_capacity(near, far, RULES).verdict == "cannot_tell"
    assert compare_capacity(cells(3.5), near, RULES).verdict != "worse"


def test_a_starved_cell_says_nothing_of_the_server() -> None:
    starved = make_cell(
        steps=[step(1, 1.1), step(3, 1.1)],
        capacity=make_capacity(
            concurrency=None, status="invalid", binding="control_plane", evidence=("database full",)
        ),
    )
    assert pooled_capacity([*cells(4.5), starved]).concurrency == 4
    alone = pooled_capacity([starved])
    assert (alone.status, alone.binding) == ("invalid", "control_plane")
    found = compare_capacity([starved], cells(4.5), RULES)
    assert (found.lower, found.higher, found.verdict) == (None, None, "cannot_tell")
    assert found.why == "the baseline has no capacity"


def test_without_a_judged_step_there_is_no_capacity() -> None:
    doubtful = make_cell(steps=[make_step(4, verdict="invalid")])
    found = compare_capacity([doubtful], [doubtful], RULES)
    assert found.why == "the baseline and the contender have no capacity"
    assert found.verdict == "cannot_tell"


def test_what_binds_is_what_most_cells_name() -> None:
    named = [
        make_cell(steps=[step(3, 4.5), step(6, 4.5)], capacity=make_capacity(binding=limit))
        for limit in ("memory", "launch_cpu", "launch_cpu", None)
    ]
    assert pooled_capacity(named).binding == "launch_cpu"
