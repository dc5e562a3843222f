"""The claims on trial: as data they say what decides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.analysis.guides.verdicts import names_in_all
from harness.errors import CampaignError
from harness.scenarios.guides.registry import (
    SEEDS,
    all_claims,
    all_scenarios,
    scenarios_named,
    scenarios_of_claims,
)

pytestmark = pytest.mark.unit

CLAIM = """
[[claims]]
id = {id}
seed = "000"
where = "here"
claim = "a run is a thread"
{decided}
"""


def written(folder: Path, name: str, *claims: str) -> Path:
    (folder / f"{name}.toml").write_text("".join(claims))
    return folder


def test_every_claim_names_a_document_and_says_something() -> None:
    for claim in all_claims():
        assert claim.seed in SEEDS
        assert claim.where
        assert claim.claim


def test_every_claim_is_decided_by_a_scenario_there_is_or_says_why_not() -> None:
    names = {scenario.name for scenario in all_scenarios()}
    for claim in all_claims():
        assert claim.scenario in names or claim.cannot


def test_what_may_not_hold_says_what_to_do_instead() -> None:
    for claim in all_claims():
        assert claim.instead or not claim.scenario, claim.id


def test_words_put_in_only_figures_that_are_looked_at() -> None:
    for claim in all_claims():
        known = dict.fromkeys(names_in_all(claim), 1.0)
        claim.depends_on.format_map(known)
        claim.surprise.format_map(known)


def test_surprises_have_an_order_of_their_own() -> None:
    ranks = [claim.rank for claim in all_claims() if claim.surprise]
    assert sorted(ranks) == list(range(1, len(ranks) + 1))
    assert len(ranks) >= 10


def test_all_claims_of_the_documents_have_a_row() -> None:
    numbers = [claim.id for claim in all_claims()]
    assert set(range(1, 70)) <= set(numbers)
    decided_here = sum(bool(claim.scenario) for claim in all_claims() if claim.id < 70)
    assert decided_here >= 50


def test_claims_come_by_number_with_the_scenario_their_file_is_named_after(tmp_path: Path) -> None:
    written(tmp_path, "model", CLAIM.format(id=7, decided='holds = "a > 1"'))
    written(tmp_path, "elsewhere", CLAIM.format(id=3, decided='cannot = "only AWS"'))
    found = all_claims(tmp_path)
    assert [(claim.id, claim.scenario) for claim in found] == [(3, ""), (7, "model")]


@pytest.mark.parametrize(
    "decided", ["", 'holds = "a >"', 'holds = "a > 1"\ncannot = "AWS"', 'hold = "a > 1"']
)
def test_a_claim_that_nothing_decides_is_refused(tmp_path: Path, decided: str) -> None:
    with pytest.raises(CampaignError):
        all_claims(written(tmp_path, "model", CLAIM.format(id=1, decided=decided)))


def test_a_number_twice_is_refused(tmp_path: Path) -> None:
    twice = CLAIM.format(id=1, decided='holds = "a > 1"')
    with pytest.raises(CampaignError, match="two claims 1"):
        all_claims(written(tmp_path, "model", twice, twice))


def test_scenarios_are_found_by_name_in_the_order_they_are_measured() -> None:
    names = [scenario.name for scenario in all_scenarios()]
    assert [s.name for s in scenarios_named(names[::-1])] == names
    assert [s.name for s in scenarios_named(())] == names


def test_a_name_that_is_none_is_told_what_was_meant() -> None:
    with pytest.raises(CampaignError, match="Did you mean process-model"):
        scenarios_named(["proces-model"])


def test_a_claim_leads_to_the_scenario_that_decides_it(tmp_path: Path) -> None:
    written(tmp_path, "model", CLAIM.format(id=7, decided='holds = "a > 1"'))
    written(tmp_path, "elsewhere", CLAIM.format(id=3, decided='cannot = "only AWS"'))
    claims = all_claims(tmp_path)
    assert scenarios_of_claims([7, 7], claims) == ["model"]
    with pytest.raises(CampaignError, match="cannot be measured here"):
        scenarios_of_claims([3], claims)
    with pytest.raises(CampaignError, match="no claim 9"):
        scenarios_of_claims([9], claims)


def test_scenarios_fit_into_the_time_they_are_given() -> None:
    """A full run takes 100 minutes at most, a quick one 20."""
    assert sum(scenario.minutes for scenario in all_scenarios()) <= 100
    assert sum(scenario.quick_minutes or 0 for scenario in all_scenarios()) <= 20
