"""What a search on a small server says of it, and of the guide's sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_cell_models import told_of

from harness.campaign.plan import Campaign
from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.residency_figures import figures
from harness.scenarios.guides.residency_ladder import _long, _short

pytestmark = pytest.mark.unit

LAUNCHES = Observation(
    what="server_cpu", at_s=0.0, values={"launches": 10, "own_cpu_s": 0.5, "all_cpu_s": 25.0}
)
HELD = {
    "concurrency": 4, "low": 4, "high": 5, "first_failing": 7, "status": "bracketed", "steps": 4,
    "evidence": [],
}  # fmt: skip


def cell(capacity: dict[str, Any], *, predicted: int | None = 6) -> Observation:
    values = {
        "cell": "one", "workload": "io", "capacity": {**HELD, **capacity}, "model": None,
        "predicted": None if predicted is None else {"concurrency": predicted},
        "binding": {"limit": "launch_cpu"},
    }  # fmt: skip
    return Observation(what="cell", at_s=0.0, values=values)


@pytest.fixture(scope="module")
def told(repo_root: Path) -> list[Observation]:
    return [*told_of(repo_root), LAUNCHES]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("io_1vcpu", 4), ("io_1vcpu_low", 4), ("io_1vcpu_high", 5), ("io_launch_binds", 1),
        ("cpu_1vcpu", 1), ("mixed_1vcpu", 3), ("cpu_4vcpu", 7), ("cpu_8vcpu", 15),
        ("long_2vcpu", 31), ("server_cpu_s", 0.05), ("gil_vcpu", 50),
    ],
)  # fmt: skip
def test_figures_are_those_of_the_committed_baseline(
    told: list[Observation], name: str, expected: float
) -> None:
    assert figures(Observations(told))[name].value == expected


def test_sizes_that_were_not_measured_are_labelled(told: list[Observation]) -> None:
    found = figures(Observations(told))
    assert not found["io_1vcpu"].predicted
    assert all(figure.predicted for name, figure in found.items() if name.endswith("8vcpu"))


def test_longer_runs_of_a_kind_are_more_at_once(told: list[Observation]) -> None:
    found = figures(Observations(told))
    short, measured, long = (
        found[name].value or 0.0 for name in ("io_1s_4vcpu", "io_4vcpu", "io_45s_4vcpu")
    )
    assert short < measured < long


@pytest.mark.parametrize(
    ("capacity", "foreseen", "value", "predicted"),
    [
        ({}, 9, 4, False),
        ({"concurrency": 1, "high": 11}, 6, 6, True),
        ({"concurrency": 1, "high": 11}, 14, 11, True),
        ({"concurrency": 8, "high": None, "status": "above_max"}, 6, 8, True),
        ({"concurrency": 8, "high": None, "status": "above_max"}, None, 8, False),
        ({"concurrency": 0, "high": 1, "status": "below_min"}, 3, 0, False),
        ({"concurrency": None, "status": "invalid", "evidence": ["busy"]}, 3, None, False),
    ],
)
def test_a_search_that_ended_wide_open_is_filled_in_by_the_model(
    capacity: dict[str, Any], foreseen: int | None, value: float | None, predicted: bool
) -> None:
    found = figures(Observations([cell(capacity, predicted=foreseen)]))["io_1vcpu"]
    assert (found.value, found.predicted) == (value, predicted)


def test_a_cell_without_a_capacity_says_why() -> None:
    invalid = {"concurrency": None, "status": "invalid", "evidence": ["the machine was busy"]}
    found = figures(Observations([cell(invalid)]))
    assert found["io_1vcpu"].why == "the machine was busy"
    assert found["io_8vcpu"].value is None


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


@pytest.mark.parametrize("settings", [_short(quick=False), _short(quick=True), _long()])
def test_what_is_measured_is_a_campaign(settings: dict[str, Any]) -> None:
    campaign = Campaign.model_validate({"target": "compose", **settings})
    assert all(cell.profile.name == "1vcpu-2gb" for cell in campaign.cells())
