"""`harness bisect` as it is typed, with releases and rounds of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.analysis.bisecting.types import BisectFinding, Round
from harness.cli import bisect as command
from harness.errors import CampaignError
from harness.scenarios.bisecting_record import Record

pytestmark = pytest.mark.unit

RELEASES = tuple(f"1.12.{number}" for number in range(10))
ASKED = ("--good", "1.12.0", "--bad", "1.12.9", "--metric", "per_run_mib")
TOGETHER = {"1.12.4": 100.0, "1.12.5": 115.0}


def finding_in(record: Record, *values: dict[str, float], ended: str = "done") -> BisectFinding:
    """As if these rounds had been measured."""
    rounds = tuple(
        Round(number=n, folder=f"r{n}", releases=tuple(each), values=each, took_s=90)
        for n, each in enumerate(values, start=1)
    )
    return record.write(replace(record.plan.known, rounds=rounds), ended=ended)


def moved(record: Record) -> BisectFinding:
    """Between 1.12.4 and 1.12.5."""
    ends = ({"1.12.0": 100.0, "1.12.9": 115.0}, {"1.12.0": 90.0, "1.12.9": 103.6})
    last = {"1.12.0": 99.0, **TOGETHER, "1.12.9": 114.5}
    return finding_in(record, *ends, *ends, last, last)


def alike(record: Record) -> BisectFinding:
    """Nothing moved."""
    return finding_in(record, *({"1.12.0": 100.0, "1.12.9": 100.5},) * 3)


Given = Callable[..., Any]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """The command with these options; `finds` stands for all measuring."""
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr(command, "releases", lambda: RELEASES)
    app = typer.Typer(rich_markup_mode="markdown")
    app.command("bisect")(command.bisect)
    app.command("other")(lambda: None)

    def run(*options: str, finds: Callable[[Record], BisectFinding] = moved, usual: bool = True):
        asked: list[Any] = []

        def measured(plan, record, budget, *rest):
            asked.append((plan, budget.budget_s, rest))
            return finds(record)

        monkeypatch.setattr(command, "measured", measured)
        always = ("--results", str(tmp_path / "results"))
        line = ["bisect", *(ASKED if usual else ()), *options, *always]
        outcome = CliRunner().invoke(app, line, standalone_mode=False)
        if outcome.exception is not None:
            raise outcome.exception
        return int(outcome.return_value or 0), outcome.stdout, asked

    return run


def test_the_first_line_is_the_answer_and_the_last_say_where_it_is(given: Given) -> None:
    code, out, _ = given()
    assert code == 0
    assert out.startswith("per_run_mib rose by 15 % (")
    assert "between 1.12.4 and 1.12.5" in out.splitlines()[0]
    *_, record, markdown = out.splitlines()
    assert record.startswith("Record: ")
    assert Path(markdown.removeprefix("In Markdown: ")).is_file()


def test_nothing_to_bisect_is_inconclusive(given: Given) -> None:
    code, out, _ = given(finds=alike)
    assert code == 5
    assert "nothing to bisect." in out


def test_json_is_the_document_alone(given: Given) -> None:
    code, out, _ = given("--json")
    assert code == 0
    document = json.loads(out)
    assert document["status"] == "found"
    assert document["steps"][0]["upto"] == "1.12.5"


def test_options_reach_the_plan(given: Given) -> None:
    options = ("--workload", "cpu", "--profile", "2vcpu-4gb", "--target", "process",
               "--only-minor", "first", "--tolerance", "2%", "--budget", "1h30m")  # fmt: skip
    _, _, ((plan, budget_s, (session, _)),) = given(*options, "--allow-overcommit", finds=alike)
    assert budget_s == 5400
    assert plan.rules.tolerance == pytest.approx(0.02)
    assert session.allow_overcommit
    campaign = plan.campaign(1, ())
    assert (campaign.target, campaign.profiles[0].name) == ("process", "2vcpu-4gb")
    assert campaign.workloads[0].name == "cpu"
    assert plan.known.candidates == {"1.12.0"}


def test_a_dry_run_shows_the_plan_and_measures_nothing(given: Given) -> None:
    code, out, asked = given("--dry-run")
    assert (code, asked) == (0, [])
    assert out.startswith("per_run_mib (memory a run) between 1.12.0 and 1.12.9: 8 releases")
    assert out.endswith("Nothing was started.\n")


def test_a_dry_run_knows_what_is_kept(given: Given) -> None:
    given(finds=alike)
    _, out, _ = given("--dry-run")
    assert "3 rounds are kept from before" in out


def test_every_number_that_is_none_is_named_at_once(given: Given) -> None:
    with pytest.raises(CampaignError) as refused:
        given("--budget", "soon", "--tolerance", "300%")
    assert refused.value.evidence.splitlines() == [
        "--budget soon: not a duration such as 60m, 2h or 1h30m",
        "--tolerance 300%: not a share such as 5% or 0.02",
    ]


def test_a_version_that_is_no_release_is_refused_before_anything_is_measured(given: Given) -> None:
    with pytest.raises(CampaignError, match=r"no 1\.12\.99"):
        given("--good", "1.12.99", "--bad", "1.12.9", "--metric", "per_run_mib", usual=False)
