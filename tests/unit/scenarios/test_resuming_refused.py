"""What going on refuses, removes first, or begins anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fake_rig import Machine, Watching, plan, shape
from resuming_cases import (
    CPU,
    GONE,
    IO,
    PLAN,
    at,
    broken_off,
    resumptions,
    whole,
)

from harness.campaign.plan import Campaign
from harness.errors import (
    CampaignError,
    EnvironmentProblem,
    Interrupted,
    StoredDataError,
)
from harness.rig import lock, resumed_session
from harness.rig.ledger import Entry, Ledger

pytestmark = pytest.mark.unit


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_an_unknown_cell_is_refused_with_those_there_are(machine: Machine) -> None:
    path = machine.run(PLAN)
    with pytest.raises(CampaignError, match="no cell nobody") as caught:
        machine.resume(path, again=["nobody"])
    assert IO in caught.value.evidence


def test_a_damaged_cell_is_named_and_can_be_measured_again(
    machine: Machine, tmp_path: Path
) -> None:
    path = broken_off(machine, 1, 1)
    (path / "cells" / IO / "runs.parquet").write_bytes(b"half")
    with pytest.raises(StoredDataError, match=r"runs\.parquet is damaged") as caught:
        machine.resume(path)
    assert caught.value.hint.endswith(f"harness resume {path} --again {IO}")
    machine.resume(path, again=[IO])
    assert shape(path) == whole(tmp_path)


def test_it_is_refused_while_a_living_process_measures(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    with (
        lock.campaign_lock(machine.root / "state" / "campaign.lock", holder="fake"),
        pytest.raises(EnvironmentProblem, match="Another campaign is measuring"),
    ):
        machine.resume(path)
    assert machine.targets == []
    assert resumptions(path) == []


def test_what_the_dead_process_left_running_is_removed_first_and_said(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    ledger = Ledger.default()
    folder = machine.root / "work"
    folder.mkdir()
    ledger.add(Entry(id="w", kind="folder", name="work", path=str(folder), **GONE))  # type: ignore[arg-type]
    listener = Watching()
    machine.resume(path, listener)
    assert listener.news[0] == "Left behind by a harness that is gone: folder work: removed (1)"
    assert resumptions(path)[0]["removed"] == ["folder work: removed (1)"]
    assert ledger.entries() == ()


def test_what_cannot_be_removed_ends_it_before_anything_is_measured(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    folder = machine.root / "theirs"
    folder.mkdir()
    (folder / "letter.txt").touch()
    Ledger.default().add(
        Entry(id="w", kind="folder", name="work", path=str(folder), **GONE)  # type: ignore[arg-type]
    )
    with pytest.raises(EnvironmentProblem, match="cannot be removed") as caught:
        machine.resume(path)
    assert "harness down" in caught.value.hint
    assert machine.targets == []


def test_the_target_of_the_cells_there_are_is_the_target_of_the_rest(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken_off(machine, 1, 1)
    asked: list[str] = []
    monkeypatch.setattr(resumed_session, "choose", lambda kind, _: asked.append(kind) or kind)
    machine.resume(path)
    assert asked == ["process"]


def test_what_was_killed_before_its_environment_was_written_begins(
    machine: Machine, tmp_path: Path
) -> None:
    path = machine.run(PLAN)
    shutil.rmtree(path / "cells")
    for name in ("environment.json", "journal.jsonl", "findings.json"):
        (path / name).unlink()
    machine.resume(path)
    assert shape(path) == whole(tmp_path)
    assert [each["environment"] for each in resumptions(path)] == ["environment.json"]


def test_another_build_under_a_label_is_refused_before_anything_runs(machine: Machine) -> None:
    """Cells of one label are repetitions of one thing."""
    path = broken_off(machine, 1, 1)
    machine.builds = dict.fromkeys(PLAN.dagster, "b")
    with pytest.raises(CampaignError, match="is another build now") as caught:
        machine.resume(path)
    assert f"--again {IO}" in caught.value.hint
    assert machine.targets == []
    machine.builds = dict.fromkeys(PLAN.dagster, "a")
    machine.resume(path)
    assert machine.targets == [CPU]


@pytest.mark.parametrize("name", ["results", "20260101T000000Z-fake"])
def test_what_is_no_campaign_is_never_called_something_to_delete(
    machine: Machine, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(StoredDataError) as caught:
        machine.resume(folder)
    assert "delete" not in str(caught.value)
    assert ("is not a results folder" in caught.value.what) == (name == "results")


def test_another_engine_is_another_machine(machine: Machine) -> None:
    machine.engine = {"engine": {"place": "ssh", "name": "bench", "cpus": 16}}
    path = broken_off(machine, 0, 4)
    machine.engine = {"engine": {"place": "ssh", "name": "other", "cpus": 16}}
    with pytest.raises(EnvironmentProblem, match="another machine") as caught:
        machine.resume(path)
    assert "engine's host: bench then, other now" in caught.value.evidence


def deployed(*changes: str) -> Campaign:
    """One small cell of a deployment that may be given 4 runs at once."""
    place = "{webserver: 'https://dagster.example.org', location: shop, peak: 4}"
    workload = "{name: io, code: {deployed: true, jobs: [{name: etl}]}}"
    return plan(
        "target=external", f"external={place}", f"workloads=[{workload}]", "search.highest=4",
        *changes,
    )  # fmt: skip


def test_what_exists_is_only_loaded_again_by_whoever_says_that_they_may(machine: Machine) -> None:
    machine.owned = True
    machine.during = at(0, 2, KeyboardInterrupt())
    with pytest.raises(Interrupted):
        machine.run(deployed())
    machine.during = lambda _: None
    path = machine.only()
    assert path is not None
    sent = len(machine.orders)
    machine.owned = False
    with pytest.raises(CampaignError, match="only sent by whoever may") as caught:
        machine.resume(path)
    assert "--i-own-this" in caught.value.hint
    assert len(machine.orders) == sent
    # Its servers are on no host of ours: whether they would fit there is nobody's question.
    machine.owned = machine.too_small = True
    machine.resume(path)
    assert len(machine.orders) > sent
    machine.owned = False
    machine.resume(path)  # complete: judged, and nothing sent


def test_nor_does_going_on_give_it_more_than_its_peak(machine: Machine) -> None:
    machine.owned = True
    machine.during = at(0, 2, KeyboardInterrupt())
    with pytest.raises(Interrupted):
        machine.run(deployed())
    path = machine.only()
    assert path is not None
    text = (path / "campaign.yaml").read_text(encoding="utf-8")
    (path / "campaign.yaml").write_text(text.replace("peak: 4", "peak: 3"), encoding="utf-8")
    with pytest.raises(CampaignError, match=r"external\.peak is 3") as caught:
        machine.resume(path)
    assert caught.value.evidence == "search.highest: 4"


def test_our_own_servers_have_to_fit_when_going_on(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    machine.too_small = True
    with pytest.raises(EnvironmentProblem, match="Too small"):
        machine.resume(path)
