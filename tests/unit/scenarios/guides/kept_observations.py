"""Observations of the committed trials, whole and quick, and what claims need of them."""

from __future__ import annotations

from pathlib import Path

from harness.analysis.guides.types import Figures
from harness.analysis.guides.verdicts import names_in_all
from harness.facts.observations import Observations
from harness.scenarios.guides.registry import all_claims
from harness.scenarios.guides.trial import TrialFolder

BASELINES = Path(__file__).parents[4] / "results" / "baselines"
TRIALS = ("guides", "guides-again")
"""A whole trial, and one in which scenarios were measured a second time, quick where they can."""


def kept(name: str, trial: str = TRIALS[0]) -> Observations:
    """What a scenario saw in a real run."""
    return TrialFolder(BASELINES / trial).scenario(name).read()


def is_kept(name: str, trial: str) -> bool:
    """Whether that trial measured the scenario to its end."""
    return TrialFolder(BASELINES / trial).scenario(name).read_record() is not None


def unknown_to_claims(name: str, figures: Figures) -> set[str]:
    """Figures that claims of a scenario name, of which no value is known."""
    named = {
        figure for claim in all_claims() if claim.scenario == name for figure in names_in_all(claim)
    }
    assert named
    return {each for each in named if each not in figures or figures[each].value is None}
