"""The README's table says what the committed results say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from harness.analysis.findings.types import CellFinding
from harness.cli.app import main
from harness.report.json_document import findings_from, findings_json
from harness.report.phrases import (
    broken_phrase,
    capacity_phrase,
    launch_cpu_phrase,
    memory_phrase,
)

pytestmark = pytest.mark.unit

BASELINES = ("quick-compose", "quick-process")


def row(cell: CellFinding) -> str:
    """One line of the README's table."""
    settings = cell.recommendation
    return " | ".join(
        (
            f"| {cell.workload}",
            cell.target,
            capacity_phrase(cell.capacity),
            str(cell.capacity.first_failing),
            broken_phrase(cell).replace("\n", " "),
            str(cell.capacity.binding),
            f"{cell.throughput_runs_per_s:.2f}",
            memory_phrase(cell.memory),
            launch_cpu_phrase(cell.cpu),
            f"{settings.max_workers} / {settings.max_concurrent_runs} |",
        )
    )


@pytest.mark.parametrize("baseline", BASELINES)
def test_every_figure_of_the_table_is_a_committed_result(baseline: str, repo_root: Path) -> None:
    stored = repo_root / "results/baselines" / baseline / "findings.json"
    findings = findings_from(json.loads(stored.read_text(encoding="utf-8")))
    readme = (repo_root / "README.md").read_text(encoding="utf-8").splitlines()
    assert [cell.workload for cell in findings.cells] == ["io", "cpu", "mixed"]
    for cell in findings.cells:
        assert row(cell) in readme


@pytest.mark.parametrize("baseline", [*BASELINES, "soak"])
def test_a_baseline_judged_again_gives_the_findings_that_are_committed(
    baseline: str, repo_root: Path
) -> None:
    from harness.analysis.findings.document import findings_of
    from harness.campaign.loading import load_campaign
    from harness.facts.store import read_results

    folder = repo_root / "results/baselines" / baseline
    stored = read_results(folder)
    campaign = load_campaign(stored.campaign_text, source="campaign.yaml")
    again = findings_of(campaign, stored.environment, stored.cells)
    committed = findings_from(json.loads((folder / "findings.json").read_text(encoding="utf-8")))
    assert same(json.loads(findings_json(again)), json.loads(findings_json(committed)))


def test_the_sizing_is_what_the_command_says(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- sizing -->")[1].split("<!-- /sizing -->")[0].splitlines()
    command, *answer = [line for line in shown if line and not line.startswith("```")]
    monkeypatch.chdir(repo_root)
    monkeypatch.setenv("COLUMNS", "126")
    with pytest.raises(SystemExit):
        main(command.removeprefix("$ harness ").split())
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert len(answer) > 10
    assert [line for line in answer if line not in said] == []


def test_the_soak_is_what_its_facts_say(repo_root: Path) -> None:
    from harness.analysis.soaking.judge import judge_soak
    from harness.facts.store import read_results
    from harness.report.soak import soak_lines
    from harness.scenarios.soaking import soak_json

    folder = repo_root / "results/baselines/soak"
    soak = judge_soak(read_results(folder).cells[0])
    committed = json.loads((folder / "soak.json").read_text(encoding="utf-8"))
    assert same(json.loads(soak_json(soak)), committed)
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- soak -->")[1].split("<!-- /soak -->")[0].splitlines()
    answer = [line for line in shown if line and not line.startswith(("```", "$"))]
    assert len(answer) > 5
    assert [line for line in answer if line not in soak_lines(soak)] == []


def same(one: object, other: object) -> bool:
    """Equal; numbers up to what another processor's mathematics may differ by."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_a_number_that_differs_for_another_reason_is_found() -> None:
    assert same({"a": [1.0, None]}, {"a": [1.0 + 1e-12, None]})
    assert not same({"a": [1.0]}, {"a": [1.001]})
    assert not same({"a": [1.0]}, {"a": [1.0, 2.0]})
