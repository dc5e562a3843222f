"""From a claim and figures to a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.guides.types import Claim, Figure, State, Verdict
from harness.analysis.guides.verdicts import changed, judge, names_in_all, verdict_on

pytestmark = pytest.mark.unit

CLAIM = Claim(
    id=1, seed="000", where="here", claim="a run is a thread", scenario="model",
    holds="threads > 0.9", depends="memory > 30", depends_on="{memory} MiB a run",
)  # fmt: skip


def figure(value: float | None, **changes: object) -> Figure:
    return replace(Figure(value=value, unit="1", meaning="what it is"), **changes)


@pytest.mark.parametrize(
    ("threads", "memory", "state", "why"),
    [
        (1.0, 0.0, "holds", ""),
        (0.0, 0.0, "does not hold", ""),
        (1.0, 98.3, "depends", "98.3 MiB a run"),
    ],
)
def test_figures_decide(threads: float, memory: float, state: str, why: str) -> None:
    found = verdict_on(CLAIM, {"threads": figure(threads), "memory": figure(memory)})
    assert (found.state, found.why) == (state, why)
    assert [each.name for each in found.evidence] == ["threads", "memory"]
    assert found.decided


def test_a_figure_that_is_not_known_decides_nothing_and_says_why() -> None:
    silent = figure(None, why="the Ping was not answered")
    found = verdict_on(CLAIM, {"threads": silent, "memory": figure(0.0)})
    assert (found.state, found.why) == ("cannot tell", "threads: the Ping was not answered")
    assert not found.decided


def test_a_figure_that_is_missing_decides_nothing() -> None:
    found = verdict_on(CLAIM, {"threads": figure(1.0)})
    assert found.state == "cannot tell"
    assert found.why.startswith("memory: ")


def test_what_was_not_measured_says_so() -> None:
    assert verdict_on(CLAIM, None).state == "not measured"


def test_what_nothing_here_decides_says_what_would() -> None:
    elsewhere = Claim(id=2, seed="003", where="there", claim="3 min", cannot="only AWS: a task")
    found = verdict_on(elsewhere, None)
    assert (found.state, found.why) == ("cannot be measured here", "only AWS: a task")


def test_a_model_having_a_say_is_told() -> None:
    known = {"threads": figure(1.0, predicted=True), "memory": figure(0.0)}
    assert verdict_on(CLAIM, known).predicted
    assert not verdict_on(CLAIM, {**known, "threads": figure(1.0)}).predicted


def test_every_claim_gets_a_verdict_by_its_own_scenario() -> None:
    other = replace(CLAIM, id=3, scenario="other", depends="", depends_on="")
    figures = {"model": {"threads": figure(1.0), "memory": figure(0.0)}}
    assert [v.state for v in judge([CLAIM, other], figures)] == ["holds", "not measured"]


def test_the_figures_of_a_claim_are_those_of_all_its_predicates() -> None:
    assert names_in_all(CLAIM) == ("threads", "memory")


def test_a_surprise_is_told_with_its_figures_where_the_claim_fails() -> None:
    claim = replace(CLAIM, depends="", depends_on="", surprise="{threads} threads a run.")
    assert verdict_on(claim, {"threads": figure(0.25)}).surprise == "0.25 threads a run."
    assert verdict_on(claim, {"threads": figure(1.0)}).surprise == ""


def test_verdicts_that_came_out_otherwise_are_those_both_trials_decided() -> None:
    def told(*states: State) -> list[Verdict]:
        return [
            Verdict(claim=replace(CLAIM, id=number), state=state)
            for number, state in enumerate(states)
        ]

    first = told("holds", "holds", "cannot tell", "does not hold")
    second = told("holds", "does not hold", "holds", "not measured")
    assert [verdict.claim.id for verdict in changed(first, second)] == [1]


@pytest.mark.parametrize(
    ("words", "value", "told"),
    [
        ("{threads}", 0.416666, "0.417"), ("{threads}", 2176.4, "2,176"), ("{threads}", 30.0, "30"),
        ("{threads:%}", 1.0, "100 %"), ("{threads:%}", 0.4167, "42 %"),
        ("{threads:%}", 0.0169, "1.7 %"),
        ("{threads:%}", 0.0, "0 %"),
    ],
)  # fmt: skip
def test_numbers_in_sentences_are_short_and_shares_per_cent(
    words: str, value: float, told: str
) -> None:
    claim = replace(CLAIM, holds="threads > 9999", depends="", depends_on="", surprise=words)
    assert verdict_on(claim, {"threads": figure(value)}).surprise == told
