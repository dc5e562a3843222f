"""The campaigns that ship with the harness."""

from __future__ import annotations

import pytest

from harness.campaign.estimate import START_S, STOP_S, estimate_s
from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.loading import load_campaign, preset_names, preset_text
from harness.campaign.plan import Campaign
from harness.errors import CampaignError
from harness.units import GIB

pytestmark = pytest.mark.unit


def preset(name: str, *overrides: str) -> Campaign:
    return load_campaign(preset_text(name), source=name, overrides=overrides)


def test_there_are_three_presets() -> None:
    assert preset_names() == ("guide", "quick", "smoke")


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_loads_under_its_own_name(name: str) -> None:
    assert preset(name).name == name


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_begins_by_saying_what_it_answers_and_how_long_it_takes(name: str) -> None:
    comment = preset_text(name).partition("name:")[0]
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert comment.startswith("# Answers: ")
    assert "\n# Takes: " in comment


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_names_the_unloaded_step_itself(name: str) -> None:
    plan = preset(name)
    assert {plan.concurrencies(cell)[0] for cell in plan.cells()} == {1}


@pytest.mark.parametrize("name", ["quick", "smoke"])
def test_the_small_presets_fit_a_machine_with_two_cores(name: str) -> None:
    host = HostSize(cpus=2, memory_available_bytes=4 * GIB)
    assert fit_problems(preset(name).cells(), host) == []


def test_quick_takes_nine_minutes_when_ladders_stop_where_expected() -> None:
    stops = {"io": 10, "cpu": 2, "mixed": 4}
    plan = preset("quick")
    assert [workload.name for workload in plan.workloads] == list(stops)
    climbed = [
        f"workloads.{index}.concurrencies="
        f"{[rung for rung in workload.concurrencies or () if rung <= stops[workload.name]]}"
        for index, workload in enumerate(plan.workloads)
    ]
    assert estimate_s(preset("quick", *climbed)) <= 9 * 60
    assert estimate_s(plan) <= 13 * 60


def test_smoke_measures_for_less_than_half_a_minute() -> None:
    assert estimate_s(preset("smoke")) - START_S - STOP_S < 30


def test_guide_brackets_the_thresholds_the_guide_names() -> None:
    named = {"io": (20, 30), "mixed": (10, 15), "cpu": (4, 8), "long": (10, 10)}
    for workload in preset("guide").workloads:
        low, high = named[workload.name]
        ladder = workload.concurrencies or ()
        assert {low, high} <= set(ladder)
        assert ladder[0] < low
        assert ladder[-1] > high


def test_guide_has_the_sizes_and_workers_of_the_guide() -> None:
    plan = preset("guide")
    assert [p.name for p in plan.profiles] == ["2vcpu-4gb", "4vcpu-16gb", "8vcpu-32gb"]
    assert plan.max_workers == (20,)


@pytest.mark.parametrize("name", ["quik", "../plan", "quick.yaml", ""])
def test_an_unknown_preset_is_refused_with_the_known_names(name: str) -> None:
    with pytest.raises(CampaignError, match="There is no preset") as caught:
        preset_text(name)
    assert "guide, quick, smoke" in caught.value.evidence


def test_a_mistyped_preset_is_guessed() -> None:
    with pytest.raises(CampaignError) as caught:
        preset_text("quik")
    assert caught.value.hint == "Did you mean quick?"
