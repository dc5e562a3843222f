"""Equal cells in rounds: their order, their names, and what may stand for a version."""

from __future__ import annotations

import pytest

from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign
from harness.errors import CampaignError

pytestmark = pytest.mark.unit

BASE = """
name: c
profiles: 1vcpu-2gb
workloads: [io, cpu]
"""


def campaign(text: str) -> Campaign:
    return load_campaign(BASE + text, source="c.yaml")


def refused(text: str) -> str:
    with pytest.raises(CampaignError) as caught:
        campaign(text)
    return caught.value.evidence


def order(plan: Campaign) -> list[tuple[int | None, str, str]]:
    return [(cell.repetition, cell.workload.name, cell.dagster) for cell in plan.cells()]


def test_versions_are_neighbours_and_every_second_round_goes_backwards() -> None:
    assert order(campaign("dagster: [1.8.13, 1.13.27]\nrepetitions: 2\n")) == [
        (1, "io", "1.8.13"), (1, "io", "1.13.27"), (1, "cpu", "1.8.13"), (1, "cpu", "1.13.27"),
        (2, "io", "1.13.27"), (2, "io", "1.8.13"), (2, "cpu", "1.13.27"), (2, "cpu", "1.8.13"),
    ]  # fmt: skip


def test_the_mean_place_of_every_version_is_the_same_over_two_rounds() -> None:
    plan = campaign("dagster: [1.8.13, 1.9.13, 1.13.27]\nrepetitions: 4\n")
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(c for c in plan.cells() if c.workload.name == "io"):
        places.setdefault(cell.dagster, []).append(place)
    assert len({sum(each) for each in places.values()}) == 1


def test_only_repeated_cells_have_a_round_in_their_name() -> None:
    assert [c.id.endswith("_n1") for c in campaign("repetitions: 1\n").cells()] == [False, False]
    names = [cell.id for cell in campaign("repetitions: 2\n").cells()]
    assert names[0].endswith("_direct_n1")
    assert len(set(names)) == 4


def test_the_baseline_is_the_first_version_unless_another_is_named() -> None:
    versions = "dagster: [1.8.13, 1.13.27]\n"
    assert campaign("").baseline_version is None
    assert campaign(versions).baseline_version == "1.8.13"
    assert campaign(versions + "baseline: 1.13.27\n").baseline_version == "1.13.27"
    assert "1.9.13 is not among the versions" in refused(versions + "baseline: 1.9.13\n")


def test_a_label_stands_for_what_builds_says() -> None:
    plan = campaign("dagster: [1.13.27, mine]\nbuilds: {mine: ../dagster}\n")
    assert plan.builds == {"mine": "../dagster"}
    assert load_campaign(dump_campaign(plan), source="again") == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dagster: [mine]\n", "mine is no release such as 1.13.27, and builds does not explain it"),
        ("dagster: [1.8.13]\nbuilds: {mine: x}\n", "builds.mine: is not measured"),
        ("dagster: [1.8.13]\nbuilds: {1.8.13: x}\n", "is a release already"),
        (
            "search: {strategy: ladder, always: [1]}\n",
            "always: belongs to strategy adaptive",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(text: str, said: str) -> None:
    assert said in refused(text)


def test_latest_needs_no_explanation() -> None:
    assert campaign("dagster: [1.13.27, latest]\n").dagster == ("1.13.27", "latest")
