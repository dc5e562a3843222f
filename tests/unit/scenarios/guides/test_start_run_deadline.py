"""What Dagster says of runs whose launch was late, against what their processes did."""

from __future__ import annotations

from typing import Any

import pytest
from kept_observations import kept

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.start_run_deadline import SCENARIO
from harness.scenarios.guides.start_run_deadline_figures import figures

pytestmark = pytest.mark.unit

ABOUT = {"server": "many", "retries": 0}


def run(**changes: Any) -> Observation:
    """A run that went well."""
    values = {
        **ABOUT, "status": "SUCCESS", "processes": 1, "starts": 1, "finished": 1,
        "too_late": 0, "error_class": None, "error": "",
    }  # fmt: skip
    return Observation(what="run", at_s=0.0, values={**values, **changes})


def burst(**changes: Any) -> Observation:
    values = {**ABOUT, "runs": 6, "accepted": 6, "workers": 32, "used_s": 9.0, "settled": True}
    return Observation(what="burst", at_s=0.0, values={**values, **changes})


LATE = {"status": "FAILURE", "too_late": 1, "starts": 0, "finished": 0}
SEEN = (
    burst(), run(), run(processes=2, starts=2), run(**LATE), run(**{**LATE, "processes": 0}),
    run(status="FAILURE"), run(status="STARTED", finished=0),
)  # fmt: skip


def value(name: str, *seen: Observation) -> float | None:
    return figures(Observations(seen or SEEN))[name].value


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("succeeded", 2), ("failed", 3), ("failed_unlaunched", 1), ("failed_though_launched", 2),
        ("failed_though_finished", 1), ("launched_twice", 1), ("executed_twice", 1),
        ("past_deadline", 2), ("unended", 1),
    ],
)  # fmt: skip
def test_runs_are_counted_by_what_is_said_and_what_was_done(what: str, expected: int) -> None:
    assert value(f"{what}_many_0") == expected


def test_how_many_starts_a_deadline_allows_follows_from_the_cpu_of_one() -> None:
    found = figures(Observations(SEEN))
    assert found["start_cpu_s"].value == pytest.approx(1.5)
    assert found["starts_in_deadline"].value == pytest.approx(5.0 / 1.5)
    assert found["starts_in_60_s"].value == pytest.approx(40.0)
    assert found["starts_in_60_s"].predicted


def test_a_burst_that_never_settled_is_not_counted() -> None:
    assert value("failed_many_0", burst(settled=False), run()) is None


def test_bursts_are_told_apart() -> None:
    other = {"server": "few", "retries": 3}
    seen = (*SEEN, burst(**other), run(**other))
    assert value("succeeded_few_3", *seen) == 1
    assert value("succeeded_many_0", *seen) == 2


def test_nothing_seen_is_nothing_known() -> None:
    assert figures(Observations()) == {}


def test_a_real_quick_run_has_runs_that_only_seemed_to_fail() -> None:
    found = figures(kept(SCENARIO.name))
    assert (found["failed_though_launched_many_0"].value or 0) > 0
    assert all(figure.value is not None for figure in found.values())
