"""Measuring a trial: each scenario stored when it is done, none measured twice, none in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeListener

from harness.analysis.guides.types import Claim, Figure, Figures
from harness.errors import CampaignError, EnvironmentProblem, Interrupted, TargetFailed
from harness.facts.observations import DONE, Observations
from harness.scenarios.guides import session, trial
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.session import Ended, TrialOptions, measure_trial
from harness.scenarios.guides.trial import TrialFolder, is_trial, judged, keep

pytestmark = pytest.mark.unit

CLAIM = Claim(id=1, seed="000", where="here", claim="ten", scenario="counts", holds="most >= 10")


def figures(seen: Observations) -> Figures:
    most = max((values["runs"] for values in seen.of("counted")), default=None)
    return {"most": Figure(value=most, unit="runs", meaning="most runs", why="nothing counted")}


def scenario(name: str, measure: Callable[[Bench], None]) -> Scenario:
    return Scenario(
        name=name, question="How many?", minutes=1, quick_minutes=1, measure=measure,
        figures=figures,
    )  # fmt: skip


def count(bench: Bench) -> None:
    bench.note("counted", runs=5 if bench.quick else 12)


def break_off(bench: Bench) -> None:
    bench.note("counted", runs=3)
    raise TargetFailed("The server is gone.", evidence="exit 137")


def interrupt(_: Bench) -> None:
    raise KeyboardInterrupt


COUNTS = scenario("counts", count)


@pytest.fixture(autouse=True)
def an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One that answers, on a machine that nobody else measures on."""
    monkeypatch.setattr(session, "choose", lambda *_: "compose")
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(tmp_path_factory.mktemp("state")))


def measured(
    root: Path, *scenarios: Scenario, folder: Path | None = None, quick: bool = False
) -> Ended:
    options = TrialOptions(root=root, dagster="1.13.27", quick=quick, folder=folder)
    return measure_trial(scenarios, options=options, listener=FakeListener())


def test_what_a_scenario_noted_is_stored_and_sealed(tmp_path: Path) -> None:
    ended = measured(tmp_path, COUNTS)
    folder = TrialFolder(ended.path)
    record = folder.scenario("counts").read_record()
    assert record is not None
    assert (record.ended, record.quick, record.dagster) == (DONE, False, "1.13.27")
    assert folder.scenario("counts").read().of("counted") == [{"runs": 12}]
    assert (ended.measured, ended.kept, ended.failed) == (("counts",), (), {})
    assert json.loads(folder.environment.read_text())["host"]["cpus"]
    assert is_trial(ended.path)


def test_one_that_breaks_off_does_not_keep_the_next_from_being_measured(tmp_path: Path) -> None:
    ended = measured(tmp_path, scenario("broken", break_off), COUNTS)
    assert ended.measured == ("counts",)
    assert [str(error.what) for error in ended.failed.values()] == ["The server is gone."]
    record = TrialFolder(ended.path).scenario("broken").read_record()
    assert record is not None
    assert record.ended == "The server is gone."


def test_going_on_measures_only_what_is_not_done(tmp_path: Path) -> None:
    first = measured(tmp_path, scenario("late", break_off), COUNTS)
    again = measured(tmp_path, scenario("late", count), COUNTS, folder=first.path)
    assert (again.path, again.measured, again.kept) == (first.path, ("late",), ("counts",))


def test_a_quick_scenario_is_measured_again_when_all_of_it_is_wanted(tmp_path: Path) -> None:
    first = measured(tmp_path, COUNTS, quick=True)
    assert measured(tmp_path, COUNTS, folder=first.path, quick=True).kept == ("counts",)
    assert measured(tmp_path, COUNTS, folder=first.path).measured == ("counts",)
    seen = TrialFolder(first.path).scenario("counts").read()
    assert seen.of("counted") == [{"runs": 12}], "nothing of the quick one is left"


def test_one_measured_in_an_older_way_is_measured_again(tmp_path: Path) -> None:
    first = measured(tmp_path, COUNTS)
    newer = replace(COUNTS, version=2)
    assert measured(tmp_path, newer, folder=first.path).measured == ("counts",)


def test_an_interruption_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as caught:
        measured(tmp_path, COUNTS, scenario("slow", interrupt))
    assert "Done: counts" in caught.value.evidence
    (folder,) = tmp_path.iterdir()
    assert str(folder) in caught.value.hint
    assert measured(tmp_path, COUNTS, folder=folder).kept == ("counts",)


def test_a_trial_of_another_dagster_is_not_gone_on_with(tmp_path: Path) -> None:
    first = measured(tmp_path, COUNTS)
    options = TrialOptions(root=tmp_path, dagster="1.12.22", folder=first.path)
    with pytest.raises(CampaignError, match=r"a trial of Dagster 1\.13\.27"):
        measure_trial([COUNTS], options=options, listener=FakeListener())


def test_without_an_engine_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise EnvironmentProblem("No Docker engine answers.")

    monkeypatch.setattr(session, "choose", refuse)
    with pytest.raises(EnvironmentProblem):
        measured(tmp_path, COUNTS)
    assert list(tmp_path.iterdir()) == []


# Judged


def test_stored_facts_are_judged_as_often_as_one_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = measured(tmp_path, COUNTS, scenario("broken", break_off)).path
    both = (COUNTS, scenario("broken", break_off), scenario("never", count))
    monkeypatch.setattr(trial, "all_scenarios", lambda: both)
    claims = [
        CLAIM,
        replace(CLAIM, id=2, scenario="broken"),
        replace(CLAIM, id=3, holds="most > 99"),
    ]
    found = judged(path, claims=claims)
    assert [v.state for v in found.verdicts] == ["holds", "not measured", "does not hold"]
    assert [s.ended for s in found.scenarios] == [DONE, "The server is gone.", ""]
    keep(path, found)
    stored = json.loads(TrialFolder(path).verdicts.read_text())
    assert [verdict["state"] for verdict in stored["verdicts"]] == [
        "holds", "not measured", "does not hold",
    ]  # fmt: skip
    assert "| 1 | 000, here | ten |" in TrialFolder(path).report_md.read_text()
