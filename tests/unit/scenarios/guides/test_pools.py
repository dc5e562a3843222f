"""What stamps of runs say of the limit of a pool."""

from __future__ import annotations

import pytest
from factory_queued_runs import queued_run, seen

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.pools import figures

pytestmark = pytest.mark.unit


def pool_run(group: str, at: float) -> Observation:
    """The op in the pool takes two of the run's ten seconds."""
    steps = {"step_starts": [at + 1, at + 3], "step_ends": [at + 3, at + 9]}
    return queued_run(group, at, at + 10, **steps)


SEEN = (
    seen("limit", said="Set concurrency limit for database to 1.", slots=1),
    pool_run("unlimited", 0), pool_run("unlimited", 1),
    *(pool_run("unset", at) for at in (0, 4, 8)),
    *(pool_run("run", at) for at in (0, 11)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pool_limit", 1), ("ops_at_once_unlimited", 2), ("ops_at_once_unset", 1),
        ("runs_at_once_unset", 3), ("runs_at_once_run", 1), ("ops_at_once_run", 1),
        ("run_every_s_unset", 6), ("run_every_s_run", 10.5),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert figures(Observations(SEEN))[name].value == expected


def test_a_granularity_that_was_not_tried_has_no_figures() -> None:
    assert "runs_at_once_op" not in figures(Observations(SEEN))


def test_a_run_that_never_ended_leaves_the_pace_unknown() -> None:
    unended = [pool_run("unset", 0), queued_run("unset", 4, None)]
    found = figures(Observations(unended))
    assert found["run_every_s_unset"].value is None
    assert found["runs_at_once_unset"].value == 2


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
