"""Never more at once than a deployment that exists may be given, whatever asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from campaign_text import MINIMAL, load

from harness.campaign.amount import most_runs, peak_of
from harness.campaign.peak import refuse_above_peak
from harness.campaign.plan import Campaign
from harness.errors import CampaignError

pytestmark = pytest.mark.unit


def deployed(**changes: Any) -> Campaign:
    """One workload on a deployment that may be given 5 runs at once."""
    code = {"deployed": True, "jobs": [{"name": "etl"}]}
    own = {"name": "shop", "code": code, "concurrencies": changes.pop("own", None)}
    fields: dict[str, Any] = {
        **load(MINIMAL).model_dump(), "target": "external", "workloads": [own],
        "external": {"webserver": "https://x.example.org", "location": "shop", "peak": 5},
        "search": {"highest": 5},
    }  # fmt: skip
    return Campaign.model_validate({**fields, **changes})


def test_up_to_the_peak_is_allowed() -> None:
    refuse_above_peak(deployed())
    refuse_above_peak(deployed(search={"strategy": "ladder", "concurrencies": [1, 5]}))
    refuse_above_peak(deployed(search={"highest": 5, "always": [1, 5]}))
    # The campaign's own range means nothing where each workload has one.
    refuse_above_peak(deployed(search={"highest": 64}, own=[1, 5]))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"search": {"strategy": "ladder", "concurrencies": [1, 50]}}, "search.concurrencies: 50"),
        ({"search": {"strategy": "ladder"}}, "search.concurrencies: 20"),
        ({"search": {"strategy": "soak", "concurrencies": [200]}}, "search.concurrencies: 200"),
        ({"search": {}}, "search.highest: 64"),
        ({"search": {"highest": 5, "always": [2, 6]}}, "search.always: 6"),
        ({"own": [1, 6]}, "workloads.0.concurrencies: 6"),
        (
            {"load": {"model": "burst"}, "search": {"strategy": "ladder", "concurrencies": [15]}},
            "search.concurrencies: 15",
        ),
    ],
)
def test_more_is_refused_with_the_place_that_asks_for_it(
    changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(CampaignError, match=r"external\.peak is 5") as caught:
        refuse_above_peak(deployed(**changes))
    assert caught.value.evidence == place
    assert "--peak" in caught.value.hint


def test_every_place_is_named() -> None:
    with pytest.raises(CampaignError) as caught:
        refuse_above_peak(deployed(search={"highest": 9, "always": [7]}))
    assert caught.value.evidence.splitlines() == ["search.highest: 9", "search.always: 7"]


def test_servers_of_our_own_have_no_peak() -> None:
    refuse_above_peak(load(MINIMAL, "search={strategy: ladder, concurrencies: [500]}"))


def test_equal_loads_count_into_what_is_said_of_a_campaign() -> None:
    plan = load(MINIMAL, "search={highest: 4, always: [9]}")
    assert peak_of(plan) == 9
    assert most_runs(plan) > most_runs(load(MINIMAL, "search={highest: 4}"))


def test_open_arrivals_may_fill_a_deployment_up_to_its_peak() -> None:
    """As many stand ready as may be there: more than were offered, while runs do not end."""
    assert peak_of(deployed(load={"model": "poisson"}, search={"highest": 2})) == 5
