"""Predicates of claims: statements about figures, and nothing else."""

from __future__ import annotations

import pytest

from harness.analysis.guides.predicate import decide, names_in
from harness.errors import CampaignError

pytestmark = pytest.mark.unit

VALUES = {"runs": 30.0, "workers": 2.0, "share": 0.5}


@pytest.mark.parametrize(
    ("predicate", "answer"),
    [
        ("runs > workers", True),
        ("runs <= workers", False),
        ("runs > 10 and not share >= 0.6", True),
        ("runs < 10 or abs(share - 0.5) < 0.01", True),
        ("0.4 <= share <= 0.6", True),
        ("min(runs, workers) == workers", True),
        ("runs / workers > 14", True),
    ],
)
def test_a_statement_is_true_or_not(predicate: str, answer: bool) -> None:
    assert decide(predicate, VALUES) is answer


@pytest.mark.parametrize(
    "predicate",
    [
        "runs", "unknown > 1", "runs >",  "__import__('os').getcwd() == ''",
        "open('x') == 1", "[r for r in (1,)] == 1", "runs / 0 > 1", "",
    ],
)  # fmt: skip
def test_what_is_no_statement_about_figures_is_refused(predicate: str) -> None:
    with pytest.raises(CampaignError):
        decide(predicate, VALUES)


def test_the_figures_it_names_come_in_order_and_once() -> None:
    assert names_in("b > 1 and abs(a) < b or max(c, 2) > a") == ("b", "a", "c")


def test_what_cannot_be_read_names_nothing() -> None:
    with pytest.raises(CampaignError, match="no predicate"):
        names_in("runs >")
