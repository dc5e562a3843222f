"""The claims on trial, read from the data beside this module, and what measures them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.analysis.guides.predicate import names_in
from harness.analysis.guides.types import Claim
from harness.errors import CampaignError
from harness.scenarios.guides.scenario import Scenario

CLAIMS = Path(__file__).parent / "claims"
ELSEWHERE = "elsewhere"
SEEDS = {
    "000": "Sizing guide for non-isolated runs on ECS",
    "001": "ECS executor: run task and step tasks",
    "002": "Managing concurrency",
    "003": "Serverless run isolation",
    "004": "Kubernetes with 50+ code locations",
}
"""What each document is about, by its number."""


def all_scenarios() -> tuple[Scenario, ...]:
    """Every scenario, in the order they are measured."""
    # Each brings what it measures with; whoever only lists claims must not wait for that.
    from harness.scenarios.guides.catalogue import SCENARIOS

    return SCENARIOS


def all_claims(folder: Path = CLAIMS) -> tuple[Claim, ...]:
    """Every claim, by number.

    Raises:
        CampaignError: the data is damaged: an unknown key, a number twice, a predicate that is
            none, a claim that nothing decides.
    """
    found = [claim for path in sorted(folder.glob("*.toml")) for claim in _claims_in(path)]
    found.sort(key=lambda claim: claim.id)
    for claim, following in pairwise(found):
        if claim.id == following.id:
            raise CampaignError(f"There are two claims {claim.id}.")
    return tuple(found)


def scenarios_named(names: Sequence[str]) -> tuple[Scenario, ...]:
    """These scenarios, in the order they are measured; all of them without a name.

    Raises:
        CampaignError: there is no scenario of a name; the evidence lists those there are.
    """
    known = {scenario.name: scenario for scenario in all_scenarios()}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise CampaignError(
                f"There is no scenario {name!r}." + (f" Did you mean {near[0]}?" if near else ""),
                evidence=f"Scenarios: {', '.join(known)}.",
            )
    return tuple(each for name, each in known.items() if not names or name in names)


def scenarios_of_claims(ids: Iterable[int], claims: Sequence[Claim]) -> list[str]:
    """Names of the scenarios that decide these claims.

    Raises:
        CampaignError: there is no such claim, or nothing here can decide it.
    """
    by_id = {claim.id: claim for claim in claims}
    names = []
    for number in ids:
        claim = by_id.get(number)
        if claim is None:
            raise CampaignError(f"There is no claim {number}.", hint="`harness guides` lists them.")
        if not claim.scenario:
            raise CampaignError(f"Claim {number} cannot be measured here.", evidence=claim.cannot)
        names.append(claim.scenario)
    return list(dict.fromkeys(names))


def _claims_in(path: Path) -> list[Claim]:
    """A file is named after the scenario that decides its claims; `elsewhere` has the others."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    scenario = {} if path.stem == ELSEWHERE else {"scenario": path.stem}
    return [_claim(path, {**scenario, **table}) for table in document["claims"]]


def _claim(path: Path, table: dict[str, Any]) -> Claim:
    try:
        claim = Claim(**table)
    except TypeError as error:
        raise CampaignError(f"{path.name}: a claim is damaged.", evidence=str(error)) from error
    decided = bool(claim.scenario and claim.holds)
    if decided == bool(claim.cannot):
        raise CampaignError(
            f"{path.name}: claim {claim.id} needs a scenario with `holds`, or `cannot`."
        )
    for predicate in filter(None, (claim.holds, claim.depends)):
        names_in(predicate)
    return claim
