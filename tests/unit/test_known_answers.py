"""The known answers: campaigns that can be measured, and what is measured is not measured again."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.campaign.estimate import estimate_s, longest_s
from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign
from harness.errors import ExitCode, TargetFailed
from harness.facts.layout import ResultsFolder
from harness.scenarios import threshold
from harness.units import GIB

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "results/baselines/quick-process"


def script(name: str) -> ModuleType:
    """As Python finds it when the script itself is run: beside its neighbours."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


known = script("known_answers")
checks = script("known_answers_checks")
CAMPAIGNS = [name for each in known.EXPERIMENTS.values() for name in each.campaigns]


def test_every_campaign_file_belongs_to_one_experiment() -> None:
    assert sorted(CAMPAIGNS) == sorted(path.stem for path in known.CAMPAIGNS.glob("*.yaml"))


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_campaign_loads_under_the_name_of_its_file_and_survives_being_stored(name: str) -> None:
    plan = known.plan_of(name)
    assert plan.name == f"known-{name}"
    assert plan.description
    assert load_campaign(dump_campaign(plan), source="dump") == plan


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_campaign_says_what_is_built_in_what_must_be_found_and_how_long_it_takes(
    name: str,
) -> None:
    comment = (known.CAMPAIGNS / f"{name}.yaml").read_text().partition("\nname:")[0]
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert comment.startswith("# Built in: ")
    assert "\n# Must be found: " in comment
    said = re.search(r"\n# Takes: about (\d+) minutes", comment)
    assert said
    assert int(said[1]) == pytest.approx(estimate_s(known.plan_of(name)) / 60, abs=0.6)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_campaign_fits_two_cpus_and_takes_five_minutes_a_cell_at_most(name: str) -> None:
    plan = known.plan_of(name)
    cells = list(plan.cells())
    assert fit_problems(cells, HostSize(cpus=2, memory_available_bytes=4 * GIB)) == []
    assert longest_s(plan) <= 5 * 60 * len(cells)


def workloads(name: str) -> dict[str, Mapping[str, Any]]:
    return {each.name: each.params for each in known.plan_of(name).workloads}


def test_the_checks_look_for_what_the_campaigns_build_in() -> None:
    assert workloads("more-work") == {
        f"cpu-{units}{turn}": {"work_units": units}
        for units in checks.WORK_UNITS
        for turn in checks.TURNS
    }
    ballasts = {name: params["ballast_mib"] for name, params in workloads("more-memory").items()}
    assert ballasts == {f"memory-{mib}": mib for mib in checks.BALLAST_MIB}
    assert tuple(each.name for each in known.plan_of("half-cpu").profiles) == checks.SIZES
    assert known.plan_of("workers").max_workers == checks.WORKERS
    pairs = [name for pair in checks.PAIRS for name in pair]
    assert list(workloads("same-twice")) == pairs


def test_the_two_of_a_pair_differ_in_their_name_alone() -> None:
    plan = known.plan_of("same-twice")
    unnamed = [each.model_copy(update={"name": "io"}) for each in plan.workloads]
    assert all(each == unnamed[0] for each in unnamed)


# --- what is measured is not measured again


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A finished campaign, as the only one in its results folder."""
    path = tmp_path / "results" / "20260101T000000Z-quick"
    shutil.copytree(BASELINE, path)
    return path


def own_plan(stored: Path, *overrides: str) -> Campaign:
    text = (stored / "campaign.yaml").read_text()
    return load_campaign(text, source="stored", overrides=overrides)


def test_a_finished_campaign_is_found_in_a_results_root_and_by_itself(stored: Path) -> None:
    plan = own_plan(stored, "target=auto")
    for path in (stored, stored.parent):
        assert known.finished(plan, known.folders_in([path])) == stored
    assert known.folders_in([stored.parent / "nowhere"]) == []


def test_the_newest_of_several_is_taken(stored: Path) -> None:
    newer = stored.with_name("20260202T000000Z-quick")
    shutil.copytree(stored, newer)
    plan = own_plan(stored, "target=auto")
    assert known.finished(plan, known.folders_in([stored.parent])) == newer


def test_a_campaign_that_was_cut_off_is_not_finished(stored: Path) -> None:
    plan = own_plan(stored)
    assert known.finished(plan, [stored])
    (next(stored.glob("cells/*/runs.parquet"))).unlink()
    assert known.finished(plan, [stored]) is None


def test_a_campaign_that_was_never_judged_is_not_finished(stored: Path) -> None:
    ResultsFolder(stored).findings_json.unlink()
    assert known.finished(own_plan(stored), [stored]) is None


def test_a_campaign_with_a_cell_too_few_is_not_finished(stored: Path) -> None:
    shutil.rmtree(next(stored.glob("cells/*")))
    assert known.finished(own_plan(stored), [stored]) is None


def test_another_version_of_a_campaign_does_not_count(stored: Path) -> None:
    assert known.finished(own_plan(stored, "step.hold_s=21"), [stored]) is None


@pytest.mark.parametrize(
    ("used", "asked", "counts"),
    [
        ("process", "process", True), ("process", "auto", True), ("process", "compose", False),
        ("auto", "auto", True), ("auto", "process", False),
    ],
)  # fmt: skip
def test_a_target_that_was_asked_for_must_be_the_one_measured(
    stored: Path, used: str, asked: str, counts: bool
) -> None:
    (stored / "campaign.yaml").write_text(dump_campaign(own_plan(stored, f"target={used}")))
    found = known.finished(own_plan(stored, f"target={asked}"), [stored])
    assert found == (stored if counts else None)


def test_a_stored_campaign_that_cannot_be_read_any_more_does_not_count(stored: Path) -> None:
    plan = own_plan(stored)
    (stored / "campaign.yaml").write_text("name: [")
    assert known.finished(plan, [stored]) is None


@pytest.fixture
def one(stored: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Campaign]:
    """One experiment whose campaign is the stored one; the list is of what was then measured."""
    begun: list[Campaign] = []

    def measure(plan: Campaign, **_: Any) -> ResultsFolder:
        begun.append(plan)
        if plan.step.hold_s == 21:
            raise TargetFailed("It broke.")
        return ResultsFolder(stored)

    (tmp_path / "known").mkdir()
    shutil.copy(stored / "campaign.yaml", tmp_path / "known/mine.yaml")
    experiment = known.Experiment(
        name="mine", built_in="nothing", campaigns=("mine",), check=checks.binds("launch_cpu")
    )
    monkeypatch.setattr(known, "CAMPAIGNS", tmp_path / "known")
    monkeypatch.setattr(known, "EXPERIMENTS", {"mine": experiment})
    monkeypatch.setattr(threshold, "run", measure)
    return begun


def test_run_judges_what_is_measured_and_measures_again_only_when_told(
    one: list[Campaign], stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ["run", "mine", "--results", str(stored.parent)]
    code = known.main(order)
    assert not one
    assert "the limit that binds, io" in capsys.readouterr().out
    assert known.main([*order, "--again", "--json"]) == code
    assert [plan.name for plan in one] == ["quick"]
    (document,) = json.loads(capsys.readouterr().out)["experiments"]
    assert [row["what"].split()[-1] for row in document["rows"]] == ["io", "cpu", "mixed"]
    assert document["ok"] is (code == ExitCode.PASS)


def test_run_measures_what_is_not_there(one: list[Campaign], tmp_path: Path) -> None:
    known.main(["run", "mine", "--results", str(tmp_path / "empty"), "--target", "process"])
    assert [plan.target for plan in one] == ["process"]


def test_all_runs_every_experiment(one: list[Campaign], tmp_path: Path) -> None:
    known.main(["run", "all", "--results", str(tmp_path / "empty")])
    assert len(one) == len(known.EXPERIMENTS) == 1


def test_one_that_breaks_off_tells_its_exit_code_and_keeps_what_was_judged_before(
    one: list[Campaign], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (tmp_path / "known/mine.yaml").read_text()
    broken = load_campaign(text, source="mine", overrides=["step.hold_s=21"])
    (tmp_path / "known/worse.yaml").write_text(dump_campaign(broken))
    known.EXPERIMENTS["worse"] = replace(
        known.EXPERIMENTS["mine"], name="worse", campaigns=("worse",)
    )
    code = known.main(["run", "mine", "worse", "--results", str(tmp_path / "e"), "--json"])
    assert code == ExitCode.TARGET
    told = capsys.readouterr()
    assert [each["name"] for each in json.loads(told.out)["experiments"]] == ["mine"]
    assert "It broke." in told.err


def test_only_sizes_are_foretold_from_one_another(one: list[Campaign], stored: Path) -> None:
    mine = replace(known.EXPERIMENTS["mine"], check=known.checks.sizes)
    assert [row.found for row in known.rows_of(mine, [stored])] == ["not measured"]
    rows = known.rows_of(replace(mine, sizes=True), [stored])
    assert len(rows) == 3
    assert all("no other size of this kind" in row.found for row in rows)


def test_table_judges_stored_results_and_leaves_them_as_they_are(
    one: list[Campaign], stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = ResultsFolder(stored).findings_json
    findings.write_text("{}")
    known.main(["table", str(stored)])
    assert "the limit that binds, io" in capsys.readouterr().out
    assert findings.read_text() == "{}"
    assert not one


def test_table_says_what_is_not_measured(
    one: list[Campaign], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert known.main(["table", str(tmp_path / "known"), "--json"]) == ExitCode.INCONCLUSIVE
    told = capsys.readouterr()
    assert json.loads(told.out) == {"experiments": []}
    assert "mine" in told.err


def test_the_exit_code_says_the_worst() -> None:
    found, lost = {"ok": True}, {"ok": False}
    assert known.exit_code([found], missing=()) == ExitCode.PASS
    assert known.exit_code([found], missing=("x",)) == ExitCode.INCONCLUSIVE
    assert known.exit_code([], missing=()) == ExitCode.INCONCLUSIVE
    assert known.exit_code([found, lost], missing=("x",)) == ExitCode.BREACH


def test_list_tells_every_experiment_and_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert known.main(["list", "--json"]) == ExitCode.PASS
    entries = json.loads(capsys.readouterr().out)["experiments"]
    assert [each["name"] for each in entries] == list(known.EXPERIMENTS)
    assert all(0 < each["estimate_s"] <= each["longest_s"] for each in entries)
    assert known.main(["list"]) == ExitCode.PASS
    assert "same-twice" in capsys.readouterr().out


def test_an_experiment_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        known.main(["run", "same-thrice"])
    assert caught.value.code == ExitCode.BAD_INPUT
    assert "same-twice" in capsys.readouterr().err
