"""A trial told: on a terminal, as a page, as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from harness.analysis.guides.types import (
    Claim,
    Evidence,
    Figure,
    ScenarioFinding,
    TrialFinding,
    Verdict,
)
from harness.report.guides.document import claims_json, trial_json
from harness.report.guides.markdown import trial_markdown
from harness.report.guides.page import trial_page
from harness.report.guides.terminal import render_claims, render_trial
from harness.report.guides.words import counts_words, figure_words, state_words

pytestmark = pytest.mark.unit

FIGURE = Figure(value=98.234, unit="MiB", meaning="memory a run adds", n=3)
CLAIM = Claim(
    id=7, seed="000", where="Overview", claim="runs share memory", scenario="model",
    holds="mib < 10", instead="Count runs.",
)  # fmt: skip
VERDICT = Verdict(
    claim=CLAIM, state="does not hold", evidence=(Evidence(name="mib", figure=FIGURE),)
)
ELSEWHERE = Verdict(
    claim=Claim(id=8, seed="003", where="there", claim="3 | 4 min", cannot="only AWS"),
    state="cannot be measured here", why="only AWS",
)  # fmt: skip
TRIAL = TrialFinding(
    schema=1, dagster="1.13.27", started_s=1_790_000_000.0,
    environment={"host": {"cpus": 2, "cpu_model": "EPYC"}},
    scenarios=(
        ScenarioFinding(
            name="model", question="Thread or process?", ended="done", quick=True, started_s=1.0,
            took_s=90.0, figures={"mib": FIGURE},
        ),
        ScenarioFinding(name="late", question="How late?", ended="The server is gone."),
        ScenarioFinding(name="never", question="Ever?"),
    ),
    verdicts=(VERDICT, ELSEWHERE),
)  # fmt: skip


def shown(*, everything: bool = False, width: int = 160) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(render_trial(TRIAL, everything=everything))
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (98.234, "MiB", "98.2 MiB"), (30.0, "runs", "30 runs"), (0.0312, "1", "0.0312"),
        (12345.6, "s", "12,346 s"), (None, "MiB", "not known"), (-0.5, "", "-0.5"),
        (2.5e-16, "runs", "0 runs"),
    ],
)  # fmt: skip
def test_a_figure_in_words(value: float | None, unit: str, words: str) -> None:
    assert figure_words(replace(FIGURE, value=value, unit=unit)) == words


def test_a_verdict_in_words_says_why_and_who_had_a_say() -> None:
    assert state_words(VERDICT) == "does not hold"
    assert state_words(ELSEWHERE) == "cannot be measured here: only AWS"
    foretold = replace(
        VERDICT, evidence=(Evidence(name="mib", figure=replace(FIGURE, predicted=True)),)
    )
    assert state_words(foretold) == "does not hold (predicted)"


def test_counts_name_only_what_there_is() -> None:
    assert counts_words(TRIAL.verdicts) == ("2 claims: 1 do not hold, 1 cannot be measured here")


def test_the_terminal_shows_what_was_decided_and_on_wish_everything() -> None:
    assert "runs share memory" in shown()
    assert "memory a run adds: 98.2 MiB" in shown()
    assert "only AWS" not in shown()
    assert "only AWS" in shown(everything=True)


def test_a_narrow_terminal_loses_no_word() -> None:
    text = shown(everything=True, width=60)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert "memory" in text


def test_the_page_has_a_row_a_claim_and_the_figures_of_every_scenario() -> None:
    text = trial_markdown(TRIAL)
    assert "| 7 | 000, Overview | runs share memory | memory a run adds: 98.2 MiB | " in text
    assert "| does not hold | Count runs. |" in text
    assert r"3 \| 4 min" in text, "a pipe ends no cell"
    assert "| `mib` | 98.2 MiB | 3 | memory a run adds |" in text
    assert "(1.5 min, quick)" in text
    assert "Broke off: The server is gone." in text
    assert "Ever? Not measured." in text


def test_what_holds_needs_no_other_way() -> None:
    text = trial_markdown(replace(TRIAL, verdicts=(replace(VERDICT, state="holds"),)))
    assert "Count runs." not in text


def test_the_document_is_the_finding() -> None:
    told = json.loads(trial_json(TRIAL))
    assert told["verdicts"][0]["state"] == "does not hold"
    assert told["verdicts"][0]["evidence"][0]["figure"]["value"] == 98.234


def test_the_registry_as_text_and_as_data() -> None:
    console = Console(file=StringIO(), width=120)
    console.print(render_claims([CLAIM, ELSEWHERE.claim]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "runs share memory" in text
    assert "cannot be measured here: only AWS" in " ".join(text.split())
    assert [each["id"] for each in json.loads(claims_json([CLAIM]))] == [7]


# The page


def page(*verdicts: Verdict) -> str:
    return trial_page(replace(TRIAL, verdicts=verdicts or TRIAL.verdicts), {"000": "Sizing on ECS"})


def test_the_page_tells_surprises_in_their_order_and_no_more_than_ten() -> None:
    told = [
        replace(VERDICT, surprise=f"Result {rank}.", claim=replace(CLAIM, id=rank, rank=20 - rank))
        for rank in range(1, 13)
    ]
    lines = [line for line in page(*told).splitlines() if "Result" in line]
    assert len(lines) == 10
    assert lines[0] == "1. Result 12. ([claim 12](#guide-000))"


def test_without_a_surprise_the_page_has_no_such_heading() -> None:
    assert "surprises" not in page()


def test_the_page_tells_every_claim_by_its_guide_and_what_was_measured() -> None:
    text = page()
    assert text.index("## Guide 000") < text.index("## Guide 003") < text.index("### model")
    assert "Sizing on ECS." in text
    assert "1 do not hold" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
