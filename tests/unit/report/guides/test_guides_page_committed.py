"""`docs/guides.md` and the README say what the committed trial says, judged by today's code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.analysis.guides.types import TrialFinding
from harness.report.guides.document import trial_json
from harness.report.guides.page import trial_page
from harness.report.guides.words import counts_words
from harness.scenarios.guides.registry import SEEDS, all_scenarios
from harness.scenarios.guides.trial import TrialFolder, judged

pytestmark = pytest.mark.unit

TRIAL = Path("results/baselines/guides")
AGAIN = Path("results/baselines/guides-again")


@pytest.fixture(scope="module")
def finding() -> TrialFinding:
    return judged(Path(__file__).parents[4] / TRIAL)


def test_the_page_is_made_of_the_committed_trial(repo_root: Path, finding: TrialFinding) -> None:
    page = (repo_root / "docs/guides.md").read_text(encoding="utf-8")
    assert page == trial_page(finding, SEEDS), (
        f"make it anew: harness guides report {TRIAL} --format page > docs/guides.md"
    )


def test_the_committed_verdicts_are_those_of_today(repo_root: Path, finding: TrialFinding) -> None:
    stored = TrialFolder(repo_root / TRIAL).verdicts.read_text(encoding="utf-8")
    assert json.loads(stored) == json.loads(trial_json(finding)), (
        f"judge it again: harness guides report {TRIAL} --format json > {TRIAL}/verdicts.json"
    )


def test_all_scenarios_were_measured_whole_and_in_their_time(finding: TrialFinding) -> None:
    minutes = {scenario.name: scenario.minutes for scenario in all_scenarios()}
    for each in finding.scenarios:
        assert each.ended == "done", each.name
        assert not each.quick, each.name
        assert each.took_s is not None
        assert each.took_s <= 60 * minutes[each.name], each.name


def test_the_second_trial_took_the_time_that_is_stated(repo_root: Path) -> None:
    again = judged(repo_root / AGAIN)
    stated = {s.name: (s.minutes, s.quick_minutes) for s in all_scenarios()}
    for each in again.scenarios:
        minutes = stated[each.name][1 if each.quick else 0]
        if each.took_s is not None and minutes is not None:
            assert each.took_s <= 60 * minutes, each.name


def test_fifty_of_the_claims_are_decided_and_ten_surprise(finding: TrialFinding) -> None:
    assert sum(verdict.decided for verdict in finding.verdicts) >= 50
    assert sum(bool(verdict.surprise) for verdict in finding.verdicts) >= 10


def test_the_readme_counts_as_the_trial_does(repo_root: Path, finding: TrialFinding) -> None:
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    assert counts_words(finding.verdicts) in " ".join(readme.split())


def test_the_readme_quotes_surprises_as_they_are(repo_root: Path, finding: TrialFinding) -> None:
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    quoted = readme.split("<!-- surprises -->")[1].split("<!-- /surprises -->")[0]
    told = {f"- {verdict.surprise}" for verdict in finding.verdicts if verdict.surprise}
    lines = quoted.strip().splitlines()
    assert lines
    assert set(lines) <= told
