"""A cell that is measured several times: equal loads first, then one boundary for all."""

from __future__ import annotations

import pytest

from harness.analysis.search.base import Aim, Finished, Observation, Probe
from harness.analysis.search.shared import shared

pytestmark = pytest.mark.unit

AIM = Aim(grid=tuple(range(1, 17)), confidence=0.8, max_steps=3)


def seen(concurrency: int, margin: float) -> Observation:
    return Observation(
        concurrency=concurrency,
        verdict="fail" if margin > 0 else "pass",
        margins={"slowdown_p95": margin},
        runs=12,
    )


def asked(found: Probe | Finished) -> int:
    assert isinstance(found, Probe), found
    return found.concurrency


def test_every_cell_measures_one_run_alone_then_the_equal_loads_whatever_they_show() -> None:
    search = shared(AIM, always=(1, 3), before=())
    assert asked(search([])) == 1
    assert asked(search([seen(1, -0.9)])) == 3
    broken = shared(AIM, always=(3, 6), before=())
    assert asked(broken([seen(1, -0.9), seen(3, 0.8)])) == 6


def test_one_run_alone_comes_first_also_where_it_is_no_equal_load() -> None:
    assert asked(shared(AIM, always=(3,), before=())([])) == 1


def test_what_equal_cells_showed_says_where_the_boundary_is() -> None:
    before = [seen(1, -0.9), seen(3, -0.2), seen(8, 0.6)]
    alone = [seen(1, -0.9), seen(3, -0.2)]
    assert asked(shared(AIM, always=(1, 3), before=before)(alone)) in (4, 5, 6)
    assert asked(shared(AIM, always=(1, 3), before=())(alone)) not in (1, 3)


def test_a_cell_ends_with_its_own_steps_however_many_its_equals_had() -> None:
    before = [seen(each, -0.5) for each in (1, 3, 4)] * 5
    own = [seen(1, -0.9), seen(3, -0.2), seen(4, -0.1)]
    ended = shared(AIM, always=(1, 3), before=before)(own)
    assert isinstance(ended, Finished)
    assert "3 steps" in ended.reason
