"""The campaigns that ship with the harness."""

from __future__ import annotations

import pytest

from harness.campaign.budget import fit
from harness.campaign.estimate import (
    START_S,
    STOP_S,
    estimate_s,
    longest_s,
    most_steps,
    steps_of,
)
from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.loading import dump_campaign, load_campaign, preset_names, preset_text
from harness.campaign.plan import Campaign
from harness.errors import CampaignError
from harness.units import GIB

pytestmark = pytest.mark.unit


def preset(name: str, *overrides: str) -> Campaign:
    return load_campaign(preset_text(name), source=name, overrides=overrides)


SMALL = (
    "arrivals", "burst", "compare", "day", "nightly", "quick", "smoke", "threshold", "workers"
)  # fmt: skip


def test_the_presets_are_known_by_name_in_alphabetical_order() -> None:
    assert preset_names() == (
        "arrivals", "burst", "compare", "day", "guide", "nightly", "quick", "smoke", "threshold",
        "workers",
    )  # fmt: skip


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_loads_under_its_own_name_and_survives_being_stored(name: str) -> None:
    plan = preset(name)
    assert plan.name == name
    assert plan.description
    assert load_campaign(dump_campaign(plan), source="dump") == plan


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_begins_by_saying_what_it_answers_how_long_it_takes_and_what_it_needs(
    name: str,
) -> None:
    comment = preset_text(name).partition("\nname:")[0]
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert comment.startswith("# Answers: ")
    assert "\n# Takes: " in comment
    assert "\n# Needs: " in comment


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_names_the_unloaded_step_itself(name: str) -> None:
    plan = preset(name)
    assert {plan.concurrencies(cell)[0] for cell in plan.cells()} == {1}


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_states_its_strategy(name: str) -> None:
    assert "\nsearch:" in preset_text(name)


@pytest.mark.parametrize("name", SMALL)
def test_all_but_the_guide_fit_a_machine_with_two_cores(name: str) -> None:
    host = HostSize(cpus=2, memory_available_bytes=4 * GIB)
    assert fit_problems(preset(name).cells(), host) == []


@pytest.mark.parametrize(
    ("name", "low_min", "high_min"),
    [
        ("arrivals", 45, 55),
        ("burst", 15, 20),
        ("day", 11, 21),
        ("guide", 290, 310),
        ("nightly", 33, 36),
        ("threshold", 34, 65),
        ("workers", 14, 16),
    ],
)
def test_a_preset_takes_as_long_as_its_header_says(
    name: str, low_min: float, high_min: float
) -> None:
    plan = preset(name)
    assert low_min * 60 <= estimate_s(plan) <= longest_s(plan) <= high_min * 60


def test_quick_ends_within_nine_and_a_half_minutes_whatever_its_searches_find() -> None:
    plan = preset("quick")
    assert [workload.name for workload in plan.workloads] == ["io", "cpu", "mixed"]
    assert plan.search.strategy == "adaptive"
    assert estimate_s(plan) <= longest_s(plan) <= 9.5 * 60


def test_each_search_of_quick_has_time_for_an_answer() -> None:
    """The unloaded step, and three that can tell a boundary."""
    plan = preset("quick")
    assert most_steps(plan) >= 4


def test_the_grids_of_quick_and_threshold_go_beyond_what_the_small_server_holds() -> None:
    held = {"io": 6, "cpu": 1, "mixed": 3}  # the committed baselines
    for name in ("quick", "threshold"):
        for workload in preset(name).workloads:
            grid = workload.concurrencies or ()
            assert grid == tuple(range(1, len(grid) + 1))
            assert grid[-1] >= 3 * held[workload.name]


def test_threshold_asks_what_quick_asks_and_wants_to_be_surer() -> None:
    quick, threshold = preset("quick"), preset("threshold")
    assert threshold.workloads == quick.workloads
    assert threshold.profiles == quick.profiles
    assert threshold.search.confidence > quick.search.confidence
    assert threshold.step.hold_s > quick.step.hold_s


def test_the_servers_of_workers_differ_in_nothing_else_and_all_take_the_same_steps() -> None:
    plan = preset("workers")
    cells = list(plan.cells())
    assert [cell.max_workers for cell in cells] == [1, 2, 4, 8, 16]
    assert {cell.model_copy(update={"max_workers": 0}).id for cell in cells} == {
        "1vcpu-2gb_io_1.13.27_w0_r1_direct"
    }
    assert plan.load.model == "burst"
    assert all(cell.workload.sensors and cell.needs_daemon for cell in cells)
    assert plan.search.stop_after_failures > len(steps_of(plan, cells[0]))


def test_arrivals_brackets_the_guides_example_and_its_peak() -> None:
    plan = preset("arrivals")
    (cell,) = plan.cells()
    duration_s, runs_per_hour, peak = 45, 200, 2.5
    concurrency = duration_s / 3600 * runs_per_hour
    offered = plan.concurrencies(cell)
    assert (plan.load.model, plan.load.run_s) == ("poisson", duration_s)
    for wanted in (concurrency, concurrency * peak):
        assert offered[0] < wanted < offered[-1]
    assert "80 runs an hour here" in preset_text("arrivals").replace("\n# ", " ")
    assert 3600 / duration_s == 80


def test_burst_compares_a_limit_with_none_under_a_burst_the_daemon_does_not_stretch() -> None:
    plan = preset("burst")
    assert plan.max_concurrent_runs == (None, 6)
    assert (plan.feed, plan.load.model) == ("queued", "burst")
    assert (plan.queue.dequeue_threads or 1) > 1
    grid = plan.workloads[0].concurrencies or ()
    assert grid[-1] >= 3 * 6


def test_a_run_of_burst_may_wait_in_the_queue_and_a_dead_server_may_not() -> None:
    slos = preset("burst").slos
    assert (slos.launch_s_p95, slos.slowdown_p95) == (None, None)
    assert None not in (slos.no_oom, slos.failed_runs, slos.memory_headroom, slos.probe_s_p99)


def test_day_mixes_the_three_kinds_of_runs_beside_sensors() -> None:
    (workload,) = preset("day").workloads
    assert {part.workload: part.share for part in workload.mix} == {
        "io": 0.7, "cpu": 0.2, "mixed": 0.1
    }  # fmt: skip
    assert workload.sensors
    assert workload.package == "blend"


def test_nightly_is_compare_with_the_newest_beside_a_pinned_version_and_fits_its_budget() -> None:
    nightly, compare = preset("nightly"), preset("compare", "dagster=[1.13.27, latest]")
    same = {"workloads", "profiles", "max_workers", "search", "slos"}
    assert nightly.model_dump(include=same) == compare.model_dump(include=same)
    assert (nightly.dagster, nightly.baseline_version) == (("1.13.27", "latest"), "1.13.27")
    budget_minutes = nightly.nightly.budget_minutes
    assert budget_minutes is not None
    assert fit(nightly, budget_minutes * 60) == (nightly, ())
    alone = preset("nightly", "dagster=[1.13.27]", "baseline=null")
    assert "about 18 minutes" in preset_text("nightly").replace("\n# ", " ")
    assert 16.5 * 60 <= estimate_s(alone) <= 18.5 * 60


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
    assert "guide, nightly, quick, smoke, threshold" in caught.value.evidence


def test_a_mistyped_preset_is_guessed() -> None:
    with pytest.raises(CampaignError) as caught:
        preset_text("quik")
    assert caught.value.hint == "Did you mean quick?"
