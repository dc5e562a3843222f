"""A campaign that is too long for the night is shortened by rule, and says how."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.budget import fit
from harness.campaign.estimate import estimate_s
from harness.campaign.loading import dump_campaign, load_campaign, preset_names, preset_text
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, ExitCode

pytestmark = pytest.mark.unit


def preset(name: str = "nightly", *overrides: str) -> Campaign:
    return load_campaign(preset_text(name), source=name, overrides=overrides)


def share_of(plan: Campaign, share: float) -> float:
    return share * estimate_s(plan)


def test_what_fits_stays_as_it_is_and_nothing_is_said() -> None:
    plan = preset()
    assert fit(plan, estimate_s(plan)) == (plan, ())


def test_repetitions_go_first_and_no_more_of_them_than_needed() -> None:
    plan = preset()
    shorter, said = fit(plan, share_of(plan, 0.8))
    assert shorter == plan.model_copy(update={"repetitions": 3})
    assert said == (
        "3 instead of 4 repetitions of every cell: about 25 min 31 s in all instead of 34 min 2 s.",
    )


def test_then_the_search_gives_way_and_the_equal_loads_stay() -> None:
    plan = preset()
    shorter, said = fit(plan, share_of(plan, 0.6))
    assert (shorter.repetitions, shorter.search.max_steps) == (3, 2)
    assert shorter.search.always == (1, 3)
    assert shorter.workloads == plan.workloads
    assert said[0].startswith("3 instead of 4 repetitions of every cell")
    assert said[1].startswith("Only the equal loads 1 and 3, at most 2 instead of 3 steps a cell")


def test_then_workloads_from_the_end_and_one_is_kept() -> None:
    plan = preset()
    shorter, said = fit(plan, share_of(plan, 0.35))
    assert [workload.name for workload in shorter.workloads] == ["io"]
    assert said[2].startswith("Without cpu: about ")


def test_what_does_not_fit_at_all_is_refused_with_the_least_it_needs() -> None:
    plan = preset()
    with pytest.raises(CampaignError, match="nightly does not fit into 5 min") as caught:
        fit(plan, 300)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert "It takes about 34 min 2 s" in caught.value.evidence
    assert "--budget 10m" in caught.value.hint
    shorter, _ = fit(plan, 10 * 60)
    assert len(list(shorter.cells())) == 6


def test_of_single_cells_none_is_repeated_less() -> None:
    plan = preset("threshold")
    shorter, said = fit(plan, share_of(plan, 0.6))
    assert shorter.repetitions == 1
    assert said[0].startswith("At most ")
    assert shorter.search.max_steps >= 4


def test_a_search_without_equal_loads_keeps_four_steps_and_then_workloads_go() -> None:
    plan = preset("threshold")
    shorter, said = fit(plan, share_of(plan, 0.25))
    assert shorter.search.max_steps == 4
    assert said[-1].startswith("Without ")


def test_a_ladder_repeats_its_rungs_less_and_keeps_them_all() -> None:
    plan = preset(
        "quick", "search={strategy: ladder, concurrencies: [1, 4], repetitions: 3}",
        "workloads=[io]",
    )  # fmt: skip
    shorter, said = fit(plan, share_of(plan, 0.8))
    assert shorter.search.repetitions == 2
    assert shorter.search.concurrencies == (1, 4)
    assert said[0].startswith("2 instead of 3 repetitions of every rung")


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(preset_names()),
    repetitions=st.integers(1, 6),
    share=st.floats(0.05, 1.2),
)
def test_whatever_fits_fits_and_what_makes_steps_comparable_is_never_touched(
    name: str, repetitions: int, share: float
) -> None:
    plan = preset(name, f"repetitions={repetitions}")
    try:
        shorter, said = fit(plan, share_of(plan, share))
    except CampaignError:
        assert share < 1
        return
    assert estimate_s(shorter) <= share_of(plan, share)
    assert bool(said) == (shorter != plan)
    kept: dict[str, Any] = {"step", "load", "profiles", "dagster", "slos", "warmup_runs"}
    assert shorter.model_dump(include=kept) == plan.model_dump(include=kept)
    assert shorter.search.always == plan.search.always
    assert shorter.workloads == plan.workloads[: len(shorter.workloads)]
    assert shorter.repetitions >= min(2, plan.repetitions)


@settings(deadline=None, max_examples=20)
@given(share=st.floats(0.3, 1))
def test_a_shortened_campaign_is_stored_and_read_again(share: float) -> None:
    plan = preset()
    shorter, _ = fit(plan, share_of(plan, share))
    assert load_campaign(dump_campaign(shorter), source="stored") == shorter
