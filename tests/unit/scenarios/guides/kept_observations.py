"""Observations of real quick runs, kept in `tests/data/guides`, and what claims need of them."""

from __future__ import annotations

import json
from pathlib import Path

from harness.analysis.guides.types import Figures
from harness.analysis.guides.verdicts import names_in_all
from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.registry import all_claims

KEPT = Path(__file__).parents[3] / "data" / "guides"


def kept(name: str) -> Observations:
    """What a scenario saw in a real quick run."""
    lines = (KEPT / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    return Observations(
        Observation(what=each.pop("what"), at_s=each.pop("at_s"), values=each) for each in told
    )


def unknown_to_claims(name: str, figures: Figures) -> set[str]:
    """Figures that claims of a scenario name, of which no value is known."""
    named = {
        figure for claim in all_claims() if claim.scenario == name for figure in names_in_all(claim)
    }
    assert named
    return {each for each in named if each not in figures or figures[each].value is None}
